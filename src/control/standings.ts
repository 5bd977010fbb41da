/**
 * What a route's view says beside what each request changes: kept, the same object for as long as it says the same, since of five hundred
 * routes that are looked at each second most are as they were a second ago.
 */
import { ppmToPercent } from '../domain/route.ts';
import type { RouteState } from '../domain/state.ts';
import type { RouteView, SideView } from './route-view.ts';
import { isSame } from './same.ts';

/** A side without its counts. */
export type BackendSight = Pick<SideView, 'backend' | 'endpoints' | 'ailing'>;

/** All that a standing says. What it names is never changed: another one is put in its place. */
export interface Sight {
  readonly name: string;
  readonly state: RouteState;
  /** What is wrong with the store, while ramps hold; null: nothing. */
  readonly away: string | null;
  readonly old: BackendSight;
  readonly new: BackendSight;
  readonly verdict: RouteView['evidence']['verdict'];
  readonly threshold: number;
  readonly ramp: RouteView['ramp'];
  readonly replicas: number;
  readonly of: number;
}

export class Standings {
  readonly #kept = new Map<string, { readonly sight: Sight; readonly standing: RouteView }>();

  of(sight: Sight): RouteView {
    const kept = this.#kept.get(sight.name);
    if (kept !== undefined && isOfTheSame(kept.sight, sight)) return kept.standing;
    const made = standingOf(sight);
    // What was read again, a ramp as it is by now, may say what it said before.
    const standing = kept !== undefined && isSame(kept.standing, made) ? kept.standing : made;
    this.#kept.set(sight.name, { sight, standing });
    return standing;
  }

  /** Routes that are not among these are no more. */
  keepOnly(names: ReadonlySet<string>): void {
    for (const name of this.#kept.keys()) if (!names.has(name)) this.#kept.delete(name);
  }
}

/** Member by member, without a list of them: asked for each route each second. */
function isOfTheSame(one: Sight, other: Sight): boolean {
  return (
    one.state === other.state &&
    one.away === other.away &&
    one.old === other.old &&
    one.new === other.new &&
    one.verdict === other.verdict &&
    one.threshold === other.threshold &&
    one.ramp === other.ramp &&
    one.replicas === other.replicas &&
    one.of === other.of
  );
}

/** @returns counts at 0, the evidence without value and reason, and no time of `applied` */
function standingOf({ name, state, away, verdict, threshold, ramp, replicas, of, ...sides }: Sight): RouteView {
  const { weightPpm, revision, cutover, reason, frozen, from } = state;
  return {
    name,
    weight: ppmToPercent(weightPpm),
    revision,
    state: away !== null && cutover === 'ramping' ? 'held' : cutover,
    reason,
    frozen,
    from: cutover === 'rolledBack' && from !== undefined ? ppmToPercent(from) : null,
    old: { ...sides.old, requests: 0, faults: 0 },
    new: { ...sides.new, requests: 0, faults: 0 },
    evidence: { value: 0, threshold, verdict, reason: '' },
    ramp,
    applied: { replicas, of, ms: null },
  };
}
