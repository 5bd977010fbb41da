/** A connection to a backend that speaks HTTP/1.1, and on it one request after the other. */
import type { ErrorCode } from '../domain/errors.ts';
import type { Fields } from '../fields.ts';
import { Http1Fields } from '../http1/fields.ts';
import { CHUNKED, NO_BODY } from '../http1/framing.ts';
import { HOST_FIELD, KEEP_ALIVE, TE } from '../http1/known.ts';
import type { ResponseHead } from '../http1/response.ts';
import { ResponseReader, type ResponseSink } from '../http1/response-reader.ts';
import { FORWARDING, fieldLines, HOP_BY_HOP } from '../http1/serialize.ts';
import type { AddedFields } from './added-fields.ts';
import type { Channel, DialSink } from './channel.ts';
import { dial } from './dial.ts';
import type { Exchange } from './exchange.ts';
import { formatGrpcTimeout } from './grpc.ts';
import type { OutboundHalf, RequestView } from './halves.ts';
import { Http1Writer } from './http1-writer.ts';
import { connectFailure } from './node-error.ts';
import type { Pool } from './pool.ts';
import { NOWHERE } from './roster.ts';
import { SWEEP_MS, type Watched } from './sweeper.ts';
import { Tunnel } from './tunnel.ts';

/** Of a backend's response. Larger than for requests: what a backend sends is not an attack but an annoyance. */
export const RESPONSE_LIMITS = { headBytes: 65_536, fields: 256 };

const HTTP1 = ['http/1.1'] as const;

/** How long a connection may lie idle unless the backend says less (Keep-Alive: timeout). */
const IDLE_MS = 60_000;
/** A backend that closes after n seconds does so by its own clock: stop using the connection this much earlier. */
const HINT_MARGIN_MS = 1_000;

type ConnectionState = 'connecting' | 'active' | 'idle' | 'closed';

export class OutboundHttp1 implements OutboundHalf, ResponseSink, DialSink, Watched {
  sweepPlace = NOWHERE;
  readonly mayDecline = false;
  readonly #pool: Pool;
  readonly #channel: Channel;
  readonly #reader: ResponseReader;
  readonly #writer: Http1Writer;
  #exchange: Exchange | null;
  #state: ConnectionState = 'connecting';
  #connected = false;
  readonly #begunMs: number;
  #connectDeadlineMs: number;
  #idleUntilMs = 0;
  #idleForMs = IDLE_MS;
  #requestEnded = false;
  #isReused = false;
  #mayReuse = true;
  #paused = false;
  /** A write has failed. */
  #isBroken = false;
  /** The response is over, and the connection goes back to its pool when the bytes at hand are used up. */
  #responseEnded = false;

  /** @param made a connection that waits for its first request; null: one is begun for the exchange */
  constructor(pool: Pool, exchange: Exchange | null, connectMs: number, made: Channel | null = null) {
    this.#pool = pool;
    this.#exchange = exchange;
    const now = pool.runtime.clock();
    this.#begunMs = now;
    this.#connectDeadlineMs = connectMs > 0 ? now + connectMs : Number.POSITIVE_INFINITY;
    this.#channel = made ?? dial(pool.target, HTTP1, this);
    if (made !== null) {
      this.#connected = true;
      this.#state = 'idle';
      this.#idleUntilMs = now + IDLE_MS;
    }
    this.#reader = new ResponseReader(RESPONSE_LIMITS, pool.heads, this);
    this.#writer = new Http1Writer(this.#channel.output, false);
    pool.runtime.sweeper.watch(this);
    this.#watchConnect(now);
    if (made !== null) {
      made.sink = this;
      made.start();
    }
  }

  get isIdle(): boolean {
    return this.#state === 'idle';
  }

  get isConnected(): boolean {
    return this.#connected;
  }

  get isStale(): boolean {
    return this.#isReused && this.isUnanswered;
  }

  get isUnanswered(): boolean {
    return !this.#reader.hasBegun;
  }

  /** Taken from the pool for another request. */
  reuse(exchange: Exchange): void {
    this.#exchange = exchange;
    this.#state = 'active';
    this.#requestEnded = false;
    this.#responseEnded = false;
  }

  sendHead(
    request: RequestView,
    forwarding: AddedFields,
    droppedNames: readonly string[] | null,
    deadlineMs: number,
  ): void {
    const { connection, fields } = request;
    // A tunnel begins behind the request, so nothing else may stand there.
    const protocols = connection.upgrade && request.bodyLength === NO_BODY ? upgradeOf(fields) : '';
    const mayUpgrade = protocols !== '' && !isHttp2(protocols);
    const text =
      deadlineMs === Number.POSITIVE_INFINITY
        ? this.#headText(request, forwarding, droppedNames, mayUpgrade ? protocols : '')
        : this.#callText(request, forwarding, droppedNames, deadlineMs);
    this.#writer.head(text, request.bodyLength === CHUNKED);
    this.#reader.expect(request.method === 'HEAD', mayUpgrade);
  }

  /** A call of gRPC-Web. */
  #callText(
    request: RequestView,
    forwarding: AddedFields,
    droppedNames: readonly string[] | null,
    deadlineMs: number,
  ): string {
    const timeout = formatGrpcTimeout(deadlineMs - this.#pool.runtime.clock());
    const text = this.#headText(request, forwarding, [...(droppedNames ?? []), 'grpc-timeout'], '');
    return `${text.slice(0, -2)}grpc-timeout: ${timeout}\r\n\r\n`;
  }

  #headText(
    request: RequestView,
    forwarding: AddedFields,
    droppedNames: readonly string[] | null,
    protocols: string,
  ): string {
    const { fields } = request;
    // One that names no host depends on the endpoint.
    const sent = request.authority === '' ? null : fields.sent;
    const known = sent === null ? null : sent.of(forwarding, droppedNames);
    if (typeof known === 'string') return known;
    let text = `${request.method} ${request.target} HTTP/1.1\r\n`;
    if (!hasField(fields, HOST_FIELD, 'host')) text += `host: ${request.authority || this.#hostName()}\r\n`;
    text += fieldLines(fields, HOP_BY_HOP | FORWARDING, droppedNames) + forwarding.lines;
    if (request.bodyLength === CHUNKED) text += 'transfer-encoding: chunked\r\n';
    if (protocols !== '') text += `connection: upgrade\r\nupgrade: ${protocols}\r\n`;
    else if (wantsTrailers(fields)) text += 'connection: te\r\nte: trailers\r\n';
    text += '\r\n';
    sent?.keep(forwarding, droppedNames, text);
    return text;
  }

  #hostName(): string {
    const { host, port } = this.#pool.target;
    return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  }

  sendBody(bytes: Buffer, start: number, end: number): boolean {
    return this.#writer.body(bytes, start, end);
  }

  sendEnd(trailers: Fields | null): void {
    this.#requestEnded = true;
    this.#writer.end(trailers);
  }

  flushRequest(): void {
    this.#writer.flush();
  }

  pauseResponse(): void {
    this.#paused = true;
    this.#reader.pause();
    this.#channel.pause();
  }

  resumeResponse(): void {
    this.#paused = false;
    this.#reader.resume();
    if (this.#settle()) return;
    // What the reader held may have filled the client's side again.
    if (this.#state !== 'closed' && !this.#paused) this.#channel.resume();
    this.#exchange?.flushResponse();
  }

  abandon(): void {
    this.#exchange = null;
    this.close();
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#pool.runtime.sweeper.unwatch(this);
    this.#pool.forget(this);
    this.#channel.destroy();
  }

  sweep(nowMs: number): void {
    if (this.#state === 'connecting' && nowMs >= this.#connectDeadlineMs) this.#fail('connectTimeout');
    else if (this.#state === 'connecting') this.#watchConnect(nowMs);
    else if (this.#state === 'idle' && nowMs >= this.#idleUntilMs) this.close();
  }

  #watchConnect(nowMs: number): void {
    const dueMs = this.#connectDeadlineMs;
    if (this.#state === 'connecting' && dueMs < nowMs + SWEEP_MS) this.#pool.runtime.dueSoon.add(this, dueMs);
  }

  // From the channel.

  connected(): void {
    if (this.#state === 'closed') return;
    this.#connected = true;
    this.#state = 'active';
    this.#pool.connectMs = this.#pool.runtime.clock() - this.#begunMs;
    if (this.#pool.caution !== 0) this.#pool.doubt.reached();
    this.#exchange?.onConnected();
    this.#channel.start();
  }

  drained(): void {
    this.#writer.drained();
    this.#exchange?.onBackendDrained();
  }

  /**
   * The backend takes no more of the request. It may have answered before it closed, so reading goes on; what is read last is the end, or
   * the error, that decides.
   */
  broken(): void {
    this.#mayReuse = false;
    this.#isBroken = true;
  }

  received(bytes: Buffer, length: number): void {
    if (this.#state === 'closed') return;
    this.#pool.runtime.tick();
    this.#reader.feed(bytes, length);
    if (!this.#settle()) this.#exchange?.flushResponse();
  }

  /** After a response's end: back to the pool, or closed. True when there was one. */
  #settle(): boolean {
    if (!this.#responseEnded || this.#state !== 'active') return false;
    if (!this.#mayReuse || !this.#requestEnded || this.#channel.hasPeerEnded) {
      this.close();
      return true;
    }
    this.#state = 'idle';
    this.#isReused = true;
    this.#idleUntilMs = this.#pool.runtime.nowMs + this.#idleForMs;
    if (this.#channel.isPaused) this.#channel.resume();
    this.#pool.release(this);
    return true;
  }

  peerEnded(): void {
    if (this.#state === 'idle') {
      this.#pool.doubt.suspect();
      this.close();
      return;
    }
    // The error went to the failed write, and what is read looks like a clean end: a body without a length must not take it for one.
    if (this.#isBroken || this.#channel.wasReset()) {
      this.#fail('upstreamReset');
      return;
    }
    this.#pool.runtime.tick();
    this.#reader.end();
    this.#settle();
  }

  failed(errno: string): void {
    this.#fail(this.#connected ? 'upstreamReset' : connectFailure(errno, this.#pool.wasReached));
  }

  /** Without an 'error' before it: the backend ended the connection. */
  closed(): void {
    if (this.#state === 'closed') return;
    this.#pool.runtime.tick();
    if (this.#exchange !== null && this.#connected) this.#reader.end();
    this.#fail(this.#connected ? 'upstreamReset' : 'connectFailed');
  }

  #fail(code: ErrorCode): void {
    const exchange = this.#exchange;
    this.#exchange = null;
    this.close();
    exchange?.onUpstreamFailed(this, code);
  }

  onInterim(head: ResponseHead): void {
    this.#exchange?.onInterim(head);
  }

  onHead(head: ResponseHead): void {
    this.#mayReuse &&= head.keepAlive;
    if (head.fields.has(KEEP_ALIVE)) this.#readIdleHint(head);
    this.#exchange?.onResponseHead(head);
  }

  /** `Keep-Alive: timeout=5`: how long the backend keeps an idle connection, in seconds. */
  #readIdleHint(head: ResponseHead): void {
    const hint = head.fields.known(KEEP_ALIVE);
    const seconds = /(?:^|[,\s])timeout=(\d{1,6})/i.exec(hint)?.[1];
    if (seconds !== undefined)
      this.#idleForMs = Math.min(IDLE_MS, Math.max(0, Number(seconds) * 1000 - HINT_MARGIN_MS));
  }

  onBody(bytes: Buffer, start: number, end: number): void {
    if (this.#exchange?.onResponseBody(bytes, start, end) === false) this.pauseResponse();
  }

  onEnd(trailers: Fields | null): void {
    const exchange = this.#exchange;
    this.#exchange = null;
    this.#responseEnded = true;
    exchange?.onResponseEnd(trailers);
  }

  onTunnel(head: ResponseHead, rest: Buffer): void {
    const exchange = this.#exchange;
    if (exchange === null) return;
    if (isHttp2(upgradeOf(head.fields))) {
      this.#fail('upstreamInvalid');
      return;
    }
    this.#exchange = null;
    this.#state = 'closed';
    this.#pool.runtime.sweeper.unwatch(this);
    // It counts against the endpoint's limit for as long as it lasts.
    exchange.onTunnel(head, new Tunnel(this.#channel, rest, () => this.#pool.forget(this)));
  }

  onFault(fault: ErrorCode): void {
    this.#fail(fault);
  }
}

/** HTTP/1's own fields know without a search. */
function hasField(fields: Fields, known: number, name: string): boolean {
  return fields instanceof Http1Fields ? fields.has(known) : fields.get(name) !== undefined;
}

/** Protocols of the Upgrade fields as one list; '' when there are none. */
function upgradeOf(fields: Fields): string {
  const lists: string[] = [];
  fields.visit((name, value) => {
    if (name.length === 7 && name.toLowerCase() === 'upgrade') lists.push(value);
  });
  return lists.join(', ');
}

/** Cleartext HTTP/2 by upgrade is gone from the protocol (RFC 9113 section 3.1) and a known way around proxies. */
function isHttp2(protocols: string): boolean {
  return /(?:^|,)\s*h2c?\s*(?:[,/]|$)/i.test(protocols);
}

function wantsTrailers(fields: Fields): boolean {
  return hasField(fields, TE, 'te') && /(?:^|,)\s*trailers\s*(?:,|$)/i.test(fields.get('te') ?? '');
}
