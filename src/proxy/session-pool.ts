/** Sessions of HTTP/2 to one endpoint: as few as carry the load, the next one before it is needed. */
import { NO_SINK } from '../http2/sinks.ts';
import type { Exchange } from './exchange.ts';
import type { OutboundHalf } from './halves.ts';
import { OutboundHttp2 } from './outbound-http2.ts';
import type { Pool, PoolRefusal, PoolTarget } from './pool.ts';
import type { Runtime } from './runtime.ts';
import { UpstreamSession } from './upstream-session.ts';

/** The next session is opened when the one in use has so much of what the backend allows it. */
const NEARLY_FULL = 0.75;

export class SessionPool {
  readonly pool: Pool;
  readonly target: PoolTarget;
  readonly runtime: Runtime;
  readonly scheme: 'http' | 'https';
  /** For requests that name none (HTTP/1.0). */
  readonly authority: string;
  /** In the order in which they are filled. */
  readonly #sessions: UpstreamSession[] = [];
  #connectMs = 0;
  #isRetired = false;

  constructor(pool: Pool) {
    const { target } = pool;
    this.pool = pool;
    this.target = target;
    this.runtime = pool.runtime;
    this.scheme = target.tls === null ? 'http' : 'https';
    const { host, port } = target;
    this.authority = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  }

  get count(): number {
    return this.#sessions.length;
  }

  acquire(exchange: Exchange, connectMs: number): OutboundHalf | PoolRefusal {
    this.#connectMs = connectMs;
    return this.#openOn(this.sessionFor(null), exchange);
  }

  /** On a connection of its own, in case that it is one of HTTP/1.1. */
  dial(exchange: Exchange, connectMs: number): OutboundHalf | PoolRefusal {
    this.#connectMs = connectMs;
    return this.#openOn(this.#connect(), exchange);
  }

  #openOn(session: UpstreamSession | null, exchange: Exchange): OutboundHalf | PoolRefusal {
    const stream = session?.open(NO_SINK) ?? null;
    if (session === null || stream === null) return 'poolExhausted';
    const half = new OutboundHttp2(this, session, exchange, stream);
    if (!session.isConnected) session.tellWhenConnected(half);
    return half;
  }

  /** A session with room for another stream. @param but one that has just refused a stream; null: there is none, and no more may be opened */
  sessionFor(but: UpstreamSession | null): UpstreamSession | null {
    for (const session of this.#sessions) {
      if (session === but || session.room <= 0) continue;
      if (session.load >= NEARLY_FULL) this.#openNext(session);
      return session;
    }
    return this.#connect();
  }

  /** The session takes no more streams; those that it has go on. */
  leave(session: UpstreamSession): void {
    const index = this.#sessions.indexOf(session);
    if (index !== -1) this.#sessions.splice(index, 1);
  }

  /** The endpoint is no longer in use: nothing new, and sessions close when what runs has ended. */
  retire(): void {
    this.#isRetired = true;
    for (const session of this.#sessions.slice()) session.retire();
  }

  /** Unless another one waits already. */
  #openNext(full: UpstreamSession): void {
    for (const session of this.#sessions) if (session !== full && session.load < NEARLY_FULL) return;
    this.#connect();
  }

  #connect(): UpstreamSession | null {
    const { connections } = this.target;
    if (this.#isRetired || (connections > 0 && this.#sessions.length >= connections)) return null;
    const session = new UpstreamSession(this, this.#connectMs);
    this.#sessions.push(session);
    return session;
  }
}
