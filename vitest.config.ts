import { defineConfig } from 'vitest/config';
import { ProcessesFirst } from './test/processes-first.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Files that start processes share two cores with their own load, but also wait: a third worker has what they leave.
    maxWorkers: 3,
    // Whatever a file starts ends with it.
    setupFiles: ['test/leftovers/end.ts'],
    sequence: { sequencer: ProcessesFirst },
    // Real processes on a machine that does other work: one that fails twice has a reason, and one that passes at the second try is named.
    retry: process.env['CI'] === 'true' ? 1 : 0,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
