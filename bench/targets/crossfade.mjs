// @ts-check
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, startServer } from '../processes.mjs';

const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const bare = fileURLToPath(new URL('../bare.mjs', import.meta.url));
const manifest = new URL('../../package.json', import.meta.url);

/**
 * Everything switched on, as it comes; routes beyond the first are others that the load does not ask for.
 * @param {import('../types.ts').TargetSetting} setting
 * @param {number} adminPort
 */
function configOf({ port, origins, certificate, options }, adminPort) {
  const { routes = 1, workers = 1, weight = 50, front = 'http1', back = 'http1', route = {}, config = {} } = options;
  const isSecure = front === 'https' || front === 'h2';
  const tls = isSecure ? { tls: { certificate: certificate.certificate, key: certificate.key } } : {};
  const protocol = back === 'h2c' ? { protocol: 'h2' } : {};
  const others = Array.from({ length: routes - 1 }, (_, index) => ({
    name: `service-${index}`,
    match: { path: `/service-${index}/` },
    old: 'old',
    new: 'new',
  }));
  return {
    listeners: [{ address: `127.0.0.1:${port}`, ...tls }],
    admin: { address: `127.0.0.1:${adminPort}` },
    store: 'file:state.json',
    stateFile: 'last.json',
    workers,
    ...config,
    backends: {
      old: { ...protocol, discovery: { static: [`127.0.0.1:${origins.old}`] } },
      new: { ...protocol, discovery: { static: [`127.0.0.1:${origins.new}`] } },
    },
    routes: [{ name: 'bench', match: { path: '/' }, old: 'old', new: 'new', weight, ...route }, ...others],
  };
}

/**
 * @param {string} name
 * @param {() => string | null} node the Node that runs it, or null when there is none
 * @returns {import('../types.ts').Target}
 */
function crossfadeOn(name, node) {
  return {
    name,
    sides: ['old', 'new'],
    debianPackage: null,
    version: () => (existsSync(program) && node() !== null ? JSON.parse(readFileSync(manifest, 'utf8')).version : null),
    start: async (setting) => {
      const adminPort = setting.options.adminPort ?? (await freePort());
      const file = join(setting.directory, 'crossfade.yaml');
      // JSON is YAML, too.
      writeFileSync(file, JSON.stringify(configOf(setting, adminPort), null, 2));
      const preload = setting.options.isBare === true ? ['--import', bare] : [];
      const args = [...preload, program, 'serve', '--config', file];
      // It takes the port for a moment before that, to see whether it is to be had.
      return startServer({ command: node() ?? '', args, saysReady: /is ready on/, ...setting });
    },
  };
}

export const crossfade = crossfadeOn('crossfade', () => process.execPath);

/** The same on the long-term release that the image ships, as npm brings it. */
export const crossfadeLts = crossfadeOn('crossfade-lts', ltsNode);

/** @type {string | null | undefined} */
let lts;

function ltsNode() {
  if (lts === undefined) {
    const { status, stdout } = spawnSync('npx', ['--yes', 'node@26', '-p', 'process.execPath'], { encoding: 'utf8' });
    lts = status === 0 ? stdout.trim() : null;
  }
  return lts;
}
