/** Connections to one endpoint. Outlives snapshots: a change of weights or of the table drops none that is still wanted. */
import type { SecureContext } from 'node:tls';
import type { Timeouts } from '../domain/route.ts';
import type { Exchange } from './exchange.ts';
import type { OutboundHalf } from './halves.ts';
import { OutboundHttp1 } from './outbound-http1.ts';
import type { Runtime } from './runtime.ts';

export interface UpstreamTls {
  readonly context: SecureContext;
  /** Name sent as SNI and verified; undefined for an address without a name. */
  readonly serverName: string | undefined;
  readonly verify: boolean;
}

export interface PoolTarget {
  readonly host: string;
  readonly port: number;
  readonly tls: UpstreamTls | null;
  /** Most connections of this worker; 0: no limit. */
  readonly connections: number;
}

/** A backend's half that serves one request after the other. */
export interface PooledHalf extends OutboundHalf {
  /** Taken from the pool for another request. */
  reuse(exchange: Exchange): void;
  close(): void;
}

/** Begins a connection for a request. */
export type Connect = (pool: Pool, exchange: Exchange, connectMs: number) => PooledHalf;

/** Why there is no connection to be had. */
export type PoolRefusal = 'poolExhausted';

export class Pool {
  readonly target: PoolTarget;
  readonly runtime: Runtime;
  /** Requests under way; the less loaded of two endpoints is taken. */
  inflight = 0;
  #connections = 0;
  #isRetired = false;
  /** The one used last is taken first, so that those not needed grow old and close. */
  readonly #idle: PooledHalf[] = [];
  readonly #connect: Connect;

  constructor(target: PoolTarget, runtime: Runtime, connect: Connect = connectHttp1) {
    this.target = target;
    this.runtime = runtime;
    this.#connect = connect;
  }

  /** @param fresh make a new connection even when one is idle */
  acquire(exchange: Exchange, timeouts: Timeouts, fresh: boolean): PooledHalf | PoolRefusal {
    if (!fresh) {
      const idle = this.#idle.pop();
      if (idle !== undefined) {
        idle.reuse(exchange);
        return idle;
      }
    }
    const { connections } = this.target;
    if (connections > 0 && this.#connections >= connections) {
      const oldest = this.#idle.shift();
      if (oldest === undefined) return 'poolExhausted';
      oldest.close();
    }
    this.#connections++;
    return this.#connect(this, exchange, timeouts.connectMs);
  }

  release(connection: PooledHalf): void {
    if (this.#isRetired) connection.close();
    else this.#idle.push(connection);
  }

  /** The connection is gone. */
  forget(connection: PooledHalf): void {
    this.#connections--;
    const index = this.#idle.indexOf(connection);
    if (index !== -1) this.#idle.splice(index, 1);
  }

  /** The endpoint is no longer in use: nothing new, idle connections close, what runs finishes. */
  retire(): void {
    this.#isRetired = true;
    for (const connection of this.#idle.splice(0)) connection.close();
  }
}

function connectHttp1(pool: Pool, exchange: Exchange, connectMs: number): PooledHalf {
  return new OutboundHttp1(pool, exchange, connectMs);
}
