// @ts-check
import { startServer, versionOf, writeConfig } from '../processes.mjs';
import { wordsFor } from './protocols.mjs';

const SCHEME = { http1: 'http', https: 'https', h2c: 'http', h2: 'https' };
const TO = { http1: '', h2c: 'h2c://' };

/** @type {import('../types.ts').Target} */
export const caddy = {
  name: 'caddy',
  sides: ['old', 'new'],
  debianPackage: 'caddy',
  version: () => versionOf('caddy', ['version'], /v?(\d\S*)/),
  start: (setting) => {
    const [scheme, to] = wordsFor(setting.options, SCHEME, TO);
    const { certificate, key } = setting.certificate;
    const tls = scheme === 'https' ? `tls ${certificate} ${key}` : '';
    const file = writeConfig('Caddyfile', setting, { scheme, to, tls });
    return startServer({
      command: 'caddy',
      args: ['run', '--adapter', 'caddyfile', '--config', file],
      env: { GOMAXPROCS: '1', HOME: setting.directory },
      ...setting,
    });
  },
};
