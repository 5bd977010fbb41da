/** The pools of a worker, and the queues of those who wait for them: kept from table to table as long as backend and endpoint are the same. */
import { createSecureContext } from 'node:tls';
import { endpointKey } from '../domain/endpoints.ts';
import type { BackendSpec, EndpointSpec } from '../seam.ts';
import { PendingQueue } from './pending-queue.ts';
import { Pool, type PoolTarget } from './pool.ts';
import type { Runtime } from './runtime.ts';

export class Pools {
  readonly #runtime: Runtime;
  /** By backend and address. */
  readonly #pools = new Map<string, Pool>();
  readonly #keys = new Map<Pool, string>();
  /** By backend: those of the present table, and others while requests wait in them. */
  readonly #queues = new Map<string, PendingQueue>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  of(backend: BackendSpec, endpoint: EndpointSpec): Pool {
    const key = JSON.stringify([backend, endpointKey(endpoint)]);
    const known = this.#pools.get(key);
    if (known !== undefined) return known;
    const pool = new Pool(poolTarget(backend, endpoint), this.#runtime, this.#queue(backend));
    this.#pools.set(key, pool);
    this.#keys.set(pool, key);
    return pool;
  }

  #queue(backend: BackendSpec): PendingQueue | null {
    const { pending } = backend;
    if (pending === undefined) return null;
    const key = JSON.stringify(backend);
    const known = this.#queues.get(key) ?? new PendingQueue(pending.requests, pending.waitMs, this.#runtime.flusher);
    this.#queues.set(key, known);
    return known;
  }

  /** Lets go of queues in which nobody waits, but for those of these backends. */
  keepQueues(backends: readonly BackendSpec[]): void {
    const kept = new Set(backends.map((backend) => JSON.stringify(backend)));
    for (const [key, queue] of this.#queues) if (queue.isEmpty && !kept.has(key)) this.#queues.delete(key);
  }

  /** Retires all others. */
  keep(wanted: ReadonlySet<Pool>): void {
    for (const pool of this.#pools.values()) if (!wanted.has(pool)) this.retire(pool);
  }

  retire(pool: Pool): void {
    this.#pools.delete(this.#keys.get(pool) as string);
    this.#keys.delete(pool);
    pool.retire();
  }
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
