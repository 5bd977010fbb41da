/**
 * Rollbacks of this replica alone, for when the store is away: the routes are served from old at once, and are pinned there until the
 * same rollback has been written, whatever the store may show meanwhile. A pin only ever lowers a weight.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { EvidenceNote, RouteState, State } from '../domain/state.ts';
import type { NewEvent } from './events.ts';
import type { Written } from './writer.ts';

/** Who wants a route at old, why and since when (milliseconds since 1970). */
export interface Pin {
  readonly actor: string;
  readonly reason: string;
  readonly at: number;
  /** The test that it is about: once another one runs it is void. Absent: a person's, about whatever there is. */
  readonly testSince?: number;
  /** What the judge went by. */
  readonly evidence?: EvidenceNote;
}

/** Where pins outlive the process. */
export interface PinsFile {
  read(): Promise<readonly SavedPin[]>;
  /** Never rejects. */
  save(pins: readonly SavedPin[]): Promise<void>;
}

/** The routes that were pinned by one request. */
export interface SavedPin extends Pin {
  readonly routes: readonly string[];
}

export interface LocalRollbacksOptions {
  readonly file: PinsFile;
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

const UNWRITTEN = 'on this replica alone, until the store can be written';

type Pins = ReadonlyMap<string, Pin>;

export class LocalRollbacks {
  readonly #options: LocalRollbacksOptions;
  #pins: Pins = new Map();
  /** The last answer of `served`, which is asked again for each route of a view. */
  #last: { readonly state: State; readonly pins: Pins; readonly lowered: State } | undefined;
  readonly #closing = new AbortController();
  #saving: Promise<void> = Promise.resolve();

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

  /** Pins again what was pinned when the process ended, and goes on trying to write it. */
  async restore(): Promise<void> {
    for (const { routes, ...pin } of await this.#options.file.read()) void this.#pin(routes, pin);
  }

  /**
   * Pins the routes from now on; one that is pinned already keeps the reason that it has.
   * @returns resolves when the rollback has been written, or when this replica ends
   */
  pin(routes: readonly string[], pin: Omit<Pin, 'at'>): Promise<void> {
    return this.#pin(routes, { ...pin, at: this.#options.clock() });
  }

  async #pin(routes: readonly string[], pin: Pin): Promise<void> {
    const { actor, reason } = pin;
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
    this.#saving = this.#saving.then(() => this.#options.file.save(byRequest(pins)));
  }

  /** Tries until it is; false: this replica ends before. */
  async #isWritten(routes: readonly string[], pin: Pin): Promise<boolean> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      // Unchanged counts as well: then another replica has written the same. Whatever goes wrong, the pin stays and so does the alarm.
      const written = await this.#options.write(routes, pin).catch(() => undefined);
      if (written !== undefined && written.kind !== 'refused') return true;
      await sleep(this.#options.retryMs, undefined, { signal }).catch(() => {});
    }
    return false;
  }

  /** What is pinned is kept for the next start. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#saving;
  }
}

function byRequest(pins: Pins): SavedPin[] {
  const routes = new Map<Pin, string[]>();
  for (const [route, pin] of pins) {
    const known = routes.get(pin);
    if (known === undefined) routes.set(pin, [route]);
    else known.push(route);
  }
  return [...routes].map(([pin, names]) => ({ ...pin, routes: names }));
}

/** The state with the pinned routes at old. Nothing else differs, revisions neither: they are the store's. @param place where, in words */
export function lowered(state: State, pins: Pins, place = UNWRITTEN): State {
  if (pins.size === 0) return state;
  const routes = new Map(state.routes);
  for (const [name, pin] of pins) {
    const route = routes.get(name);
    if (route !== undefined) routes.set(name, rolledBack(route, pin, place));
  }
  return { ...state, routes };
}

function rolledBack(route: RouteState, { actor, reason, at }: Pin, place: string): RouteState {
  if (route.weightPpm === 0 && route.cutover === 'rolledBack') return route;
  return { ...route, weightPpm: 0, cutover: 'rolledBack', reason: `${reason} (${place})`, actor, at };
}
