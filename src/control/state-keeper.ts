/**
 * The state that this replica serves: from the store, and while the store is away from what is known already. Only newer revisions of
 * the same epoch are taken; anything else that the store may show raises an alarm, and what is served stays.
 */
import type { AuditEntry, Change, State } from '../domain/state.ts';
import { type CasResult, type Store, type StoreHealth, StoreUnavailable } from '../store/store.ts';

/** The last applied state on this replica's disk. */
export interface LastStateFile {
  /** Undefined when there is none that can be trusted. `savedAt` in milliseconds since 1970. */
  read(): Promise<{ readonly state: State; readonly savedAt: number } | undefined>;
  /** Returns at once. */
  save(state: State): void;
}

export interface StateKeeperOptions {
  /** Rejects with StoreUnavailable; tried again each second until it resolves. */
  readonly openStore: () => Promise<Store>;
  readonly lastState: LastStateFile;
  /** With neither store nor last state: serve everything from old, instead of nothing. */
  readonly bootstrapOld: boolean;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** What is served from now on. */
  onState(state: State): void;
  /** A change has become part of what is served; each once, in order. */
  onEntry(entry: AuditEntry): void;
  onHealth(health: StoreHealth): void;
}

const BEAT_MS = 1_000;
/** Most changes told one by one after an absence. */
const CATCH_UP_ENTRIES = 1_000;
const BOOTSTRAP: State = { epoch: '', revision: 0, routes: new Map() };

export class StateKeeper {
  readonly #options: StateKeeperOptions;
  #store: Store | undefined;
  #opening: Promise<Store> | undefined;
  #state: State | undefined;
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

  /** Undefined: nothing is known that could be served. */
  get state(): State | undefined {
    return this.#state;
  }

  get health(): StoreHealth {
    return this.#health ?? { up: false, since: this.#confirmedAt, reason: 'it has not been asked yet' };
  }

  /** Since the store last confirmed the state. */
  ageMs(): number {
    return Math.max(0, this.#options.clock() - this.#confirmedAt);
  }

  /** Resolves when the first state is served, or when there is none to be had for now. */
  async start(): Promise<void> {
    await this.#confirm();
    if (this.#state === undefined) {
      const last = await this.#options.lastState.read();
      if (last !== undefined) {
        this.#confirmedAt = last.savedAt;
        this.#serve(last.state);
      } else if (this.#options.bootstrapOld) this.#serve(BOOTSTRAP);
    }
    this.#scheduleBeat();
  }

  #scheduleBeat(): void {
    if (!this.#closed) this.#beat = setTimeout(() => void this.#onBeat(), BEAT_MS);
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
      this.#note({ up: false, since: this.#options.clock(), reason: (error as Error).message });
    }
  }

  #opened(): Promise<Store> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async #open(): Promise<Store> {
    const store = await this.#options.openStore();
    this.#store = store;
    store.watch((state) => {
      try {
        this.#take(state);
      } catch (error) {
        this.#note({ up: false, since: this.#options.clock(), reason: (error as Error).message });
      }
    });
    return store;
  }

  /** @throws StoreUnavailable when it is not a successor of what is served */
  #take(state: State): void {
    const known = this.#state;
    if (known !== undefined && known !== BOOTSTRAP) {
      if (state.epoch !== known.epoch) {
        throw new StoreUnavailable(`The store holds another epoch (${state.epoch}) than is served (${known.epoch})`);
      }
      if (state.revision < known.revision) {
        throw new StoreUnavailable(`The store fell back to revision ${state.revision}; ${known.revision} is served`);
      }
    }
    this.#confirmedAt = this.#options.clock();
    if (state.revision === known?.revision && known !== BOOTSTRAP) return;
    if (known === undefined || known === BOOTSTRAP) this.#told = state.revision;
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
  #note(health: StoreHealth): void {
    const before = this.#health ?? { up: true };
    this.#health = health.up || before.up ? health : { ...health, since: before.since };
    if (reasonOf(health) !== reasonOf(before)) this.#options.onHealth(this.#health);
  }

  /** The store's present state, which is served from now on. Rejects with StoreUnavailable. */
  async refresh(): Promise<State> {
    const store = await this.#opened();
    this.#take(await store.load());
    return this.#state as State;
  }

  /** Writes a change; when it resolves with `applied`, the change is being served. Rejects with StoreUnavailable. */
  async compareAndSet(change: Change): Promise<CasResult> {
    const store = await this.#opened();
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
