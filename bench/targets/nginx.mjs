// @ts-check
import { startServer, versionOf, writeConfig } from '../processes.mjs';

/** @type {import('../types.ts').Target} */
export const nginx = {
  name: 'nginx',
  sides: ['old', 'new'],
  debianPackage: 'nginx',
  version: () => versionOf('nginx', ['-v'], /nginx\/(\S+)/),
  start: (setting) =>
    startServer({ command: 'nginx', args: ['-e', 'stderr', '-c', writeConfig('nginx.conf', setting)], ...setting }),
};
