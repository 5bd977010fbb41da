/**
 * The state that this replica serves: from the store, and while the store is away from what is known already. Only newer revisions of
 * the same epoch are taken; anything else that the store may show raises an alarm, and what is served stays.
 */
import type { AuditEntry, Change, State } from '../domain/state.ts';
import { withNewTests } from '../domain/test-since.ts';
import { type CasResult, type Counters, type Store, StoreDiverged, type StoreHealth } from '../store/store.ts';
import { assertFollows, joined } from './follows.ts';

/** The last applied state on this replica's disk. */
export interface LastStateFile {
  /** Undefined when there is none that can be trusted. `savedAt` in milliseconds since 1970. */
  read(): Promise<{ readonly state: State; readonly savedAt: number } | undefined>;
  /** Returns at once. */
  save(state: State): void;
  /** Why the newest state is not there; null: it is. */
  readonly failure: string | null;
}

export interface StateKeeperOptions {
  /** Rejects with StoreUnavailable; tried again each second until it resolves. `known` is what was served last, if that is known. */
  readonly openStore: (known: State | undefined) => Promise<Store>;
  readonly lastState: LastStateFile;
  /** With neither store nor last state: serve everything from old, instead of nothing. */
  readonly bootstrapOld: boolean;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** What is served from now on. */
  onState(state: State): void;
  /** A change has become part of what is served; each once, in order. */
  onEntry(entry: AuditEntry): void;
  /**
   * @param isDisputed it answers, but what does not follow from what is served
   * @param wasDisputed it was so until now
   */
  onHealth(health: StoreHealth, isDisputed: boolean, wasDisputed: boolean): void;
}

/** The store is asked each second, give or take a fifth, so that replicas do not ask all at once. */
const BEAT_MS = 1_000;
const JITTER = 0.2;
/** Most changes told one by one after an absence. */
const CATCH_UP_ENTRIES = 1_000;
const BOOTSTRAP: State = { epoch: '', revision: 0, routes: new Map() };

export class StateKeeper {
  readonly #options: StateKeeperOptions;
  #store: Store | undefined;
  #opening: Promise<Store> | undefined;
  /** Served. */
  #state: State | undefined;
  /** What the store must follow from: what is served, or was by this replica's disk. */
  #known: State | undefined;
  #alarm: string | null = null;
  #isDisputed = false;
  /** Undefined until the store was asked for the first time. */
  #health: StoreHealth | undefined;
  #confirmedAt: number;
  /** Revision up to which changes were told. */
  #told = 0;
  #telling: Promise<void> = Promise.resolve();
  #beat: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: StateKeeperOptions) {
    this.#options = options;
    this.#confirmedAt = options.clock();
  }

  /** Of the store; they reject with StoreUnavailable while it cannot be opened as well. */
  readonly counters: Counters = {
    addCounts: async (...args) => (await this.#opened()).counters.addCounts(...args),
    readEvidence: async (route) => (await this.#opened()).counters.readEvidence(route),
    close: async (...args) => (await this.#opened()).counters.close(...args),
  };

  /** Undefined: nothing is known that could be served. */
  get state(): State | undefined {
    return this.#state;
  }

  get health(): StoreHealth {
    return this.#health ?? { up: false, since: this.#confirmedAt, reason: 'it has not been asked yet' };
  }

  /** Whether what the store answered last does not follow from what is served. */
  get isDisputed(): boolean {
    return this.#isDisputed;
  }

  /** What the store holds does not follow from what is served: why; it stays while the store is away. Null: it does, as far as is known. */
  get alarm(): string | null {
    return this.#alarm;
  }

  /** This replica would start from an older state if the store were away: why; null: it would not. */
  get diskAlarm(): string | null {
    const { failure } = this.#options.lastState;
    return failure === null ? null : `The last state is not on disk: ${failure}`;
  }

  /** Milliseconds since 1970 by the store's clock, or by this replica's before a store was opened. */
  now(): number {
    return this.#store?.now() ?? this.#options.clock();
  }

  /** Since the store last confirmed the state. */
  ageMs(): number {
    return Math.max(0, this.#options.clock() - this.#confirmedAt);
  }

  /** Resolves when the first state is served, or when there is none to be had for now. */
  async start(): Promise<void> {
    const last = await this.#options.lastState.read();
    this.#known = last?.state;
    await this.#confirm();
    if (this.#state === undefined) {
      if (last !== undefined) {
        this.#confirmedAt = last.savedAt;
        this.#serve(last.state);
      } else if (this.#options.bootstrapOld) this.#serve(BOOTSTRAP);
    }
    this.#scheduleBeat();
  }

  #scheduleBeat(): void {
    const pauseMs = BEAT_MS * (1 - JITTER + 2 * JITTER * this.#options.random());
    if (!this.#closed) this.#beat = setTimeout(() => void this.#onBeat(), pauseMs);
  }

  async #onBeat(): Promise<void> {
    await this.#confirm();
    this.#scheduleBeat();
  }

  /** Asks the store, opening it if need be. Never rejects: what went wrong is the new health. */
  async #confirm(): Promise<void> {
    try {
      this.#take(await (await this.#opened()).load());
      if (this.#store !== undefined) this.#note(this.#store.health());
    } catch (error) {
      this.#failed(error as Error);
    }
  }

  #failed(error: Error): void {
    const isDisputed = error instanceof StoreDiverged;
    if (isDisputed) this.#alarm = `${error.message}; nothing is taken or written until somebody adopts`;
    this.#note({ up: false, since: this.#options.clock(), reason: error.message }, isDisputed);
  }

  #opened(): Promise<Store> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async #open(): Promise<Store> {
    const store = await this.#options.openStore(this.#known);
    this.#store = store;
    store.watch((state) => {
      try {
        this.#take(state);
      } catch (error) {
        this.#failed(error as Error);
      }
    });
    return store;
  }

  /** @throws StoreDiverged when it does not follow from what is known */
  #take(state: State): void {
    const served = this.#state;
    if (this.#known !== undefined) assertFollows(this.#known, state);
    this.#alarm = null;
    this.#confirmedAt = this.#options.clock();
    if (served !== undefined && served !== BOOTSTRAP && state.revision === served.revision) return;
    if (served === undefined || served === BOOTSTRAP) this.#told = state.revision;
    this.#known = state;
    this.#options.lastState.save(state);
    this.#serve(state);
    this.#tell(state.revision);
  }

  #serve(state: State): void {
    if (this.#state === undefined) this.#told = state.revision;
    this.#state = state;
    this.#options.onState(state);
  }

  #tell(revision: number): void {
    this.#telling = this.#telling.then(() => this.#tellTo(revision)).catch(() => {});
  }

  async #tellTo(revision: number): Promise<void> {
    const missing = Math.min(revision - this.#told, CATCH_UP_ENTRIES);
    if (missing <= 0 || this.#store === undefined) return;
    const entries = await this.#store.history({ limit: missing, before: revision + 1 });
    for (const entry of entries.toReversed()) if (entry.revision > this.#told) this.#options.onEntry(entry);
    this.#told = revision;
  }

  /** That the store answers from the start is nothing to tell. */
  #note(health: StoreHealth, isDisputed = false): void {
    const before = this.#health ?? { up: true };
    const wasDisputed = this.#isDisputed;
    this.#isDisputed = isDisputed;
    this.#health = health.up || before.up ? health : { ...health, since: before.since };
    if (reasonOf(health) !== reasonOf(before)) this.#options.onHealth(this.#health, isDisputed, wasDisputed);
  }

  /** The store's present state, which is served from now on. Rejects with StoreUnavailable. */
  async refresh(): Promise<State> {
    const store = await this.#opened();
    try {
      this.#take(await store.load());
    } catch (error) {
      if (error instanceof StoreDiverged) this.#failed(error);
      throw error;
    }
    return this.#state as State;
  }

  /** Ends the alarm, by what is served or by what the store holds. Rejects with StoreUnavailable. */
  async adopt(
    keep: 'served' | 'stored',
    who: { readonly actor: string; readonly reason: string },
  ): Promise<AuditEntry> {
    const store = await this.#opened();
    const known = this.#known ?? BOOTSTRAP;
    const state = keep === 'served' ? known : joined(await store.loadAnew(), known);
    const at = this.#options.clock();
    const entry = await store.adopt(withNewTests(state, at), { ...who, verb: 'adopt', at });
    await this.#confirm();
    return entry;
  }

  /** Writes a change; when it resolves with `applied`, the change is being served. Rejects with StoreUnavailable. */
  async compareAndSet(change: Change): Promise<CasResult> {
    const store = await this.#opened();
    // Else a change could be written onto a state that nobody serves.
    if (this.#alarm !== null) throw new StoreDiverged(this.#alarm);
    try {
      const result = await store.compareAndSet(change);
      if (result.kind === 'applied' && (this.#state?.revision ?? -1) < result.entry.revision) await this.refresh();
      return result;
    } finally {
      // That it is well again only the beat may say: it also sees whose state the store holds.
      const health = store.health();
      if (!health.up) this.#note(health);
    }
  }

  /** As of the store. Rejects with StoreUnavailable. */
  async history(query: Parameters<Store['history']>[0]): Promise<readonly AuditEntry[]> {
    return (await this.#opened()).history(query);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#beat);
    await this.#opening?.catch(() => {});
    await this.#telling;
    await this.#store?.close();
  }
}

function reasonOf(health: StoreHealth): string | null {
  return health.up ? null : health.reason;
}
