/** The embedded default: the state of a fleet of one in a local file (journal.ts), held by one process at a time (lock-file.ts). */
import { dirname } from 'node:path';
import type { Act, AuditEntry, Change, State } from '../domain/state.ts';
import { BUCKET_MS, type Counters } from './counters.ts';
import { adopt, applyEntries, decide } from './decide.ts';
import { Journal } from './journal.ts';
import { lockFile } from './lock-file.ts';
import { MemoryCounters } from './memory-counters.ts';
import { checkedChange } from './records.ts';
import { makeFolder } from './replace-file.ts';
import { type CasResult, type Store, type StoreHealth, StoreUnavailable } from './store.ts';

/** Audit entries that stay queryable, at least. */
const HISTORY_ENTRIES = 1000;

export interface FileStoreOptions {
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** The epoch of a file that is made new. */
  readonly randomId: () => string;
  /** What an operator should know though the store works. */
  readonly onWarning: (message: string) => void;
}

/**
 * Opens the file, or makes it and its directory. Rejects with StoreUnavailable, saying the place and what to do, when the file cannot be
 * used, is damaged, or is held by another process.
 */
export async function openFileStore(path: string, options: FileStoreOptions): Promise<Store> {
  try {
    await makeFolder(dirname(path));
    const unlock = await lockFile(`${path}.lock`);
    try {
      const initial = (): State => ({ epoch: options.randomId(), revision: 0, routes: new Map() });
      const { journal, content } = await Journal.open(path, initial, options.onWarning);
      return new FileStore(path, options, journal, unlock, content.state, content.history);
    } catch (error) {
      await unlock();
      throw error;
    }
  } catch (error) {
    const { message } = error as Error;
    throw new StoreUnavailable(message.startsWith(path) ? message : `${path}: ${message}`, { cause: error });
  }
}

interface Waiting {
  readonly change: Change;
  readonly resolve: (result: CasResult) => void;
  readonly reject: (reason: Error) => void;
}

class FileStore implements Store {
  readonly fleet = null;
  readonly counters: Counters;
  readonly #path: string;
  readonly #options: FileStoreOptions;
  readonly #journal: Journal;
  readonly #unlock: () => Promise<void>;
  /** What is durable; nothing else is ever shown. */
  #state: State;
  /** Oldest first, up to twice the entries that are promised. */
  readonly #history: AuditEntry[];
  readonly #waiting: Waiting[] = [];
  readonly #watchers = new Set<{ readonly onState: (state: State) => void }>();
  #committing: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #health: StoreHealth = { up: true };

  constructor(
    path: string,
    options: FileStoreOptions,
    journal: Journal,
    unlock: () => Promise<void>,
    state: State,
    history: readonly AuditEntry[],
  ) {
    this.#path = path;
    this.#options = options;
    this.counters = new MemoryCounters(BUCKET_MS, options.clock);
    this.#journal = journal;
    this.#unlock = unlock;
    this.#state = state;
    this.#history = history.slice(-2 * HISTORY_ENTRIES);
  }

  async load(): Promise<State> {
    this.#assertOpen();
    return this.#state;
  }

  async compareAndSet(change: Change): Promise<CasResult> {
    this.#assertOpen();
    const checked = checkedChange(change);
    return new Promise<CasResult>((resolve, reject) => {
      this.#waiting.push({ change: checked, resolve, reject });
      this.#committing ??= this.#commitAll();
    });
  }

  loadAnew(): Promise<State> {
    return this.load();
  }

  /** History with a gap before the entry is left out: a journal's revisions are consecutive. */
  async adopt(state: State, act: Act): Promise<AuditEntry> {
    while (this.#committing !== undefined) await this.#committing;
    this.#assertOpen();
    const adopting = this.#adopt(state, act);
    this.#committing = adopting.then(
      () => this.#commitAll(),
      () => this.#commitAll(),
    );
    return adopting;
  }

  async #adopt(state: State, act: Act): Promise<AuditEntry> {
    const adopted = adopt(this.#state, state, act, this.#options.randomId());
    const { revision } = adopted.entry;
    const older = revision === this.#state.revision + 1 ? this.#history.slice(1 - HISTORY_ENTRIES) : [];
    const history = [...older, adopted.entry];
    try {
      await this.#journal.compact(adopted.state, history);
    } catch (error) {
      const reason = `${this.#path}: ${(error as Error).message}`;
      this.#down(reason);
      throw new StoreUnavailable(reason, { cause: error });
    }
    this.#health = { up: true };
    this.#history.splice(0, this.#history.length, ...history);
    this.#publish(adopted.state);
    return adopted.entry;
  }

  watch(onState: (state: State) => void): () => void {
    const watcher = { onState };
    this.#watchers.add(watcher);
    return () => {
      this.#watchers.delete(watcher);
    };
  }

  async history(query: { limit: number; route?: string; before?: number }): Promise<readonly AuditEntry[]> {
    this.#assertOpen();
    const { limit, route, before = Number.POSITIVE_INFINITY } = query;
    const found: AuditEntry[] = [];
    for (let i = this.#history.length - 1; i >= 0 && found.length < limit; i--) {
      const entry = this.#history[i] as AuditEntry;
      if (entry.revision >= before) continue;
      if (route === undefined || entry.routes.some((touched) => touched.route === route)) found.push(entry);
    }
    return found;
  }

  health(): StoreHealth {
    return this.#health;
  }

  now(): number {
    return this.#options.clock();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#committing;
    this.#down(`${this.#path}: closed`);
    this.#watchers.clear();
    await this.#journal.close();
    await this.#unlock();
  }

  /** Changes that arrive while others are being synced share the next write and sync. */
  async #commitAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#commit(this.#waiting.splice(0));
      if (this.#journal.compactionDue()) await this.#compact();
    }
    this.#committing = undefined;
  }

  async #commit(batch: readonly Waiting[]): Promise<void> {
    const results: CasResult[] = [];
    const entries: AuditEntry[] = [];
    const states: State[] = [];
    for (const { change } of batch) {
      const tip = states.at(-1) ?? this.#state;
      const result = decide(tip, change);
      results.push(result);
      if (result.kind !== 'applied') continue;
      entries.push(result.entry);
      states.push(applyEntries(tip, [result.entry]));
    }
    try {
      if (entries.length > 0) await this.#append(entries);
    } catch (error) {
      const reason = `${this.#path}: ${(error as Error).message}`;
      this.#down(reason);
      for (const { reject } of batch) reject(new StoreUnavailable(reason, { cause: error }));
      return;
    }
    for (const [i, { resolve }] of batch.entries()) resolve(results[i] as CasResult);
    for (const state of states) this.#publish(state);
  }

  async #append(entries: readonly AuditEntry[]): Promise<void> {
    await this.#journal.append(entries, this.#state, this.#history);
    this.#health = { up: true };
    this.#history.push(...entries);
    if (this.#history.length > 2 * HISTORY_ENTRIES) this.#history.splice(0, this.#history.length - HISTORY_ENTRIES);
  }

  #publish(state: State): void {
    this.#state = state;
    for (const { onState } of this.#watchers) {
      try {
        onState(state);
      } catch (error) {
        this.#options.onWarning(`revision ${state.revision}: a watcher failed: ${String(error)}`);
      }
    }
  }

  async #compact(): Promise<void> {
    try {
      await this.#journal.compact(this.#state, this.#history.slice(-HISTORY_ENTRIES));
    } catch (error) {
      this.#options.onWarning(`${this.#path}: not compacted, goes on growing: ${(error as Error).message}; make room`);
    }
  }

  #down(reason: string): void {
    this.#health = { up: false, since: this.#health.up ? this.#options.clock() : this.#health.since, reason };
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new StoreUnavailable(`${this.#path}: closed`);
  }
}
