/** A client's connection that speaks HTTP/2, and on it many requests at a time. */
import { codeClass, ROUTE_CELLS } from '../domain/counts.ts';
import { ERRORS } from '../domain/errors.ts';
import { Http2Connection } from '../http2/connection.ts';
import { NO_ERROR } from '../http2/error-code.ts';
import type { RequestHead } from '../http2/request.ts';
import type { ConnectionSink } from '../http2/sinks.ts';
import type { Http2Stream } from '../http2/stream.ts';
import type { Channel, ChannelSink } from './channel.ts';
import type { Flushable } from './flusher.ts';
import { Forwarding } from './forwarding.ts';
import type { Peer } from './halves.ts';
import { InboundStream, type StreamOwner } from './inbound-stream.ts';
import type { Output } from './output.ts';
import { countRejection } from './rejections.ts';
import { NOWHERE } from './roster.ts';
import type { Runtime } from './runtime.ts';
import type { Watched } from './sweeper.ts';

/** How long the client may take to close after the last frame, so that a reset does not eat it. */
const LINGER_MS = 1_000;
/** Without a stream for so long, a client is not merely between two requests. */
const REST_MS = 500;
/** Bytes of windows: of a stream at first and at most, and of all streams together. */
const INITIAL_WINDOW = 65_535;
const MOST_WINDOW = 1 << 20;
const CONNECTION_WINDOW = 1 << 24;
/** Halves that are kept for streams to come. */
const SPARE_HALVES = 256;

export class InboundHttp2 implements ConnectionSink, ChannelSink, StreamOwner, Watched, Flushable {
  listenerPlace = NOWHERE;
  sweepPlace = NOWHERE;
  readonly isHttp2 = true;
  readonly peer: Peer;
  readonly forwarding: Forwarding;
  readonly #runtime: Runtime;
  readonly #channel: Channel;
  readonly #output: Output;
  readonly #connection: Http2Connection;
  readonly #onGone: () => void;
  /** With a request under way. */
  readonly #halves: InboundStream[] = [];
  readonly #spare: InboundStream[] = [];
  #touched: InboundStream[] = [];
  #isGone = false;
  /** Its sending side, while answers are under way. */
  #clientEnded = false;
  /** When the last stream ended, or the connection was made. */
  #idleSinceMs: number;
  /** When the last frame was written; 0: it has not been. */
  #overMs = 0;

  /** @param onGone called once when the connection is over */
  constructor(runtime: Runtime, channel: Channel, peer: Peer, onGone: () => void) {
    this.#runtime = runtime;
    this.#channel = channel;
    this.peer = peer;
    this.forwarding = new Forwarding(peer, '2.0 crossfade');
    this.#onGone = onGone;
    this.#idleSinceMs = runtime.nowMs;
    this.#output = channel.output;
    const { limits, idleMs } = runtime.serving;
    this.#connection = new Http2Connection(
      'server',
      {
        headBytes: limits.headBytes,
        fields: limits.fields,
        targetBytes: limits.targetBytes,
        bodyBytes: limits.bodyBytes,
        initialWindow: INITIAL_WINDOW,
        maxWindow: MOST_WINDOW,
        connectionWindow: CONNECTION_WINDOW,
        maxConcurrentStreams: limits.concurrentStreams,
        stallMs: idleMs,
      },
      this,
    );
    runtime.sweeper.watch(this);
    channel.sink = this;
  }

  // From the channel.

  received(bytes: Buffer, length: number): void {
    if (this.#overMs > 0) return;
    this.#runtime.tick();
    this.#connection.feed(bytes, length);
    const touched = this.#touched;
    if (touched.length === 0) return;
    this.#touched = [];
    for (const half of touched) {
      half.isTouched = false;
      half.exchange.flushRequest();
    }
  }

  flush(): void {
    this.#connection.flush();
  }

  drained(): void {
    this.#connection.onDrained();
    this.#connection.flush();
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

  /** It may have ended only what it sends (TCP's half-close) and wait for its answers, or be gone: what it is told now finds that out. */
  peerEnded(): void {
    this.#connection.flush();
    // What has not left yet may be the end of an answer.
    const isOver = this.#connection.openStreams === 0 && this.#output.isEmpty;
    if (isOver || this.#channel.isReset()) {
      this.#close();
      return;
    }
    this.#clientEnded = true;
    this.#connection.onPeerEnd();
  }

  #close(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#runtime.sweeper.unwatch(this);
    this.#connection.detach();
    this.#channel.destroy();
    this.#onGone();
  }

  // From the streams.

  touched(half: InboundStream): void {
    if (half.isTouched) return;
    half.isTouched = true;
    this.#touched.push(half);
  }

  done(half: InboundStream): void {
    this.#idleSinceMs = this.#runtime.nowMs;
    const { slot } = half;
    if (this.#halves[slot] !== half) return;
    // The last of them takes its place.
    const last = this.#halves.pop() as InboundStream;
    if (last !== half) {
      this.#halves[slot] = last;
      last.slot = slot;
    }
    if (this.#spare.length < SPARE_HALVES) this.#spare.push(half);
  }

  // From the connection.

  onRequest(stream: Http2Stream, head: RequestHead): void {
    const half = this.#spare.pop() ?? new InboundStream(this.#runtime, this);
    half.slot = this.#halves.length;
    this.#halves.push(half);
    half.begin(stream, head);
  }

  onRefused(stream: Http2Stream, head: RequestHead): void {
    const code = head.fault ?? 'badRequest';
    this.#countUnrouted(ERRORS[code].status);
    countRejection(this.#runtime.serving.counts, code);
    new InboundStream(this.#runtime, this).refuse(stream, code, head.method === 'HEAD');
  }

  onMalformed(): void {
    this.#countUnrouted(ERRORS.badRequest.status);
    countRejection(this.#runtime.serving.counts, 'badRequest');
  }

  #countUnrouted(status: number): void {
    const { counts } = this.#runtime.serving;
    const row = counts.unroutedRow;
    counts.add(row, row * ROUTE_CELLS + codeClass(status), 1);
  }

  onSettings(): void {}

  onGoaway(): void {}

  onPong(): void {}

  onPending(): void {
    const { flusher } = this.#runtime;
    // Other answers are on their way.
    if (this.#halves.length > 1) flusher.addForNext(this);
    else flusher.add(this);
  }

  onOutput(bytes: Buffer): boolean {
    const isFree = this.#output.lend(bytes);
    if (!this.#output.isFlowing) this.#connection.block();
    return isFree;
  }

  onClosed(): void {
    this.#connection.flush();
    this.#overMs = this.#runtime.nowMs;
    this.#output.end();
  }

  // Time.

  sweep(nowMs: number): void {
    if (this.#clientEnded && this.#channel.isReset()) {
      this.#close();
      return;
    }
    if (this.#overMs > 0) {
      const patienceMs = this.#output.isEmpty ? 0 : this.#runtime.serving.idleMs || Number.POSITIVE_INFINITY;
      if (nowMs - this.#overMs >= Math.max(patienceMs, LINGER_MS)) this.#channel.destroy();
      return;
    }
    // From the end: one that is over by that gives its place to one that has been looked at.
    for (let i = this.#halves.length - 1; i >= 0; i--) this.#halves[i]?.exchange.sweep(nowMs);
    this.#connection.sweep(nowMs);
    const isResting = this.#halves.length === 0;
    // Some clients lose what they were about to ask when they are told to go, so one that is busy may come to rest before.
    if (
      this.#runtime.isDraining &&
      ((isResting && nowMs - this.#idleSinceMs >= REST_MS) || nowMs >= this.#runtime.lastCallMs)
    )
      this.#connection.shutdown();
    else if (isResting) this.#sweepIdle(nowMs);
  }

  #sweepIdle(nowMs: number): void {
    const { requestHeadMs, idleMs, counts } = this.#runtime.serving;
    const idleForMs = nowMs - this.#idleSinceMs;
    if (!this.#connection.hasSettings && requestHeadMs > 0 && idleForMs >= requestHeadMs) {
      countRejection(counts, 'requestHeadTimeout');
      this.#connection.close(NO_ERROR);
    } else if (this.#runtime.pressure !== 'none' && idleForMs >= REST_MS) {
      countRejection(counts, 'memoryExhausted');
      this.#connection.shutdown();
    } else if (idleMs > 0 && idleForMs >= idleMs) {
      countRejection(counts, 'idle');
      this.#idleSinceMs = nowMs;
      this.#connection.shutdown();
    }
  }

  /** The drain's deadline has passed. */
  destroy(): void {
    if (this.#overMs === 0) this.#connection.close(NO_ERROR);
    this.#channel.destroy();
  }
}
