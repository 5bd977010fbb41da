import type { Act, AuditEntry, Change, State } from '../../src/domain/state.ts';
import { BUCKET_MS } from '../../src/store/counters.ts';
import { adopt, applyEntries, decide } from '../../src/store/decide.ts';
import { MemoryCounters } from '../../src/store/memory-counters.ts';
import { type CasResult, type Store, type StoreHealth, StoreUnavailable } from '../../src/store/store.ts';

/** A store without a file, which can be away, and in which others may write at the worst moment. */
export class MemoryStore implements Store {
  state: State;
  away = false;
  /** Called once, after the next writer has read and before it writes. */
  beforeWrite: (() => void) | undefined;
  readonly #history: AuditEntry[] = [];
  readonly #watchers = new Set<(state: State) => void>();

  constructor(epoch = 'e') {
    this.state = { epoch, revision: 0, routes: new Map() };
  }

  readonly fleet = null;
  /** Milliseconds since 1970. */
  clock = Date.now;

  now(): number {
    return this.clock();
  }

  readonly counters = new MemoryCounters(BUCKET_MS, Date.now);

  loadAnew(): Promise<State> {
    return this.load();
  }

  async adopt(state: State, act: Act): Promise<AuditEntry> {
    this.#assertThere();
    const adopted = adopt(this.state, state, act, `${this.state.epoch}+`);
    this.state = adopted.state;
    this.#history.unshift(adopted.entry);
    for (const watcher of this.#watchers) watcher(this.state);
    return adopted.entry;
  }

  async load(): Promise<State> {
    this.#assertThere();
    return this.state;
  }

  async compareAndSet(change: Change): Promise<CasResult> {
    this.#assertThere();
    const { beforeWrite } = this;
    this.beforeWrite = undefined;
    beforeWrite?.();
    return this.put(change);
  }

  /** As another writer does. */
  put(change: Change): CasResult {
    const result = decide(this.state, change);
    if (result.kind === 'applied') {
      this.state = applyEntries(this.state, [result.entry]);
      this.#history.unshift(result.entry);
      for (const watcher of this.#watchers) watcher(this.state);
    }
    return result;
  }

  /** Another writer sets a route. */
  set(route: string, weightPpm: number): void {
    const expected = this.state.routes.get(route)?.revision ?? 0;
    const next = { weightPpm, cutover: 'steady', frozen: false } as const;
    const { epoch } = this.state;
    this.put({ epoch, verb: 'set', actor: 'other', reason: '', at: 1, routes: [{ route, expected, next }] });
  }

  watch(onState: (state: State) => void): () => void {
    this.#watchers.add(onState);
    return () => this.#watchers.delete(onState);
  }

  async history({ limit, route, before = Number.POSITIVE_INFINITY }: Parameters<Store['history']>[0]) {
    this.#assertThere();
    return this.#history
      .filter(({ revision }) => revision < before)
      .filter(({ routes }) => route === undefined || routes.some((touched) => touched.route === route))
      .slice(0, limit);
  }

  health(): StoreHealth {
    return this.away ? { up: false, since: 0, reason: 'away' } : { up: true };
  }

  async close(): Promise<void> {
    this.#watchers.clear();
  }

  #assertThere(): void {
    if (this.away) throw new StoreUnavailable('away');
  }
}
