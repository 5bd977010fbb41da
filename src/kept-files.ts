/** What a replica keeps on disk from one life to the next, as control knows it; what goes wrong with it is logged. */
import type { PinsFile } from './control/local-rollbacks.ts';
import type { LastStateFile } from './control/state-keeper.ts';
import { LastStateWriter, readLastState } from './store/last-state.ts';
import { readPins, writePins } from './store/pins-file.ts';
import type { createLogger } from './telemetry/log.ts';

type Logger = ReturnType<typeof createLogger>;

/** The state that it served last. */
export function lastStateFile(path: string, logger: Logger): LastStateFile & { close(): Promise<boolean> } {
  const writer = new LastStateWriter(path, {
    clock: Date.now,
    onFailure: (error) => logger.error(`the last state is not on disk: ${error.message}`),
  });
  return {
    save: (state) => writer.save(state),
    get failure() {
      return writer.failure;
    },
    close: () => writer.close(),
    async read() {
      const last = await readLastState(path);
      if (last.kind === 'refused') logger.error(`the last state is not used: ${last.reason}`);
      return last.kind === 'ok' ? last : undefined;
    },
  };
}

/** Its own rollbacks, which the store does not know yet. */
export function pinsFile(path: string, logger: Logger): PinsFile {
  const report = (what: string, error: unknown): void =>
    logger.error(`${path}: rollbacks of this replica ${what}: ${(error as Error).message}`);
  return {
    async read() {
      try {
        return await readPins(path);
      } catch (error) {
        report('are not known any more', error);
        return [];
      }
    },
    save: (pins) => writePins(path, pins).catch((error: unknown) => report('would not outlive a restart', error)),
  };
}
