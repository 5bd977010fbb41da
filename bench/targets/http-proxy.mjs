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
  start: (setting) => {
    const { port, origins } = setting;
    const args = [program, String(port), String(origins.old), String(origins.new)];
    return startServer({ command: process.execPath, args, ...setting });
  },
};
