// @ts-check
import { startServer, versionOf, writeConfig } from '../processes.mjs';
import { wordsFor } from './protocols.mjs';

/** Without TLS it tells HTTP/1.1 and HTTP/2 apart by itself. */
const FRONTEND = { http1: ';no-tls', https: '', h2c: ';no-tls', h2: '' };
const PROTO = { http1: 'http/1.1', h2c: 'h2' };

/** @type {import('../types.ts').Target} */
export const nghttpx = {
  name: 'nghttpx',
  sides: ['old', 'new'],
  debianPackage: 'nghttp2-proxy',
  version: () => versionOf('nghttpx', ['--version'], /nghttp2\/(\S+)/),
  start: (setting) => {
    const [listen, proto] = wordsFor(setting.options, FRONTEND, PROTO);
    const file = writeConfig('nghttpx.conf', setting, { listen, proto });
    return startServer({ command: 'nghttpx', args: [`--conf=${file}`], ...setting });
  },
};
