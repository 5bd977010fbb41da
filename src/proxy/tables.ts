/**
 * What a worker serves by, put together from messages: a table, its endpoints with their health, weights. A table takes effect with its first
 * weights; until then requests go on by the one before. Later patches take effect at once.
 */
import { patched } from '../domain/endpoints.ts';
import { createSnapshot, withEndpoints, withWeights } from '../domain/snapshot.ts';
import type { BackendSpec, EndpointsMessage, HealthMessage, TableMessage, WeightsMessage } from '../seam.ts';
import { Counts } from './counts.ts';
import { TrustedProxies } from './forwarding.ts';
import type { Pool } from './pool.ts';
import { Pools } from './pools.ts';
import { RescueBudget } from './rescue-budget.ts';
import type { Runtime, Serving } from './runtime.ts';

/** None of a backend's endpoints is out. */
const NONE: ReadonlySet<string> = new Set();
const WARM = { forMs: 0, ofMs: 1 };

export class Tables {
  readonly #runtime: Runtime;
  readonly #pools: Pools;
  #table: TableMessage | null = null;
  /** The table that is being put together. */
  #next: Serving = emptyServing();
  /** By backend: keys of endpoints that are not to be used. */
  #out: ReadonlySet<string>[] = [];

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.#pools = new Pools(runtime);
  }

  /** The newest; null: there has been none. */
  get newest(): TableMessage | null {
    return this.#table;
  }

  /** Endpoints and weights follow at once. */
  onTable(table: TableMessage, counts: Counts): void {
    this.#table = table;
    this.#pools.keepQueues(table.backends);
    this.#out = table.backends.map(() => NONE);
    this.#next = {
      snapshot: createSnapshot(table.generation, table.routes, table.backends.length),
      pools: table.backends.map(() => []),
      usable: table.backends.map(() => []),
      budgets: table.routes.map(({ rescue }) => new RescueBudget(rescue.budget)),
      counts,
      trusted: new TrustedProxies(table.trustedProxies),
      override: table.override,
      limits: table.limits,
      requestHeadMs: table.requestHeadMs,
      idleMs: table.idleMs,
    };
    if (this.#runtime.serving.snapshot.generation < 0) this.#runtime.serving = this.#next;
  }

  onEndpoints(message: EndpointsMessage): void {
    const next = this.#next;
    const table = this.#table;
    if (table === null || message.generation !== next.snapshot.generation) return;
    const backend = table.backends[message.backend] as BackendSpec;
    const before = next.pools[message.backend] as readonly Pool[];
    const added = message.added.map((endpoint) => this.#pools.of(backend, endpoint));
    const known = patched(before, message.removed, added);
    const pools = next.pools.with(message.backend, known);
    const usable = next.usable.with(message.backend, usablePools(known, this.#out[message.backend] ?? NONE));
    this.#replace({ ...next, snapshot: withEndpoints(next.snapshot, message.backend, message), pools, usable });
    if (this.#runtime.serving === this.#next) {
      for (const index of message.removed) this.#pools.retire(before[index] as Pool);
    }
  }

  onHealth({ generation, backend, out, warming }: HealthMessage): void {
    const next = this.#next;
    if (generation !== next.snapshot.generation) return;
    const pools = next.pools[backend] as readonly Pool[];
    const warmingBy = new Map(warming.map((one) => [one.key, one]));
    for (const pool of pools) {
      const { forMs, ofMs } = warmingBy.get(pool.target.key) ?? WARM;
      pool.warm(forMs, ofMs);
    }
    this.#out[backend] = new Set(out);
    this.#replace({ ...next, usable: next.usable.with(backend, usablePools(pools, new Set(out))) });
  }

  /** @returns the table, if these are its first and it takes effect; `later`; or `stale` if they are of a table before */
  onWeights(message: WeightsMessage): TableMessage | 'later' | 'stale' {
    const next = this.#next;
    const table = this.#table;
    if (table === null || message.generation !== next.snapshot.generation) return 'stale';
    const isFirst = next.snapshot.revision === -1;
    this.#next = { ...next, snapshot: withWeights(next.snapshot, message.revision, message.weights, message.held) };
    this.#runtime.serving = this.#next;
    if (!isFirst) return 'later';
    // Idle connections rest by the times of the table before.
    this.#runtime.sweeper.wakeAll();
    this.#pools.keep(new Set(this.#next.pools.flat()));
    return table;
  }

  #replace(next: Serving): void {
    const isServed = this.#runtime.serving === this.#next && this.#next.snapshot.revision !== -1;
    this.#next = next;
    if (isServed) this.#runtime.serving = next;
  }
}

/** Before the first table. */
export function emptyServing(): Serving {
  return {
    snapshot: createSnapshot(-1, [], 0),
    pools: [],
    usable: [],
    budgets: [],
    counts: new Counts(-1, []),
    trusted: new TrustedProxies([]),
    override: null,
    limits: {
      headBytes: 16_384,
      fields: 100,
      targetBytes: 8192,
      bodyBytes: 0,
      connections: 0,
      connectionsPerClient: 0,
      concurrentStreams: 1,
      workerMemoryBytes: 0,
    },
    requestHeadMs: 0,
    idleMs: 0,
  };
}

/** Should all be out, for a moment in which messages are on their way, all are used. */
function usablePools(pools: readonly Pool[], out: ReadonlySet<string>): readonly Pool[] {
  if (out.size === 0) return pools;
  const usable = pools.filter(({ target }) => !out.has(target.key));
  return usable.length === 0 ? pools : usable;
}
