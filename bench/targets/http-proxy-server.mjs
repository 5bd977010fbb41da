// @ts-check
// The framework route, as one would write it: fastify and @fastify/http-proxy, one process, keep-alive to both origins, a draw for
// each request, X-Forwarded-For, no access log. `node http-proxy-server.mjs PORT OLD NEW [CERTIFICATE KEY]`

import { readFileSync } from 'node:fs';
import httpProxy from '@fastify/http-proxy';
import fastify from 'fastify';

const [port, oldPort, newPort, certificate, key] = process.argv.slice(2);
const tls = certificate && key ? { https: { cert: readFileSync(certificate), key: readFileSync(key) } } : {};
const app = fastify({ logger: false, bodyLimit: 200_000_000, ...tls });
await app.register(httpProxy, {
  upstream: '',
  // Its default sends one GET to a 503 backend eleven times.
  retryMethods: [],
  undici: { connections: 64, pipelining: 1 },
  replyOptions: {
    getUpstream: () => `http://127.0.0.1:${Math.random() < 0.5 ? newPort : oldPort}`,
    rewriteRequestHeaders: (request, headers) => ({ ...headers, 'x-forwarded-for': request.socket.remoteAddress }),
  },
});
await app.listen({ port: Number(port), host: '127.0.0.1' });
