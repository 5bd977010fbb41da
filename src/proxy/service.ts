/** The data plane of one worker, without its process: messages in, messages out. */
import { createSecureContext } from 'node:tls';
import { AT_LOG_DROPPED, cellsOf } from '../domain/counts.ts';
import { endpointKey, patched } from '../domain/endpoints.ts';
import { type MemorySample, pressureOf } from '../domain/memory-pressure.ts';
import { OLD } from '../domain/route.ts';
import { createSnapshot, withEndpoints, withWeights } from '../domain/snapshot.ts';
import type {
  AttemptsOfEndpoint,
  BackendSpec,
  DownMessage,
  EndpointSpec,
  EndpointsMessage,
  HealthMessage,
  ListenerSpec,
  TableMessage,
  UpMessage,
  WeightsMessage,
} from '../seam.ts';
import { AccessLog } from './access-log.ts';
import { Counts } from './counts.ts';
import { TrustedProxies } from './forwarding.ts';
import { ConnectionCensus, Listener } from './listener.ts';
import { PendingQueue } from './pending-queue.ts';
import { Pool, type PoolTarget } from './pool.ts';
import { RescueBudget } from './rescue-budget.ts';
import { Runtime, type Serving } from './runtime.ts';
import { SWEEP_MS } from './sweeper.ts';

/** Between two messages of evidence that do not wait for the beat. */
const URGENT_MS = 5;
/** None of a backend's endpoints is out. */
const NONE: ReadonlySet<string> = new Set();
const WARM = { forMs: 0, ofMs: 1 };
/** Between two collections of garbage while the worker is at its limit: one takes some tens of milliseconds. */
const COLLECT_MS = 1_000;
const NOTHING: MemorySample = { residentBytes: 0, usedBytes: 0 };
/** Beats between two reports of attempts of which none failed. */
const QUIET_BEATS = 10;

/** How long before the end of a drain busy connections of HTTP/2 are told to go: enough for what their clients ask until they have heard it. */
const LAST_CALL_MS = 5_000;
/** Between the end of the last connections and that of the process. */
const LAST_STEPS_MS = 500;
/** For workers whose supervisor was killed to let go of an address: they are told when this worker is about to listen. */
const RELEASED_MS = 3_000;
const RELEASED_PAUSE_MS = 5;

export interface ServiceHost {
  readonly send: (message: UpMessage) => void;
  /** Of the worker's process. */
  readonly memory: () => MemorySample;
  /** Gives back memory that nothing uses any more, at once. */
  readonly collect: () => void;
  /** Called when a drain is over. */
  readonly exit: () => void;
  readonly sources: ConstructorParameters<typeof Runtime>[1];
}

export class Service {
  readonly #host: ServiceHost;
  readonly #runtime: Runtime;
  readonly #census = new ConnectionCensus();
  readonly #sweep: NodeJS.Timeout;
  #table: TableMessage | null = null;
  /** Secret. The table's, or those that came after it. */
  #ticketKeys: Uint8Array = new Uint8Array();
  #listeners: Listener[] = [];
  /** By backend and address: kept from table to table as long as they are the same. */
  readonly #pools = new Map<string, Pool>();
  readonly #keys = new Map<Pool, string>();
  /** By backend: those of the present table, and others while requests wait in them. */
  readonly #queues = new Map<string, PendingQueue>();
  /** Counts of the present table first, then of older ones that requests still add to. */
  #counts: Counts[] = [];
  /** By backend: keys of endpoints that are not to be used. */
  #out: ReadonlySet<string>[] = [];
  #beats = 0;
  #collectAtMs = Number.NEGATIVE_INFINITY;
  #drainUntilMs = Number.POSITIVE_INFINITY;
  #acceptUntilMs = Number.POSITIVE_INFINITY;
  /** The table that is being put together from messages. */
  #next: Serving = emptyServing();
  /** Listeners no longer configured whose connections go on. */
  #closing: Listener[] = [];
  #sentConnections = '';
  #evidenceTimer: NodeJS.Timeout | undefined;
  #evidenceSentMs = Number.NEGATIVE_INFINITY;
  /** The last table's listeners are being opened; those of the next have to wait. */
  #listening = Promise.resolve();

  constructor(host: ServiceHost) {
    this.#host = host;
    this.#runtime = new Runtime(emptyServing(), host.sources);
    this.#sweep = setInterval(() => this.#onSweep(), SWEEP_MS);
  }

  onMessage(message: DownMessage): void {
    switch (message.kind) {
      case 'table':
        this.#onTable(message);
        break;
      case 'endpoints':
        this.#onEndpoints(message);
        break;
      case 'health':
        this.#onHealth(message);
        break;
      case 'weights':
        this.#onWeights(message);
        break;
      case 'bounds':
        this.#counts.find(({ generation }) => generation === message.generation)?.tallies.setBounds(message.routes);
        break;
      case 'drain':
        this.drain(message.graceMs);
        break;
      case 'ticketKeys':
        this.#ticketKeys = message.ticketKeys;
        for (const listener of this.#listeners) listener.renewTicketKeys(this.#ticketKeys);
        break;
      case 'ping':
        this.#host.send({ kind: 'pong' });
        break;
      case 'flush':
        this.#sendCounts(message.flush, true);
        break;
    }
  }

  #onTable(table: TableMessage): void {
    const before = this.#runtime.serving;
    const counts = new Counts(table.generation, table.routes, this.#onUrgent);
    this.#table = table;
    this.#ticketKeys = table.ticketKeys;
    const kept = new Set(table.backends.map((backend) => JSON.stringify(backend)));
    for (const [key, queue] of this.#queues) if (queue.isEmpty && !kept.has(key)) this.#queues.delete(key);
    this.#renewAccessLog(table);
    this.#out = table.backends.map(() => NONE);
    this.#counts = [counts, ...this.#counts];
    this.#runtime.serving = {
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
    // Endpoints and weights follow at once; until they are here, requests go on by the table before.
    this.#next = this.#runtime.serving;
    if (before.snapshot.generation >= 0) this.#runtime.serving = before;
  }

  /** Its file is opened again with each table, for whoever rotates logs. */
  #renewAccessLog({ accessLog: spec }: TableMessage): void {
    const runtime = this.#runtime;
    if (spec === null) {
      runtime.accessLog?.close();
      runtime.accessLog = null;
    } else if (runtime.accessLog === null) {
      runtime.accessLog = new AccessLog(spec, runtime.random);
    } else {
      runtime.accessLog.renew(spec);
    }
  }

  #onEndpoints(message: EndpointsMessage): void {
    const next = this.#next;
    const table = this.#table;
    if (table === null || message.generation !== next.snapshot.generation) return;
    const backend = table.backends[message.backend] as BackendSpec;
    const before = next.pools[message.backend] as readonly Pool[];
    const added = message.added.map((endpoint) => this.#pool(backend, endpoint));
    const known = patched(before, message.removed, added);
    const pools = next.pools.with(message.backend, known);
    const usable = next.usable.with(message.backend, usablePools(known, this.#out[message.backend] ?? NONE));
    this.#replace({ ...next, snapshot: withEndpoints(next.snapshot, message.backend, message), pools, usable });
    if (this.#runtime.serving === this.#next) {
      for (const index of message.removed) this.#retire(before[index] as Pool);
    }
  }

  #onHealth({ generation, backend, out, warming }: HealthMessage): void {
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

  #onWeights(message: WeightsMessage): void {
    const next = this.#next;
    if (this.#table === null || message.generation !== next.snapshot.generation) return;
    const isFirst = next.snapshot.revision === -1;
    this.#next = { ...next, snapshot: withWeights(next.snapshot, message.revision, message.weights, message.held) };
    this.#runtime.serving = this.#next;
    if (isFirst) {
      // Idle connections rest by the times of the table before.
      this.#runtime.sweeper.wakeAll();
      this.#retirePools();
      const table = this.#table;
      this.#listening = this.#listening.then(() => this.#listen(table));
    }
    this.#host.send({ kind: 'applied', generation: message.generation, revision: message.revision });
  }

  /** A table takes effect with its first weights; later patches at once. */
  #replace(next: Serving): void {
    const isServed = this.#runtime.serving === this.#next && this.#next.snapshot.revision !== -1;
    this.#next = next;
    if (isServed) this.#runtime.serving = next;
  }

  #pool(backend: BackendSpec, endpoint: EndpointSpec): Pool {
    const key = JSON.stringify([backend, endpointKey(endpoint)]);
    const known = this.#pools.get(key);
    if (known !== undefined) return known;
    const pool = new Pool(poolTarget(backend, endpoint), this.#runtime, this.#queue(backend));
    this.#pools.set(key, pool);
    this.#keys.set(pool, key);
    return pool;
  }

  /** Like pools, kept from table to table as long as the backend is the same. */
  #queue(backend: BackendSpec): PendingQueue | null {
    const { pending } = backend;
    if (pending === undefined) return null;
    const key = JSON.stringify(backend);
    const known = this.#queues.get(key) ?? new PendingQueue(pending.requests, pending.waitMs, this.#runtime.flusher);
    this.#queues.set(key, known);
    return known;
  }

  #retirePools(): void {
    const wanted = new Set(this.#runtime.serving.pools.flat());
    for (const pool of this.#pools.values()) if (!wanted.has(pool)) this.#retire(pool);
  }

  #retire(pool: Pool): void {
    this.#pools.delete(this.#keys.get(pool) as string);
    this.#keys.delete(pool);
    pool.retire();
  }

  /** Opens what is new, keeps what is there, closes what is gone; a failure leaves the others as they are. */
  async #listen(table: TableMessage): Promise<void> {
    const kept: Listener[] = [];
    let failure: { address: string; message: string } | null = null;
    for (const spec of table.listeners) {
      const present = this.#listeners.find((listener) => socketKey(listener.spec) === socketKey(spec));
      // Whatever becomes of its new certificate, it goes on.
      if (present !== undefined) kept.push(present);
      try {
        if (present === undefined) kept.push(await this.#open(spec));
        else present.renew(spec, this.#ticketKeys);
      } catch (error) {
        failure ??= { address: spec.address, message: error instanceof Error ? error.message : String(error) };
      }
    }
    this.#closing = this.#closing.filter((listener) => listener.connectionCount > 0);
    for (const listener of this.#listeners) {
      if (kept.includes(listener)) continue;
      listener.stopAccepting();
      this.#closing.push(listener);
    }
    this.#listeners = kept;
    if (!this.#isAccepting) this.#stopAccepting();
    this.#host.send({ kind: 'listening', generation: table.generation, failure });
  }

  async #open(spec: ListenerSpec): Promise<Listener> {
    const untilMs = this.#runtime.clock() + RELEASED_MS;
    for (;;) {
      const listener = new Listener(this.#runtime, this.#census, spec, this.#ticketKeys);
      try {
        await listener.listen();
        // They may have come while the address was waited for.
        listener.renewTicketKeys(this.#ticketKeys);
        return listener;
      } catch (error) {
        if (errnoOf(error) !== 'EADDRINUSE' || this.#runtime.clock() > untilMs) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, RELEASED_PAUSE_MS));
    }
  }

  get #isAccepting(): boolean {
    return this.#acceptUntilMs !== Number.NEGATIVE_INFINITY;
  }

  /**
   * Lets clients go with their next answer, stops accepting after the grace, and exits when the last has gone or the time is over, which
   * comes a little before the supervisor's own.
   */
  drain(graceMs: number): void {
    if (this.#runtime.isDraining) return;
    const nowMs = this.#runtime.clock();
    const drainMs = this.#table?.drainMs ?? 0;
    this.#runtime.drainingSinceMs = nowMs;
    this.#runtime.sweeper.wakeAll();
    this.#runtime.lastCallMs = nowMs + drainMs - Math.min(drainMs / 2, LAST_CALL_MS);
    this.#drainUntilMs = nowMs + drainMs - Math.min(drainMs / 10, LAST_STEPS_MS);
    this.#acceptUntilMs = Math.min(nowMs + graceMs, this.#drainUntilMs);
    if (graceMs === 0) this.#stopAccepting();
  }

  /** Once what waits to be accepted has been, which is done between here and there: closing would reset it. */
  #stopAccepting(): void {
    this.#acceptUntilMs = Number.NEGATIVE_INFINITY;
    setImmediate(() => {
      for (const listener of this.#listeners) listener.stopAccepting();
    });
  }

  #onSweep(): void {
    this.#weigh();
    this.#runtime.sweep();
    this.#runtime.accessLog?.flush();
    for (const { tallies } of this.#counts) tallies.sweep(this.#runtime.nowMs);
    if (!this.#runtime.isDraining) return;
    if (this.#isAccepting) {
      if (this.#runtime.nowMs < this.#acceptUntilMs) return;
      this.#stopAccepting();
    }
    if (this.#runtime.nowMs >= this.#drainUntilMs) {
      for (const listener of [...this.#listeners, ...this.#closing]) listener.destroyConnections();
    }
    if (this.#census.total > 0) return;
    clearInterval(this.#sweep);
    this.#sendEvidence(false);
    this.#sendCounts(0, true);
    const { accessLog } = this.#runtime;
    if (accessLog === null) this.#host.exit();
    else accessLog.finish(this.#host.exit);
  }

  /** Looks at the worker's memory, if that has a limit. */
  #weigh(): void {
    const runtime = this.#runtime;
    const { workerMemoryBytes } = runtime.serving.limits;
    const before = runtime.pressure;
    if (workerMemoryBytes === 0 && before === 'none') return;
    const sample = workerMemoryBytes === 0 ? NOTHING : this.#host.memory();
    runtime.pressure = pressureOf(before, sample, workerMemoryBytes);
    if (runtime.pressure === 'critical' && runtime.nowMs >= this.#collectAtMs) {
      // Much of it may be garbage, which a worker that takes no requests would never come to collect.
      this.#collectAtMs = runtime.nowMs + COLLECT_MS;
      this.#host.collect();
      runtime.pressure = pressureOf(before, this.#host.memory(), workerMemoryBytes);
    }
    if (runtime.pressure === before) return;
    runtime.sweeper.wakeAll();
    const isShedding = runtime.pressure === 'critical';
    if (isShedding === (before === 'critical')) return;
    this.#host.send({ kind: 'shedding', isShedding, residentBytes: sample.residentBytes });
  }

  beat(): void {
    this.#sendEvidence(false);
    this.#sendCounts(0, false);
    this.#sendAttempts();
  }

  /** Faults at once, successes once in a while. */
  #sendAttempts(): void {
    const isDue = ++this.#beats % QUIET_BEATS === 0;
    const endpoints: AttemptsOfEndpoint[] = [];
    for (const [backend, pools] of this.#runtime.serving.pools.entries()) {
      for (const pool of pools) if (pool.hasNews(isDue)) endpoints.push({ backend, ...pool.takeNews() });
    }
    const { generation } = this.#runtime.serving.snapshot;
    if (endpoints.length > 0) this.#host.send({ kind: 'attempts', generation, endpoints });
  }

  /** At once, but no more often than each URGENT_MS. */
  readonly #onUrgent = (): void => {
    if (this.#evidenceTimer !== undefined) return;
    const waitMs = this.#evidenceSentMs + URGENT_MS - this.#runtime.clock();
    this.#evidenceTimer = setTimeout(() => this.#sendEvidence(true), Math.max(0, waitMs));
  };

  #sendEvidence(isUrgent: boolean): void {
    clearTimeout(this.#evidenceTimer);
    this.#evidenceTimer = undefined;
    this.#evidenceSentMs = this.#runtime.clock();
    for (const { generation, tallies } of this.#counts) {
      const rows = tallies.take();
      if (rows !== null) this.#host.send({ kind: 'evidence', generation, isUrgent, ...rows });
    }
  }

  #sendCounts(flush: number, always: boolean): void {
    const connections = this.#listeners.map((listener) => listener.countByProtocol());
    const [present, ...older] = this.#counts;
    if (present === undefined) return;
    for (const counts of older) {
      if (counts.isDirty)
        this.#host.send({ kind: 'counts', generation: counts.generation, flush: 0, ...counts.take(), connections });
    }
    const served = this.#runtime.serving.counts;
    this.#counts = [present, ...older.filter((counts) => counts === served || counts.inflight > 0)];
    const dropped = this.#runtime.accessLog?.takeDropped() ?? 0;
    if (dropped > 0) present.add(present.unroutedRow, cellsOf(present.unroutedRow, OLD) + AT_LOG_DROPPED, dropped);
    const total = JSON.stringify(connections);
    if (!always && !present.isDirty && total === this.#sentConnections) return;
    this.#sentConnections = total;
    this.#host.send({ kind: 'counts', generation: present.generation, flush, ...present.take(), connections });
  }
}

/** Listeners with the same key can share one socket. */
function socketKey(spec: ListenerSpec): string {
  return `${spec.host}:${spec.port}:${spec.tls === undefined ? 'tcp' : 'tls'}`;
}

function emptyServing(): Serving {
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

function poolTarget(backend: BackendSpec, endpoint: EndpointSpec): PoolTarget {
  const { tls, connections, protocol = 'http1' } = backend;
  const { host, port, name = host } = endpoint;
  const key = endpointKey(endpoint);
  if (tls === undefined) return { key, host, port, tls: null, protocol, connections };
  const context = createSecureContext({
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.certificate === undefined ? {} : { cert: tls.certificate }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
  });
  const isName = !/^[\d.]+$|:/.test(name);
  const serverName = tls.serverName ?? (isName ? name : undefined);
  return { key, host, port, tls: { context, serverName, verify: !tls.insecure }, protocol, connections };
}

function errnoOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
