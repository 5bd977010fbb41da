/** Set up for each test file: what the file has started ends with it, also when a test timed out or was tried again. */
import { once } from 'node:events';
import { afterAll } from 'vitest';
import { killStarted } from './started.ts';

// Hooks run in reverse, so that those of the file come first, with what they end in good order.
afterAll(async () => {
  await Promise.all(killStarted().map((child) => once(child, 'exit')));
});
