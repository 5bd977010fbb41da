/** What this process has started, by whatever way: Node tells of each. A module of its own, since set-up is run for each file, be modules loaded anew or not. */
import type { ChildProcess } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';

const started = new Set<ChildProcess>();
subscribe('child_process', (message) => {
  started.add((message as { process: ChildProcess }).process);
});
// When a file does not come to its end.
process.once('exit', killStarted);

/** By its id, and only while it has not ended: the id could be another's by then. */
function isRunning({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid !== undefined && exitCode === null && signalCode === null;
}

/** @returns those that were running still */
export function killStarted(): ChildProcess[] {
  const left = [...started].filter(isRunning);
  started.clear();
  for (const child of left) child.kill('SIGKILL');
  return left;
}
