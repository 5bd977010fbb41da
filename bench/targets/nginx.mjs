// @ts-check
import { startServer, versionOf, writeConfig } from '../processes.mjs';
import { wordsFor } from './protocols.mjs';

const LISTEN = { http1: '', https: ' ssl', h2c: ' http2', h2: ' ssl http2' };
const PASS = { http1: 'proxy_pass http', h2c: 'grpc_pass grpc' };

/** @type {import('../types.ts').Target} */
export const nginx = {
  name: 'nginx',
  sides: ['old', 'new'],
  debianPackage: 'nginx',
  version: () => versionOf('nginx', ['-v'], /nginx\/(\S+)/),
  start: (setting) => {
    const [listen, pass] = wordsFor(setting.options, LISTEN, PASS);
    const file = writeConfig('nginx.conf', setting, { listen, pass });
    return startServer({ command: 'nginx', args: ['-e', 'stderr', '-c', file], ...setting });
  },
};
