/** Connections to one endpoint, or sessions of HTTP/2. Outlives snapshots: a change of weights or of the table drops none that is still wanted. */
import type { SecureContext } from 'node:tls';
import type { Timeouts } from '../domain/route.ts';
import { ResponseHeads } from '../http1/response-heads.ts';
import type { AttemptsOfEndpoint } from '../seam.ts';
import type { Channel } from './channel.ts';
import { DOWN, WARMING } from './choice.ts';
import { Doubt } from './doubt.ts';
import type { Exchange } from './exchange.ts';
import type { OutboundHalf } from './halves.ts';
import { OutboundHttp1, RESPONSE_LIMITS } from './outbound-http1.ts';
import type { PendingQueue } from './pending-queue.ts';
import type { Runtime } from './runtime.ts';
import { SessionPool } from './session-pool.ts';

export interface UpstreamTls {
  readonly context: SecureContext;
  /** Name sent as SNI and verified; undefined for an address without a name. */
  readonly serverName: string | undefined;
  readonly verify: boolean;
}

export interface PoolTarget {
  /** Of the endpoint, as the supervisor knows it. */
  readonly key: string;
  readonly host: string;
  readonly port: number;
  readonly tls: UpstreamTls | null;
  /** `auto`: what the endpoint chooses for each connection (ALPN, RFC 7301); never without TLS. */
  readonly protocol: 'http1' | 'h2' | 'auto';
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

/** A share that is smaller would find out too late whether an endpoint is well. */
const LEAST_SHARE = 0.1;

/** Why there is no connection to be had. */
export type PoolRefusal = 'poolExhausted';

export class Pool {
  readonly target: PoolTarget;
  readonly runtime: Runtime;
  /** Requests under way; the less loaded of two endpoints is taken. */
  inflight = 0;
  /** Why another endpoint is rather taken: see choice.ts. */
  caution = 0;
  /** How long it took to make the last connection: a round trip, and with TLS some more. */
  connectMs = 0;
  /** What happened here since the supervisor was told last. */
  readonly seen = { attempts: 0, faults: 0, streak: 0 };
  /** That its HTTP/1.1 connections share. */
  readonly heads = new ResponseHeads(RESPONSE_LIMITS.fields);
  readonly doubt: Doubt;
  /** Who waits for a connection here or at another of the backend's endpoints; null: nobody may. */
  readonly pending: PendingQueue | null;
  #warmUntilMs = 0;
  #warmOfMs = 0;
  #wasUnreachable = false;
  /** An endpoint that may choose has chosen HTTP/1.1 the last time. Until it has been asked it is taken for one of HTTP/2. */
  #choseHttp1 = false;
  #connections = 0;
  #isRetired = false;
  /** The one used last is taken first, so that those not needed grow old and close. */
  readonly #idle: PooledHalf[] = [];
  readonly #connect: Connect;
  readonly #sessions: SessionPool | null;

  constructor(
    target: PoolTarget,
    runtime: Runtime,
    pending: PendingQueue | null = null,
    connect: Connect = connectHttp1,
  ) {
    this.target = target;
    this.runtime = runtime;
    this.pending = pending;
    this.#connect = connect;
    this.#sessions = target.protocol === 'http1' ? null : new SessionPool(this);
    this.doubt = new Doubt(
      runtime,
      target,
      () => this.wasReached,
      (doubt) => {
        this.caution = (this.caution & WARMING) | doubt;
      },
    );
  }

  /** Whether a connection has been made here. */
  get wasReached(): boolean {
    return this.connectMs > 0;
  }

  /** The end of an attempt here. */
  count(isFault: boolean): void {
    const { seen } = this;
    seen.attempts++;
    if (isFault) {
      seen.faults++;
      seen.streak++;
    } else {
      seen.streak = 0;
    }
  }

  /** Whether there is something to tell the supervisor: a fault, another reach than before, and if `isDue` anything at all. */
  hasNews(isDue: boolean): boolean {
    const isUnreachable = (this.caution & DOWN) !== 0;
    return this.seen.faults > 0 || isUnreachable !== this.#wasUnreachable || (isDue && this.seen.attempts > 0);
  }

  takeNews(): Omit<AttemptsOfEndpoint, 'backend'> {
    const isUnreachable = (this.caution & DOWN) !== 0;
    const news = { key: this.target.key, ...this.seen, isUnreachable };
    this.#wasUnreachable = isUnreachable;
    this.seen.attempts = 0;
    this.seen.faults = 0;
    this.seen.streak = 0;
    return news;
  }

  /** Takes less than its share of the requests, for `forMs` more of `ofMs`. */
  warm(forMs: number, ofMs: number): void {
    this.#warmUntilMs = this.runtime.clock() + forMs;
    this.#warmOfMs = ofMs;
    if (forMs > 0) this.caution |= WARMING;
    else this.caution &= ~WARMING;
  }

  /** How much of its share of the requests it takes, 0.1 to 1. */
  share(): number {
    if ((this.caution & WARMING) === 0) return 1;
    const leftMs = this.#warmUntilMs - this.runtime.nowMs;
    if (leftMs <= 0) this.caution &= ~WARMING;
    return Math.min(1, Math.max(LEAST_SHARE, 1 - leftMs / this.#warmOfMs));
  }

  /** @param fresh make a new connection even when one is idle */
  acquire(exchange: Exchange, timeouts: Timeouts, fresh: boolean): OutboundHalf | PoolRefusal {
    const sessions = this.#sessions;
    if (sessions !== null && this.#wantsSession(exchange)) return sessions.acquire(exchange, timeouts.connectMs);
    if (!fresh) {
      const idle = this.#idle.pop();
      if (idle !== undefined) {
        idle.reuse(exchange);
        return idle;
      }
    }
    const { connections } = this.target;
    if (connections > 0 && this.#connections + (sessions?.count ?? 0) >= connections) {
      const oldest = this.#idle.shift();
      if (oldest === undefined) return 'poolExhausted';
      oldest.close();
    }
    if (sessions !== null && !exchange.wantsUpgrade) return sessions.dial(exchange, timeouts.connectMs);
    this.#connections++;
    return this.#connect(this, exchange, timeouts.connectMs);
  }

  /** An upgrade is a matter of HTTP/1.1, and gRPC one of HTTP/2, whatever was chosen before: the endpoint may be another one by now. */
  #wantsSession(exchange: Exchange): boolean {
    if (this.target.protocol === 'h2') return true;
    return !exchange.wantsUpgrade && (!this.#choseHttp1 || exchange.needsHttp2);
  }

  choseHttp2(): void {
    this.#choseHttp1 = false;
  }

  /** The connection is there for the next request. */
  choseHttp1(channel: Channel): OutboundHttp1 {
    this.#choseHttp1 = true;
    this.#connections++;
    const connection = new OutboundHttp1(this, null, 0, channel);
    this.#idle.push(connection);
    return connection;
  }

  release(connection: PooledHalf): void {
    if (this.#isRetired) {
      connection.close();
      return;
    }
    this.#idle.push(connection);
    this.pending?.wake();
  }

  /** The connection is gone. */
  forget(connection: PooledHalf): void {
    this.#connections--;
    const index = this.#idle.indexOf(connection);
    if (index !== -1) this.#idle.splice(index, 1);
    this.pending?.wake();
  }

  /** The endpoint is no longer in use: nothing new, idle connections close, what runs finishes. */
  retire(): void {
    this.#isRetired = true;
    this.#sessions?.retire();
    this.doubt.end();
    for (const connection of this.#idle.splice(0)) connection.close();
  }
}

function connectHttp1(pool: Pool, exchange: Exchange, connectMs: number): PooledHalf {
  return new OutboundHttp1(pool, exchange, connectMs);
}
