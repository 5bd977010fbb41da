import { defineConfig } from 'vitest/config';
import { ProcessesFirst } from './test/processes-first.ts';

/** Of pure functions for the most part: modules are loaded once a worker, not once a file. Those of the proxy fail beside each other's. */
const SHARING = ['domain', 'control', 'http1', 'http2', 'config', 'health', 'telemetry'].map(
  (folder) => `test/${folder}/**/*.test.ts`,
);

export default defineConfig({
  test: {
    // Files that start processes share two cores with their own load, but also wait: a third worker has what they leave.
    maxWorkers: 3,
    // Whatever a file starts ends with it.
    setupFiles: ['test/leftovers/end.ts'],
    sequence: { sequencer: ProcessesFirst },
    // Real processes on a machine that does other work: one that fails twice has a reason, and one that passes at the second try is named.
    retry: process.env['CI'] === 'true' ? 1 : 0,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    projects: [
      { extends: true, test: { name: 'apart', include: ['test/**/*.test.ts'], exclude: SHARING } },
      { extends: true, test: { name: 'sharing', include: SHARING, isolate: false } },
    ],
  },
});
