/** How a route is taken back without being asked: why, by whom, and written for all or, where the store does not take it, on this replica. */
import type { EvidenceNote, RouteState } from '../domain/state.ts';
import type { Guard, Verdict } from '../domain/verdict.ts';
import type { RefusalCode } from './control.ts';
import { noteOf, type Opinion } from './opinion.ts';
import type { RouteJudge } from './route-judge.ts';
import type { Written } from './writer.ts';

/** Who took a route back, as the history names it. */
export const JUDGE_ACTORS = {
  comparison: 'crossfade/judge',
  ceiling: 'crossfade/ceiling',
  deadSide: 'crossfade/dead-side',
} as const;

/** What takes a route back. */
export interface Cause {
  readonly guard: Guard | 'deadSide';
  readonly reason: string;
}

/** Who takes a route back, why, and what it went by. */
export interface TakeBack {
  readonly actor: string;
  readonly reason: string;
  readonly evidence: EvidenceNote;
}

export interface TakingBackOptions {
  /** Writes the rollback, unless another test runs by then. */
  readonly takeBack: (route: string, testSince: number, act: TakeBack) => Promise<Written>;
  /** Lowers the route on this replica until the same is written, or another test runs. */
  readonly pin: (route: string, testSince: number, act: TakeBack) => void;
  /** By what all replicas have counted. */
  readonly opinion: (route: string) => Opinion;
}

/** So many replicas that find a side dead speak for all. */
const ENOUGH_VOTES = 2;
/** Refusals by which nothing is said of the route itself. */
const UNWRITTEN: ReadonlySet<RefusalCode> = new Set(['storeUnavailable', 'storeDisputed']);

/** Null: the route stays where it is. @param votes replicas that find its new side dead */
export function causeOf(verdict: Verdict, votes: readonly string[]): Cause | null {
  if (verdict.kind === 'breach') return verdict;
  if (votes.length < ENOUGH_VOTES) return null;
  const reason = `${votes.length} replicas find that the new side takes no connections: ${votes.join(', ')}`;
  return { guard: 'deadSide', reason };
}

/** Whether anybody but a person may move the route. */
export function isMovable({ settings }: Pick<RouteJudge, 'settings'>, { frozen }: RouteState): boolean {
  return !frozen && !settings.adviseOnly;
}

export class TakingBack {
  readonly #options: TakingBackOptions;
  /** Routes whose rollback is being written. */
  readonly #acting = new Set<string>();

  constructor(options: TakingBackOptions) {
    this.#options = options;
  }

  /** For all replicas; for this one, if the store does not take it. */
  async act(route: string, { testSince }: RouteState, { guard, reason }: Cause): Promise<void> {
    if (this.#acting.has(route) || testSince === undefined) return;
    this.#acting.add(route);
    try {
      const act = { actor: JUDGE_ACTORS[guard], reason, evidence: noteOf(this.#options.opinion(route)) };
      const written = await this.#options.takeBack(route, testSince, act);
      if (written.kind === 'refused' && UNWRITTEN.has(written.code)) this.#options.pin(route, testSince, act);
    } finally {
      this.#acting.delete(route);
    }
  }

  /** For this replica, by what it has seen itself. */
  actAlone(route: string, testSince: number, { guard, reason }: Cause, opinion: Opinion): void {
    this.#options.pin(route, testSince, { actor: JUDGE_ACTORS[guard], reason, evidence: noteOf(opinion) });
  }
}
