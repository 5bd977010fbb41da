/** A client's connection that speaks HTTP/1.1 (or 1.0), and on it one request after the other. */
import { codeClass, ROUTE_CELLS } from '../domain/counts.ts';
import { ERRORS, type ErrorCode } from '../domain/errors.ts';
import type { Fields } from '../fields.ts';
import type { RequestFault } from '../http1/fault.ts';
import { CHUNKED, UNTIL_CLOSE } from '../http1/framing.ts';
import { EXPECT } from '../http1/known.ts';
import type { RequestHead } from '../http1/request.ts';
import { RequestReader, type RequestSink } from '../http1/request-reader.ts';
import { fieldLines, HOP_BY_HOP, LENGTH } from '../http1/serialize.ts';
import type { AddedFields } from './added-fields.ts';
import type { Channel, ChannelSink } from './channel.ts';
import { Exchange } from './exchange.ts';
import { Forwarding } from './forwarding.ts';
import type { InboundHalf, Peer, ResponseView } from './halves.ts';
import { Http1Writer } from './http1-writer.ts';
import type { Output } from './output.ts';
import { countRejection } from './rejections.ts';
import { http1Error } from './respond-error.ts';
import { NOWHERE } from './roster.ts';
import type { Runtime } from './runtime.ts';
import { AWAKE, type Resting } from './sweeper.ts';
import { Tunnel } from './tunnel.ts';

/**
 * After an answer that ends the connection: how long the client may be silent, and go on sending into the void, so that a reset does not
 * eat the answer.
 */
const LINGER_MS = 1_000;
const LINGER_MOST_MS = 10_000;
/** From then on a connection is not merely between two requests. */
const IDLE_FOR_MS = 1_000;
/** How long a drain leaves a connection open on which nothing comes. */
const DRAIN_QUIET_MS = 2_000;
/** How much of a body that nobody wants any more is read to keep the connection. */
const DISCARD_BYTES = 1 << 20;

/**
 * What the connection is doing. `lingering`: the answer is out, our side is closed, the client's bytes are thrown away.
 */
type ConnectionState = 'open' | 'lingering' | 'tunnel' | 'closed';

export class InboundHttp1 implements InboundHalf, RequestSink, ChannelSink, Resting {
  listenerPlace = NOWHERE;
  restSlot = AWAKE;
  sweepPlace = NOWHERE;
  readonly protocol = 0;
  readonly isHttp2 = false;
  readonly peer: Peer;
  readonly forwarding: Forwarding;
  readonly #runtime: Runtime;
  readonly #channel: Channel;
  readonly #reader: RequestReader;
  readonly #output: Output;
  readonly #writer: Http1Writer;
  readonly #exchange: Exchange;
  readonly #onGone: () => void;
  #state: ConnectionState = 'open';
  #head: RequestHead;
  /** The client sent its FIN: what it asked is still answered. */
  #clientEnded = false;
  #requestComplete = true;
  /** Nobody reads the rest of the request's body. */
  #discarding = false;
  #discarded = 0;
  #keepAlive = true;
  /** The response's body has no other end than the connection's. */
  #endsWithConnection = false;
  #paused = false;
  /** The next request's turn comes when the client has read more of the answers before. */
  #awaitsDrain = false;
  /** Since when nothing has happened between requests, or since when a head has been arriving. */
  #waitingSinceMs: number;
  #lingerUntilMs = 0;

  /** @param onGone called once when the connection is over */
  constructor(runtime: Runtime, channel: Channel, peer: Peer, onGone: () => void) {
    this.#runtime = runtime;
    this.#channel = channel;
    this.peer = peer;
    this.forwarding = new Forwarding(peer, '1.1 crossfade');
    this.#onGone = onGone;
    this.#reader = new RequestReader(runtime.serving.limits, this);
    this.#head = this.#reader.head;
    this.#output = channel.output;
    this.#writer = new Http1Writer(this.#output, false);
    this.#exchange = new Exchange(runtime, this);
    this.#waitingSinceMs = runtime.nowMs;
    runtime.sweeper.watch(this);
    channel.sink = this;
  }

  // From the channel.

  drained(): void {
    this.#runtime.tick();
    this.#writer.drained();
    this.#exchange.onClientDrained();
    if (this.#awaitsDrain) this.#proceed();
  }

  broken(): void {
    this.#channel.destroy();
  }

  failed(): void {
    this.#close();
  }

  closed(): void {
    this.#close();
  }

  received(bytes: Buffer, length: number): void {
    this.#runtime.tick();
    if (this.restSlot !== AWAKE) this.#runtime.sweeper.wake(this);
    switch (this.#state) {
      case 'open':
        this.#takeIn(bytes, length);
        break;
      case 'lingering':
        if (this.#output.isEmpty) this.#waitingSinceMs = this.#runtime.nowMs;
        break;
      case 'tunnel':
      case 'closed':
        break;
    }
  }

  #pauseChannel(): void {
    this.#paused = true;
    this.#channel.pause();
  }

  #resumeChannel(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#channel.resume();
  }

  /** Requests ahead of their turn wait in the kernel, not here. Bytes of a request that is not complete are no such request. */
  get #isAhead(): boolean {
    return this.#requestComplete && this.#exchange.isOpen && this.#reader.buffered > 0;
  }

  #readOn(): void {
    if (!this.#isAhead && !this.#reader.isPaused) this.#resumeChannel();
  }

  #takeIn(bytes: Buffer, length: number): void {
    const reader = this.#reader;
    if (reader.buffered === 0) this.#waitingSinceMs = this.#runtime.nowMs;
    reader.feed(bytes, length);
    this.#exchange.flushRequest();
    if (this.#state === 'open' && this.#isAhead) this.#pauseChannel();
  }

  peerEnded(): void {
    this.#clientEnded = true;
    if (this.restSlot !== AWAKE) this.#runtime.sweeper.wake(this);
    if (this.#state !== 'open') return;
    if (!this.#exchange.isOpen) {
      this.#endConnection();
    } else if (!this.#requestComplete) {
      this.#exchange.onClientGone();
      this.#channel.destroy();
    }
  }

  #close(): void {
    if (this.#state === 'closed') return;
    const wasTunnel = this.#state === 'tunnel';
    this.#state = 'closed';
    this.#runtime.sweeper.unwatch(this);
    if (!wasTunnel) {
      this.#exchange.onClientGone();
      this.#channel.destroy();
    }
    this.#onGone();
  }

  // From the reader.

  onHead(head: RequestHead): void {
    this.#requestComplete = false;
    this.#discarding = false;
    this.#keepAlive = head.keepAlive;
    this.#exchange.begin(head);
  }

  onBody(bytes: Buffer, start: number, end: number): void {
    if (!this.#discarding) {
      this.#exchange.onRequestBody(bytes, start, end);
      return;
    }
    this.#discarded += end - start;
    if (this.#discarded > DISCARD_BYTES) this.#endConnection();
  }

  onEnd(trailers: Fields | null): void {
    this.#requestComplete = true;
    if (!this.#discarding) this.#exchange.onRequestEnd(trailers);
    else this.#proceed();
  }

  onFault(fault: RequestFault): void {
    // The last answer of this connection has been given.
    if (this.#state !== 'open') return;
    if (this.#exchange.isOpen) {
      // In the body: the head is already with the backend.
      const { hasResponded: begun, grpcType } = this.#exchange;
      this.#exchange.failedByClient(ERRORS[fault].status);
      if (begun) this.cutResponse();
      else this.#refuse(fault, this.#head.method === 'HEAD', grpcType);
    } else if (this.#discarding) {
      this.#endConnection();
    } else {
      this.#refuseUnrouted(fault);
    }
  }

  // From the exchange.

  respondInterim(response: ResponseView): void {
    // To a client that does not read they are of no use.
    if (this.#head.minorVersion === 0 || !this.#output.isFlowing) return;
    const lines = fieldLines(response.fields, HOP_BY_HOP | LENGTH, response.connection.nominated);
    this.#output.text(`HTTP/1.1 ${response.status} ${response.reason}\r\n${lines}\r\n`);
  }

  respondHead(response: ResponseView, added: AddedFields): void {
    const { status, bodyLength, connection } = response;
    const toOldClient = this.#head.minorVersion === 0;
    const ofUnknownLength = bodyLength === CHUNKED || bodyLength === UNTIL_CLOSE;
    const chunked = ofUnknownLength && !toOldClient;
    this.#endsWithConnection = ofUnknownLength && toOldClient;
    if (this.#endsWithConnection) this.#keepAlive = false;
    if (this.#runtime.isDraining || (this.#clientEnded && this.#reader.buffered === 0) || this.#awaitsContinue) {
      this.#keepAlive = false;
    }
    const hop = (chunked ? 'transfer-encoding: chunked\r\n' : '') + this.#connectionLine;
    const { sent } = response.fields;
    const known = sent === null ? null : sent.of(added, hop);
    if (typeof known === 'string') {
      this.#writer.head(known, chunked);
      return;
    }
    const dropped = status === 204 ? HOP_BY_HOP | LENGTH : HOP_BY_HOP;
    const text = `HTTP/1.1 ${status} ${response.reason}\r\n${fieldLines(response.fields, dropped, connection.nominated)}${added.lines}${hop}\r\n`;
    sent?.keep(added, hop, text);
    this.#writer.head(text, chunked);
  }

  get #connectionLine(): string {
    if (!this.#keepAlive) return 'connection: close\r\n';
    return this.#head.minorVersion === 0 ? 'connection: keep-alive\r\n' : '';
  }

  respondBody(bytes: Buffer, start: number, end: number): boolean {
    return this.#writer.body(bytes, start, end);
  }

  respondEnd(trailers: Fields | null): void {
    this.#writer.end(trailers);
    this.#writer.flush();
    this.#answered();
  }

  flushResponse(): void {
    this.#writer.flush();
  }

  respondError(code: ErrorCode, grpcType: string | null): void {
    const mustClose =
      !this.#keepAlive ||
      this.#runtime.isDraining ||
      code === 'memoryExhausted' ||
      this.#awaitsContinue ||
      (ERRORS[code].source === 'client' && !this.#requestComplete && code !== 'noRoute');
    if (mustClose) this.#keepAlive = false;
    this.#output.text(http1Error(code, mustClose, this.#head.method === 'HEAD', grpcType));
    this.#answered();
  }

  cutResponse(): void {
    if (this.#state !== 'open') return;
    // What there is of the answer leaves: a client that saw nothing might take the request for lost and send it again.
    this.#writer.flush();
    // A length or a missing last chunk tells the client that the answer is not whole; one that ends with the connection needs a reset.
    if (this.#endsWithConnection) this.#output.reset();
    else this.#endConnection();
  }

  pauseRequest(): void {
    this.#reader.pause();
    this.#pauseChannel();
  }

  resumeRequest(): void {
    if (this.#state !== 'open') return;
    this.#reader.resume();
    this.#exchange.flushRequest();
    this.#readOn();
  }

  openTunnel(response: ResponseView, added: AddedFields): Tunnel {
    const { status, reason, fields, connection } = response;
    const lines = fieldLines(fields, HOP_BY_HOP | LENGTH, connection.nominated);
    const upgrade = `connection: upgrade\r\nupgrade: ${fields.get('upgrade') ?? ''}\r\n`;
    this.#output.text(`HTTP/1.1 ${status} ${reason}\r\n${lines}${added.lines}${upgrade}\r\n`);
    this.#state = 'tunnel';
    return new Tunnel(this.#channel, this.#reader.takePending(), () => this.#close());
  }

  /** The client may leave out a body that it announced, once the answer tells it that nobody wants it (RFC 9110 section 10.1.1). */
  get #awaitsContinue(): boolean {
    return !this.#requestComplete && this.#head.fields.has(EXPECT);
  }

  /** The response is out. What is next on this connection? */
  #answered(): void {
    if (this.#state !== 'open') return;
    if (!this.#keepAlive) {
      this.#endConnection();
    } else if (this.#requestComplete) {
      this.#proceed();
    } else {
      // An early answer: the rest of the request is read and dropped, and then the connection is good for the next.
      this.#discarding = true;
      this.#discarded = 0;
      this.#waitingSinceMs = this.#runtime.nowMs;
      this.resumeRequest();
    }
  }

  #proceed(): void {
    if (this.#state !== 'open') return;
    this.#discarding = false;
    this.#waitingSinceMs = this.#runtime.nowMs;
    // A client that does not read its answers gets no more of them, lest they pile up here.
    this.#awaitsDrain = !this.#output.isFlowing;
    if (this.#awaitsDrain) {
      this.#pauseChannel();
      return;
    }
    if (this.#clientEnded && this.#reader.buffered === 0) {
      this.#output.end();
      return;
    }
    this.#reader.next();
    this.#exchange.flushRequest();
    if (this.#state === 'open') this.#readOn();
    if (this.#clientEnded && !this.#exchange.isOpen) this.#output.end();
  }

  /** Before a route is looked for: the head is not whole, not valid, or announces too large a body. */
  #refuseUnrouted(code: ErrorCode): void {
    const { counts } = this.#runtime.serving;
    const row = counts.unroutedRow;
    counts.add(row, row * ROUTE_CELLS + codeClass(ERRORS[code].status), 1);
    this.#refuse(code, code === 'bodyTooLarge' && this.#head.method === 'HEAD', null);
  }

  /** Answers and ends the connection: what comes after a fault cannot be understood. */
  #refuse(code: ErrorCode, isHead: boolean, grpcType: string | null): void {
    this.#keepAlive = false;
    countRejection(this.#runtime.serving.counts, code);
    this.#output.text(http1Error(code, true, isHead, grpcType));
    this.#endConnection();
  }

  #endConnection(): void {
    if (this.#state !== 'open') return;
    this.#state = 'lingering';
    this.#waitingSinceMs = this.#runtime.nowMs;
    this.#lingerUntilMs = this.#runtime.nowMs + LINGER_MOST_MS;
    this.#output.end();
    this.#resumeChannel();
  }

  // Time.

  sweep(nowMs: number): void {
    if (this.#state === 'lingering') {
      const isTold = this.#output.isEmpty;
      const lingerMs = isTold ? LINGER_MS : this.#runtime.serving.idleMs || Number.POSITIVE_INFINITY;
      if (nowMs - this.#waitingSinceMs >= lingerMs || (isTold && nowMs >= this.#lingerUntilMs)) this.#channel.destroy();
      return;
    }
    if (this.#state === 'tunnel') this.#runtime.sweeper.rest(this, Number.POSITIVE_INFINITY);
    if (this.#state !== 'open') return;
    if (this.#exchange.isOpen) this.#exchange.sweep(nowMs);
    else this.#sweepBetween(nowMs);
  }

  /** No request is under way. */
  #sweepBetween(nowMs: number): void {
    const { requestHeadMs, idleMs } = this.#runtime.serving;
    const waitedMs = nowMs - this.#waitingSinceMs;
    if (this.#reader.isMidway && !this.#discarding) {
      if (requestHeadMs > 0 && waitedMs >= requestHeadMs) this.#refuseUnrouted('requestHeadTimeout');
    } else if (this.#isTooQuietForDrain(nowMs)) {
      this.#endConnection();
    } else if (idleMs > 0 && waitedMs >= idleMs) {
      countRejection(this.#runtime.serving.counts, 'idle');
      this.#channel.destroy();
    } else if (waitedMs >= IDLE_FOR_MS && !this.#discarding && !this.#awaitsDrain) {
      this.#sweepIdle(idleMs);
    }
  }

  /** With little memory left it goes, before any request has to; else it may rest. */
  #sweepIdle(idleMs: number): void {
    const runtime = this.#runtime;
    if (runtime.letsRest) {
      runtime.sweeper.rest(this, idleMs > 0 ? this.#waitingSinceMs + idleMs : Number.POSITIVE_INFINITY);
    } else if (runtime.pressure !== 'none') {
      countRejection(runtime.serving.counts, 'memoryExhausted');
      this.#endConnection();
    }
  }

  /** It had time to send a request, whose answer would have told it to close. Now it is told by our end, and not by a reset. */
  #isTooQuietForDrain(nowMs: number): boolean {
    const { drainingSinceMs } = this.#runtime;
    return drainingSinceMs !== null && nowMs - Math.max(drainingSinceMs, this.#waitingSinceMs) >= DRAIN_QUIET_MS;
  }

  /** The drain's deadline has passed. */
  destroy(): void {
    if (this.#exchange.isOpen) this.#output.reset();
    else this.#channel.destroy();
  }
}
