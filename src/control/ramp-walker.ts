/**
 * Walks routes through their ramps. Every replica walks: where a ramp is stands in the store, each move is a compare-and-set that names the
 * step it is for, and whoever is slower finds it done. Time is the store's.
 */
import { nextMove, type Obstacles } from '../domain/ramp-move.ts';
import type { RouteState, State } from '../domain/state.ts';
import { noteOf, type Opinion } from './opinion.ts';
import type { Plan } from './plan.ts';
import type { Verbs } from './verbs.ts';

/** Who moves a ramp, as the history names it. */
const ACTOR = 'crossfade/ramp';
const BEAT_MS = 200;

export interface RampWalkerOptions {
  readonly plan: () => Plan;
  /** What the store shows; undefined: nothing is known, or the store does not answer, so that ramps hold. */
  readonly state: () => State | undefined;
  readonly opinion: (route: string) => Opinion;
  /** What this replica sees in the ramp's way; null: it cannot tell yet, and leaves the ramp to others. */
  readonly obstacles: (route: string, state: RouteState) => Omit<Obstacles, 'endpointsAt'> | null;
  readonly verbs: Pick<Verbs, 'progress'>;
  /** Milliseconds since 1970 by the store's clock. */
  readonly now: () => number;
}

export class RampWalker {
  readonly #options: RampWalkerOptions;
  /** Routes that are being moved. */
  readonly #moving = new Map<string, Promise<void>>();
  /** When a side of a route could not be sent to, last. */
  readonly #endpointsAt = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: RampWalkerOptions) {
    this.#options = options;
  }

  /** This state is served from now on. As long as no route is on a ramp, nothing goes off. */
  follow(state: State): void {
    const hasRamp = [...state.routes.values()].some(({ ramp }) => ramp !== undefined);
    if (hasRamp && !this.#isClosed) this.#timer ??= setInterval(() => this.beat(), BEAT_MS);
    if (!hasRamp) this.#rest();
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Makes the moves that are due. */
  beat(): void {
    const state = this.#options.state();
    if (state === undefined) return;
    for (const { spec } of this.#options.plan().routes) {
      const route = state.routes.get(spec.name);
      if (route?.ramp === undefined || this.#moving.has(spec.name)) continue;
      const moving = this.#move(spec.name, route).finally(() => this.#moving.delete(spec.name));
      this.#moving.set(spec.name, moving);
    }
  }

  async #move(name: string, route: RouteState): Promise<void> {
    const { opinion: opinionOf, obstacles: obstaclesOf, now, verbs } = this.#options;
    const obstacles = obstaclesOf(name, route);
    if (obstacles === null) return;
    if (obstacles.endpoints !== null) this.#endpointsAt.set(name, now());
    const opinion = opinionOf(name);
    const move = nextMove(route, opinion, { ...obstacles, endpointsAt: this.#endpointsAt.get(name) }, now());
    if (move === null) return;
    // Refused or lost: the next beat looks again.
    await verbs.progress(name, move.event, { actor: ACTOR, reason: move.reason, evidence: noteOf(opinion) });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#rest();
    await Promise.all(this.#moving.values());
  }
}
