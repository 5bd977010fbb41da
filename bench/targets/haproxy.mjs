// @ts-check
import { startServer, versionOf, writeConfig } from '../processes.mjs';

/** @type {import('../types.ts').Target} */
export const haproxy = {
  name: 'haproxy',
  sides: ['old', 'new'],
  debianPackage: 'haproxy',
  version: () => versionOf('haproxy', ['-v'], /HAProxy version ([\d.]+)/),
  start: (setting) =>
    startServer({ command: 'haproxy', args: ['-f', writeConfig('haproxy.cfg', setting)], ...setting }),
};
