// @ts-check
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { startServer } from '../processes.mjs';

const program = fileURLToPath(new URL('http-proxy-server.mjs', import.meta.url));

/** @type {import('../types.ts').Target} */
export const httpProxy = {
  name: 'http-proxy',
  sides: ['old', 'new'],
  debianPackage: null,
  version: () => createRequire(import.meta.url)('@fastify/http-proxy/package.json').version,
  lacks: ({ front, back }) =>
    back === 'h2c' || front === 'h2c' || front === 'h2' ? 'forwards no trailers, so no gRPC' : null,
  start: (setting) => {
    const { port, origins, certificate, options } = setting;
    const tls = options.front === 'https' ? [certificate.certificate, certificate.key] : [];
    const args = [program, String(port), String(origins.old), String(origins.new), ...tls];
    return startServer({ command: process.execPath, args, ...setting });
  },
};
