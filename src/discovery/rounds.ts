/** So many milliseconds, or until the signal. */
export function pause(ms: number, over: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (over.aborted) return resolve();
    const end = (): void => {
      clearTimeout(timer);
      over.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    over.addEventListener('abort', end);
  });
}

/**
 * Runs rounds one after the other, the first at once, each of the others after the pause in milliseconds that the one before has
 * resolved with, until the signal. A round must not reject.
 */
export async function runRounds(round: () => Promise<number>, over: AbortSignal): Promise<void> {
  for (let pauseMs = 0; !over.aborted; pauseMs = await round()) {
    await pause(pauseMs, over);
    if (over.aborted) return;
  }
}
