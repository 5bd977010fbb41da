# Crossfade as an image. Mount your own configuration over /app/config/crossfade.yaml; what has to outlive the container is in /data.
#   docker run --read-only -v $PWD/mine.yaml:/app/config/crossfade.yaml:ro -v crossfade:/data -p 8080:8080 crossfade
ARG NODE=26-slim

FROM node:${NODE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json ./
COPY src ./src
RUN npm run build && npm prune --omit=dev

FROM node:${NODE}
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json LICENSE ./
COPY config ./config
# The sample configuration keeps its state in ../data: the same place. Only /data is ever written to.
RUN mkdir /data && chown node:node /data && ln -s /data data
VOLUME /data
USER node
# Clients; and the admin API, which answers only on loopback: from inside the container or its network namespace.
EXPOSE 8080 9900
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9900/healthz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "dist/cli/main.js"]
CMD ["serve"]
