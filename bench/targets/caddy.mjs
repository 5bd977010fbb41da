// @ts-check
import { startServer, versionOf, writeConfig } from '../processes.mjs';

/** @type {import('../types.ts').Target} */
export const caddy = {
  name: 'caddy',
  sides: ['old', 'new'],
  debianPackage: 'caddy',
  version: () => versionOf('caddy', ['version'], /v?(\d\S*)/),
  start: (setting) =>
    startServer({
      command: 'caddy',
      args: ['run', '--adapter', 'caddyfile', '--config', writeConfig('Caddyfile', setting)],
      env: { GOMAXPROCS: '1', HOME: setting.directory },
      ...setting,
    }),
};
