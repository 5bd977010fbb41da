/** What a replica is told by signals. */
import type { ControlPlane } from './control/control-plane.ts';

/** Signals to stop that come closer together than this are one. */
const SAME_WISH_MS = 1_000;

/** SIGHUP reloads, one after the other; SIGUSR2 puts new workers in place of the old. Resolves at the first SIGTERM or SIGINT; a second one ends the workers with all that they do. */
export function stopSignal(plane: ControlPlane, onReload: () => Promise<void>): Promise<void> {
  let reloads = Promise.resolve();
  process.on('SIGUSR2', () => plane.restartWorkers());
  process.on('SIGHUP', () => {
    reloads = reloads.then(onReload);
  });
  return new Promise((resolve) => {
    let stoppingSince = Number.POSITIVE_INFINITY;
    const onStop = (): void => {
      const now = performance.now();
      // A terminal's ^C arrives twice when npm passes it on as well: that is one wish, not a second.
      if (now - stoppingSince > SAME_WISH_MS) plane.kill();
      stoppingSince = Math.min(stoppingSince, now);
      resolve();
    };
    process.on('SIGTERM', onStop).on('SIGINT', onStop);
  });
}
