// @ts-check
import { startServer, versionOf, writeConfig } from '../processes.mjs';

/** @type {import('../types.ts').Target} */
export const nghttpx = {
  name: 'nghttpx',
  sides: ['old', 'new'],
  debianPackage: 'nghttp2-proxy',
  version: () => versionOf('nghttpx', ['--version'], /nghttp2\/(\S+)/),
  start: (setting) =>
    startServer({ command: 'nghttpx', args: [`--conf=${writeConfig('nghttpx.conf', setting)}`], ...setting }),
};
