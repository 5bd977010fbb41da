import type { RollbackMark } from './latch.ts';
import type { Ramp } from './ramp.ts';

/** A route's control state (what the operator sees it doing). */
export type Cutover = 'steady' | 'ramping' | 'paused' | 'held' | 'rolledBack' | 'completed';

/** What the fleet shares about one route. */
export interface RouteState {
  /** The global revision of the change that wrote this; the route's ETag. Never falls. */
  readonly revision: number;
  readonly weightPpm: number;
  readonly cutover: Cutover;
  /** A frozen route refuses to be raised. */
  readonly frozen: boolean;
  /**
   * Names the route's running test, and says when it began: in seconds since 1970 by the clock of whoever began it, later than every earlier
   * test of the route. Absent: the route was never above 0.
   */
  readonly testSince?: number;
  /** That is under way, or that a rollback has ended; absent: none. */
  readonly ramp?: Ramp;
  /** The weight that a rollback took away, while it is rolled back. */
  readonly from?: number;
  /** The last rollbacks, for the latch; absent: none. */
  readonly rollbacks?: readonly RollbackMark[];
  /** Why it is where it is, in the words of whoever wrote it. */
  readonly reason: string;
  readonly actor: string;
  /** When, in milliseconds since 1970. */
  readonly at: number;
}

export interface State {
  /** Random id, made once when a store is first initialised and again only by `adopt`. */
  readonly epoch: string;
  /** Rises by one with every change. */
  readonly revision: number;
  readonly routes: ReadonlyMap<string, RouteState>;
  /** Epochs that adoptions have put an end to, in favour of this one; absent: none. */
  readonly lineage?: readonly string[];
}

/** Who does what, why and when; `at` in milliseconds since 1970. */
export type Act = Pick<AuditEntry, 'at' | 'verb' | 'actor' | 'reason' | 'evidence' | 'forced'>;

/**
 * The verbs of the admin API, the CLI and the audit. `init` is the first appearance of a route in the store; `hold` and `release` are a
 * ramp's own.
 */
export type Verb =
  | 'init'
  | 'set'
  | 'ramp'
  | 'step'
  | 'pause'
  | 'resume'
  | 'promote'
  | 'rollback'
  | 'undo'
  | 'freeze'
  | 'unfreeze'
  | 'adopt'
  | 'hold'
  | 'release';

/** The part of a RouteState that a change decides; the store adds the rest. */
export type RoutePosition = Pick<
  RouteState,
  'weightPpm' | 'cutover' | 'frozen' | 'testSince' | 'ramp' | 'from' | 'rollbacks'
>;

/** One compare-and-set over one or more routes: all of it happens or none. */
export interface Change extends Act {
  /** The epoch that the writer read. */
  readonly epoch: string;
  readonly routes: readonly RouteChange[];
}

export interface RouteChange {
  readonly route: string;
  /** The revision the writer read; 0: the route must not exist yet. */
  readonly expected: number;
  readonly next: RoutePosition;
}

/** One line of the history: an applied change with what was there before. */
export interface AuditEntry {
  readonly revision: number;
  /** Milliseconds since 1970, by the writer's clock. */
  readonly at: number;
  readonly verb: Verb;
  /** `crossfade/…`: not a person. */
  readonly actor: string;
  readonly reason: string;
  /** What the judge said of the route, where it was asked. */
  readonly evidence?: EvidenceNote;
  /** A guard was overruled. */
  readonly forced?: true;
  readonly routes: readonly {
    readonly route: string;
    readonly before: RoutePosition | null;
    readonly after: RoutePosition;
  }[];
}

/** What was judged when a route was moved, held or taken back. */
export interface EvidenceNote {
  readonly verdict: 'healthy' | 'inconclusive' | 'breach';
  /** A breach from `threshold` on. */
  readonly value: number;
  readonly threshold: number;
  /** One sentence of raw counts. */
  readonly reason: string;
  /** Judged at the weight that the route had. */
  readonly newRequests: number;
  /** That the reason tells, of the running test; a fault is what it speaks of. Absent: nothing was judged. */
  readonly counts?: {
    readonly oldRequests: number;
    readonly oldFaults: number;
    readonly newRequests: number;
    readonly newFaults: number;
  };
}

/** Whether it was not a person who acted. */
export function isMachine(actor: string): boolean {
  return actor.startsWith('crossfade/');
}

/** Of a route's state, or of anything that has more, only what a change decides. */
export function positionOf(position: RoutePosition): RoutePosition {
  const { weightPpm, cutover, frozen, testSince, ramp, from, rollbacks } = position;
  return {
    weightPpm,
    cutover,
    frozen,
    ...(testSince !== undefined && { testSince }),
    ...(ramp !== undefined && { ramp }),
    ...(from !== undefined && { from }),
    ...(rollbacks !== undefined && { rollbacks }),
  };
}

/** Of a change, or of anything that has more, only who does what, why and when. */
export function actOf({ at, verb, actor, reason, evidence, forced }: Act): Act {
  return { at, verb, actor, reason, ...(evidence !== undefined && { evidence }), ...(forced && { forced }) };
}
