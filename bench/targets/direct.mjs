// @ts-check
/**
 * No proxy: the load on the old origin itself. What generator and origin can do together, on the core that they share.
 * @type {import('../types.ts').Target}
 */
export const direct = {
  name: 'direct',
  sides: ['old'],
  debianPackage: null,
  version: () => '',
  start: async ({ origins }) => ({ port: origins.old, pids: () => [], stop: async () => undefined, log: () => '' }),
};
