/** Whether a replica may be sent traffic, and what somebody should look at, each in sentences. */
import type { HeldRoutes } from './held-routes.ts';
import type { LocalRollbacks } from './local-rollbacks.ts';
import type { StateKeeper } from './state-keeper.ts';
import type { Supervisor } from './supervisor.ts';

/** Why not ready; null: it is. @param isServed whether a worker serves */
export function lackOfReadiness(
  { keeper, supervisor }: { readonly keeper: StateKeeper; readonly supervisor: Supervisor },
  isServed: boolean,
): string | null {
  const { state, health } = keeper;
  if (state === undefined && !health.up) {
    return `The store does not answer, and no last state is on disk (--bootstrap old serves from old): ${health.reason}`;
  }
  if (!isServed) return 'No worker serves yet';
  const unsynced = supervisor.backends.unsynced();
  return unsynced.length === 0 ? null : `Nobody has said yet which endpoints there are of ${unsynced.join(', ')}`;
}

interface Watched {
  readonly keeper: StateKeeper;
  readonly local: LocalRollbacks;
  readonly held: HeldRoutes;
  readonly supervisor: Supervisor;
}

/** A line each; null: none. @param configuration what is wrong with the one that was loaded last */
export function alarmOf({ keeper, local, held, supervisor }: Watched, configuration: string | null): string | null {
  const failing = supervisor.backends
    .discoveries()
    .map(({ name, alarm }) => (alarm === null ? null : `Backend ${name}: ${alarm}`));
  const dead = held.alarm(keeper.state);
  const ailing = supervisor.backends.ailing();
  const alarms = [keeper.alarm, keeper.diskAlarm, local.alarm, dead, configuration, ...failing, ...ailing].filter(
    (alarm) => alarm !== null,
  );
  return alarms.length === 0 ? null : alarms.join('\n');
}
