// @ts-check
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, startServer } from '../processes.mjs';

const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const manifest = new URL('../../package.json', import.meta.url);

/**
 * Everything switched on, as it comes; routes beyond the first are others that the load does not ask for.
 * @param {import('../types.ts').TargetSetting} setting
 * @param {number} adminPort
 */
function configOf({ port, origins, options }, adminPort) {
  const { routes = 1, workers = 1, weight = 50 } = options;
  const others = Array.from({ length: routes - 1 }, (_, index) => ({
    name: `service-${index}`,
    match: { path: `/service-${index}/` },
    old: 'old',
    new: 'new',
  }));
  return {
    listeners: [{ address: `127.0.0.1:${port}` }],
    admin: { address: `127.0.0.1:${adminPort}` },
    store: 'file:state.json',
    stateFile: 'last.json',
    workers,
    backends: {
      old: { discovery: { static: [`127.0.0.1:${origins.old}`] } },
      new: { discovery: { static: [`127.0.0.1:${origins.new}`] } },
    },
    routes: [{ name: 'bench', match: { path: '/' }, old: 'old', new: 'new', weight }, ...others],
  };
}

/** @type {import('../types.ts').Target} */
export const crossfade = {
  name: 'crossfade',
  sides: ['old', 'new'],
  debianPackage: null,
  version: () => (existsSync(program) ? JSON.parse(readFileSync(manifest, 'utf8')).version : null),
  start: async (setting) => {
    const adminPort = setting.options.adminPort ?? (await freePort());
    const file = join(setting.directory, 'crossfade.yaml');
    // JSON is YAML, too.
    writeFileSync(file, JSON.stringify(configOf(setting, adminPort), null, 2));
    return startServer({ command: process.execPath, args: [program, 'serve', '--config', file], ...setting });
  },
};
