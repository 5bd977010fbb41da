/** Connections to one endpoint. Outlives snapshots: a change of weights or of the table drops none that is still wanted. */
import type { SecureContext } from 'node:tls';
import type { Timeouts } from '../domain/route.ts';
import type { Exchange } from './exchange.ts';
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
  readonly #idle: OutboundHttp1[] = [];

  constructor(target: PoolTarget, runtime: Runtime) {
    this.target = target;
    this.runtime = runtime;
  }

  /** @param fresh make a new connection even when one is idle */
  acquire(exchange: Exchange, timeouts: Timeouts, fresh: boolean): OutboundHttp1 | PoolRefusal {
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
    return new OutboundHttp1(this, exchange, timeouts.connectMs);
  }

  release(connection: OutboundHttp1): void {
    if (this.#isRetired) connection.close();
    else this.#idle.push(connection);
  }

  /** The connection is gone. */
  forget(connection: OutboundHttp1): void {
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
