/** Set up for each test file: what the file has started, by whatever way, ends with it, also when a test timed out or was tried again. */
import type { ChildProcess } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { afterAll } from 'vitest';

const started = new Set<ChildProcess>();
subscribe('child_process', (message) => {
  started.add((message as { process: ChildProcess }).process);
});

/** By its id, and only while it has not ended: the id could be another's by then. */
function isRunning({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid !== undefined && exitCode === null && signalCode === null;
}

function kill(): ChildProcess[] {
  const left = [...started].filter(isRunning);
  for (const child of left) child.kill('SIGKILL');
  return left;
}

// Hooks run in reverse, so that those of the file come first, with what they end in good order.
afterAll(async () => {
  await Promise.all(kill().map((child) => once(child, 'exit')));
});
// When the file itself does not come to its end.
process.once('exit', kill);
