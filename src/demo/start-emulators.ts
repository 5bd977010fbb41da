import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { EmulatorsSpec, Stage } from './emulators.ts';

const SCRIPT = fileURLToPath(new URL('./platforms.js', import.meta.url));

export interface Emulators {
  /** The proxy is ready: plays the migration, if that is configured. */
  begin(stage: Stage): void;
  stop(): Promise<void>;
}

/** Starts both emulated platforms in a process of their own. Rejects, with nothing left running, when one cannot listen. */
export async function startEmulators(spec: EmulatorsSpec): Promise<Emulators> {
  const child = fork(SCRIPT, [JSON.stringify(spec)]);
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  await new Promise<void>((resolve, reject) => {
    child.once('message', ({ failure }: { failure: string | null }) => {
      if (failure === null) resolve();
      else reject(new Error(`emulators: ${failure}`));
    });
    child.once('exit', (code) => reject(new Error(`emulators: ended with exit code ${code}`)));
  });
  return {
    begin(stage) {
      if (spec.rehearsal && child.connected) child.send(stage);
    },
    stop() {
      child.disconnect();
      return ended;
    },
  };
}
