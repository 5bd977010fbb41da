/**
 * Joins what a start of `serve` and of a worker loads, some 800 files, into a few: most of a start is finding, opening and compiling files.
 * What finds files beside its own stays as it is, and so does what is loaded only where it is configured.
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const OUTPUT = `${ROOT}dist`;

/** So that a line of a bundle leads to what was written, not to what tsc has made of it. */
const traced: Plugin = {
  name: 'traced',
  async load(id) {
    if (!id.startsWith(OUTPUT)) return null;
    return { code: await readFile(id, 'utf8'), map: JSON.parse(await readFile(`${id}.map`, 'utf8')) };
  },
};

export default defineConfig({
  root: ROOT,
  logLevel: 'warn',
  plugins: [traced],
  ssr: { noExternal: true, external: ['pino', '@fastify/http-proxy', '@fastify/swagger-ui'] },
  build: {
    ssr: true,
    outDir: OUTPUT,
    emptyOutDir: false,
    target: 'node20',
    minify: false,
    sourcemap: true,
    rolldownOptions: {
      input: { main: `${OUTPUT}/main.js`, 'proxy/worker': `${OUTPUT}/proxy/worker.js` },
      external: [/\/dist\/demo\//, /\/dist\/cli\/version\.js$/],
      output: { entryFileNames: '[name].js', chunkFileNames: 'chunks/[name].js' },
    },
  },
});
