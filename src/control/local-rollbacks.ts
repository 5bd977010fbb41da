/**
 * Rollbacks of this replica alone, for when the store is away: the routes are served from old at once, and are pinned there until the
 * same rollback has been written, whatever the store may show meanwhile. A pin only ever lowers a weight.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RouteState, State } from '../domain/state.ts';
import type { NewEvent } from './events.ts';
import type { Written } from './writer.ts';

/** Who wants a route at old, why and since when (milliseconds since 1970). */
export interface Pin {
  readonly actor: string;
  readonly reason: string;
  readonly at: number;
}

export interface LocalRollbacksOptions {
  /** What would be served without pins; undefined: nothing is known. */
  readonly state: () => State | undefined;
  /** Writes the rollback of these routes to the store, as one change. */
  readonly write: (routes: readonly string[], pin: Pin) => Promise<Written>;
  /** Other routes than before are pinned. */
  readonly onChange: () => void;
  readonly emit: (event: NewEvent) => void;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Between two attempts at writing. */
  readonly retryMs: number;
}

type Pins = ReadonlyMap<string, Pin>;

export class LocalRollbacks {
  readonly #options: LocalRollbacksOptions;
  #pins: Pins = new Map();
  /** The last answer of `served`, which is asked again for each route of a view. */
  #last: { readonly state: State; readonly pins: Pins; readonly lowered: State } | undefined;
  readonly #closing = new AbortController();

  constructor(options: LocalRollbacksOptions) {
    this.#options = options;
  }

  /** What is wrong while a route is pinned, in a sentence; else null. */
  get alarm(): string | null {
    const [first] = this.#pins.keys();
    if (first === undefined) return null;
    const others = this.#pins.size - 1;
    const subject = others === 0 ? `Route "${first}" is` : `Route "${first}" and ${others} more are`;
    return `${subject} rolled back on this replica alone, until the store can be written`;
  }

  /** The state as it is to be served; undefined: nothing is known. */
  get served(): State | undefined {
    const pins = this.#pins;
    const state = this.#options.state();
    if (state === undefined) return undefined;
    if (this.#last?.state !== state || this.#last.pins !== pins) {
      this.#last = { state, pins, lowered: lowered(state, pins) };
    }
    return this.#last.lowered;
  }

  /**
   * Pins the routes from now on; one that is pinned already keeps the reason that it has.
   * @returns resolves when the rollback has been written, or when this replica ends
   */
  async pin(routes: readonly string[], actor: string, reason: string): Promise<void> {
    const pin = { actor, reason, at: this.#options.clock() };
    const fresh = routes.filter((route) => !this.#pins.has(route));
    if (fresh.length === 0) return;
    this.#change(new Map([...this.#pins, ...fresh.map((route) => [route, pin] as const)]));
    this.#options.emit({ type: 'pinned', routes: fresh, pinned: true, actor, reason });
    if (!(await this.#isWritten(fresh, pin))) return;
    const written = new Set(fresh);
    this.#change(new Map([...this.#pins].filter(([route]) => !written.has(route))));
    this.#options.emit({ type: 'pinned', routes: fresh, pinned: false, actor, reason });
  }

  #change(pins: Pins): void {
    this.#pins = pins;
    this.#options.onChange();
  }

  /** Tries until it is; false: this replica ends before. */
  async #isWritten(routes: readonly string[], pin: Pin): Promise<boolean> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      // Unchanged counts as well: then another replica has written the same.
      if ((await this.#options.write(routes, pin)).kind !== 'refused') return true;
      await sleep(this.#options.retryMs, undefined, { signal }).catch(() => {});
    }
    return false;
  }

  close(): void {
    this.#closing.abort();
  }
}

/** The state with the pinned routes at old. Nothing else differs, revisions neither: they are the store's. */
export function lowered(state: State, pins: Pins): State {
  if (pins.size === 0) return state;
  const routes = new Map(state.routes);
  for (const [name, pin] of pins) {
    const route = routes.get(name);
    if (route !== undefined) routes.set(name, rolledBack(route, pin));
  }
  return { ...state, routes };
}

function rolledBack(route: RouteState, { actor, reason, at }: Pin): RouteState {
  if (route.weightPpm === 0 && route.cutover === 'rolledBack') return route;
  const place = 'on this replica alone, until the store can be written';
  return { ...route, weightPpm: 0, cutover: 'rolledBack', reason: `${reason} (${place})`, actor, at };
}
