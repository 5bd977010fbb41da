/**
 * New sides that take no connections: the replica that finds one dead serves its route from old at once and votes, and enough votes take it
 * back for all.
 */
import { eraOf } from '../domain/era.ts';
import type { RouteState, State } from '../domain/state.ts';
import type { NewEvent } from './events.ts';
import type { HeldRoutes } from './held-routes.ts';
import type { RouteJudge } from './route-judge.ts';
import { type Cause, isMovable, JUDGE_ACTORS } from './taking-back.ts';

export interface DeadSideOptions {
  readonly held: HeldRoutes;
  /** What the store shows, without what this replica alone has lowered. */
  readonly state: () => State | undefined;
  /** Of this replica. */
  readonly id: () => string;
  /** Replicas that live, this one included. */
  readonly living: () => number;
  /** Why no endpoint of the new side takes connections; null: one does, or the old side takes none either. */
  readonly probe: (route: string) => Promise<string | null>;
  /** For all replicas. */
  readonly act: (route: string, state: RouteState, cause: Cause) => Promise<void>;
  readonly emit: (event: NewEvent) => void;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Milliseconds, only ever compared with each other. */
  readonly monotonic: () => number;
}

/** Where the votes on a route are counted, and whether it is only advised on. */
type Voted = Pick<RouteJudge, 'settings' | 'votes' | 'vote'>;

/** Between two questions of a replica whether a side is still dead. */
const ASK_AGAIN_MS = 10_000;

export class DeadSide {
  readonly #options: DeadSideOptions;
  readonly #probing = new Set<string>();
  /** When a route's new side was probed last. */
  readonly #probedAt = new Map<string, number>();

  constructor(options: DeadSideOptions) {
    this.#options = options;
  }

  /** Three connections in a row were not taken: if a probe is not taken either, nothing more is sent there from here. */
  async suspect(name: string, route: Voted): Promise<void> {
    if (this.#probing.has(name) || this.#isHeld(name)) return;
    if ((this.#state(name)?.weightPpm ?? 0) === 0) return;
    const failure = await this.#probe(name);
    const state = this.#state(name);
    if (failure === null || state === undefined || state.weightPpm === 0 || this.#isHeld(name)) return;
    if (isMovable(route, state)) this.#hold(name, route, state, deadReason(failure));
  }

  /** A vote is forgotten in time, and was lost when the store was away: who still serves the route from old finds out if it still holds. */
  async voteAgain(name: string, route: Voted): Promise<void> {
    const { id, monotonic } = this.#options;
    if (!this.#isHeld(name) || this.#probing.has(name) || route.votes.includes(id())) return;
    if (monotonic() - (this.#probedAt.get(name) ?? Number.NEGATIVE_INFINITY) < ASK_AGAIN_MS) return;
    const failure = await this.#probe(name);
    const state = this.#state(name);
    if (failure !== null && state !== undefined && this.#isHeld(name) && isMovable(route, state)) {
      this.#vote(name, route, state, deadReason(failure));
    }
  }

  #state(name: string): RouteState | undefined {
    return this.#options.state()?.routes.get(name);
  }

  #isHeld(name: string): boolean {
    return this.#options.held.has(name, this.#options.state());
  }

  async #probe(name: string): Promise<string | null> {
    this.#probing.add(name);
    const failure = await this.#options.probe(name);
    this.#probing.delete(name);
    this.#probedAt.set(name, this.#options.monotonic());
    return failure;
  }

  #hold(name: string, route: Voted, state: RouteState, reason: string): void {
    const { held, emit, clock } = this.#options;
    const actor = JUDGE_ACTORS.deadSide;
    held.hold(name, { actor, reason, at: clock(), revision: state.revision });
    emit({ type: 'pinned', routes: [name], pinned: true, actor, reason });
    this.#vote(name, route, state, reason);
  }

  #vote(name: string, route: Voted, state: RouteState, reason: string): void {
    const { id, living, act } = this.#options;
    if (living() <= 1) void act(name, state, { guard: 'deadSide', reason });
    else route.vote(eraOf(state.testSince ?? 0, state.weightPpm), id());
  }
}

function deadReason(failure: string): string {
  return `the new side is dead: ${failure}`;
}
