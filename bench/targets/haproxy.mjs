// @ts-check
import { startServer, versionOf, writeConfig } from '../processes.mjs';
import { wordsFor } from './protocols.mjs';

const SERVER = { http1: '', h2c: ' proto h2' };

/** @type {import('../types.ts').Target} */
export const haproxy = {
  name: 'haproxy',
  sides: ['old', 'new'],
  debianPackage: 'haproxy',
  version: () => versionOf('haproxy', ['-v'], /HAProxy version ([\d.]+)/),
  start: (setting) => {
    const { both } = setting.certificate;
    const bind = {
      http1: '',
      https: ` ssl crt ${both} alpn http/1.1`,
      h2c: ' proto h2',
      h2: ` ssl crt ${both} alpn h2`,
    };
    const [listen, server] = wordsFor(setting.options, bind, SERVER);
    const file = writeConfig('haproxy.cfg', setting, { listen, server });
    return startServer({ command: 'haproxy', args: ['-f', file], ...setting });
  },
};
