/** One connection to a backend that speaks HTTP/2. */
import type { ErrorCode } from '../domain/errors.ts';
import { Http2Connection, type Http2Options } from '../http2/connection.ts';
import { ENHANCE_YOUR_CALM } from '../http2/error-code.ts';
import type { ConnectionSink, StreamSink } from '../http2/sinks.ts';
import type { Http2Stream } from '../http2/stream.ts';
import type { Channel, DialSink } from './channel.ts';
import { dial } from './dial.ts';
import { connectFailure } from './node-error.ts';
import type { OutboundHttp2 } from './outbound-http2.ts';
import type { Output } from './output.ts';
import { NOWHERE } from './roster.ts';
import type { SessionPool } from './session-pool.ts';
import { SWEEP_MS, type Watched } from './sweeper.ts';

/** Of a backend's response. Larger than for requests: what a backend sends is not an attack but an annoyance. */
const OPTIONS: Http2Options = {
  headBytes: 65_536,
  fields: 256,
  targetBytes: 0,
  bodyBytes: 0,
  initialWindow: 262_144,
  maxWindow: 1 << 19,
  connectionWindow: 1 << 26,
  maxConcurrentStreams: 1_000,
  stallMs: 0,
};

/** Streams that are asked of a session before its backend has said how many it allows. */
const FIRST_STREAMS = 100;
/** How long a session may be without a stream. */
const IDLE_MS = 300_000;
/** Older ones are replaced, so that load follows where the endpoints' addresses lead. */
const MAX_AGE_MS = 1_800_000;
const AGE_JITTER_MS = 600_000;
/** Servers count resets as an attack: nginx and Node end a session at about 1,000. */
const MAX_RESETS = 400;
/** Silence of a backend that is working for us, after which it is asked for a sign of life. gRPC servers count pings that come sooner. */
const SILENT_MS = 300_000;
const PONG_MS = 20_000;

type SessionState = 'connecting' | 'open' | 'closed';

export class UpstreamSession implements ConnectionSink, DialSink, Watched {
  sweepPlace = NOWHERE;
  /** Why streams that are still open at the session's end have failed. */
  failure: ErrorCode = 'connectFailed';
  /** The backend has chosen HTTP/1.1: streams that are open have sent nothing, and never will. */
  isOther = false;
  readonly #pool: SessionPool;
  readonly #channel: Channel;
  readonly #output: Output;
  readonly #connection: Http2Connection;
  #state: SessionState = 'connecting';
  #isLeft = false;
  #waiting: OutboundHttp2[] = [];
  #touched: OutboundHttp2[] = [];
  #streams = 0;
  #resets = 0;
  readonly #connectDeadlineMs: number;
  readonly #retireAtMs: number;
  #heardMs: number;
  #pingedMs = 0;

  constructor(pool: SessionPool, connectMs: number) {
    const { runtime } = pool;
    const now = runtime.clock();
    this.#pool = pool;
    this.#connectDeadlineMs = connectMs > 0 ? now + connectMs : Number.POSITIVE_INFINITY;
    this.#retireAtMs = now + MAX_AGE_MS + runtime.random() * AGE_JITTER_MS;
    this.#heardMs = now;
    const { target } = pool;
    this.#channel = dial(target, target.protocol === 'auto' ? ['h2', 'http/1.1'] : ['h2'], this);
    this.#output = this.#channel.output;
    this.#connection = new Http2Connection('client', OPTIONS, this);
    runtime.sweeper.watch(this);
    this.#watchConnect(now);
  }

  get isConnected(): boolean {
    return this.#state === 'open';
  }

  /** Whether more than one stream has been opened here. */
  get isUsed(): boolean {
    return this.#streams > 1;
  }

  /** Streams that may be opened now. */
  get room(): number {
    return this.#isLeft ? 0 : this.#allowed - this.#connection.openStreams;
  }

  /** Share of the streams allowed that is open. */
  get load(): number {
    return this.#connection.openStreams / Math.max(1, this.#allowed);
  }

  get #allowed(): number {
    const { hasSettings, peer } = this.#connection;
    return hasSettings ? peer.maxConcurrentStreams : FIRST_STREAMS;
  }

  open(sink: StreamSink): Http2Stream | null {
    const stream = this.#connection.open(sink);
    if (stream !== null) this.#streams++;
    else this.#leave();
    return stream;
  }

  tellWhenConnected(half: OutboundHttp2): void {
    this.#waiting.push(half);
  }

  /** The half's exchange wants to know when the bytes at hand are used up. */
  touch(half: OutboundHttp2): void {
    if (half.isTouched) return;
    half.isTouched = true;
    this.#touched.push(half);
  }

  onResetSent(): void {
    this.#resets++;
    if (this.#resets >= MAX_RESETS) this.retire();
  }

  /** No more streams; closes when the last one has ended. */
  retire(): void {
    this.#leave();
    this.#connection.shutdown();
  }

  flush(): void {
    if (this.#state === 'open') this.#connection.flush();
  }

  sweep(nowMs: number): void {
    if (this.#state === 'connecting') this.#sweepConnect(nowMs);
    if (this.#state !== 'open') return;
    const connection = this.#connection;
    connection.sweep(nowMs);
    if (!this.#isLeft && nowMs >= this.#retireAtMs) this.retire();
    if (connection.openStreams === 0) {
      if (nowMs - this.#heardMs >= IDLE_MS) this.retire();
    } else if (this.#pingedMs > 0) {
      if (nowMs - this.#pingedMs >= PONG_MS) this.#fail('upstreamReset');
    } else if (nowMs - this.#heardMs >= SILENT_MS && connection.ping()) {
      this.#pingedMs = nowMs;
    }
  }

  #sweepConnect(nowMs: number): void {
    if (nowMs >= this.#connectDeadlineMs) this.#fail('connectTimeout');
    else this.#watchConnect(nowMs);
  }

  #watchConnect(nowMs: number): void {
    const dueMs = this.#connectDeadlineMs;
    if (dueMs < nowMs + SWEEP_MS) this.#pool.runtime.dueSoon.add(this, dueMs);
  }

  // From the channel.

  connected(): void {
    if (this.#state === 'closed') return;
    const { tls, protocol } = this.#pool.target;
    if (tls !== null && this.#channel.protocol !== 'h2') {
      if (protocol === 'auto') this.#handOver();
      else this.#fail('tlsFailed');
      return;
    }
    this.#state = 'open';
    this.failure = 'upstreamReset';
    this.#pool.pool.choseHttp2();
    const nowMs = this.#pool.runtime.clock();
    this.#pool.pool.connectMs = nowMs - this.#heardMs;
    this.#heardMs = nowMs;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const half of waiting) half.onConnected();
    this.#connection.flush();
    this.#channel.start();
  }

  /** The connection goes on with HTTP/1.1, and whoever waits for this session asks the pool again. */
  #handOver(): void {
    this.#state = 'closed';
    this.isOther = true;
    this.#leave();
    this.#pool.runtime.sweeper.unwatch(this);
    this.#waiting = [];
    const connection = this.#pool.pool.choseHttp1(this.#channel);
    this.#connection.detach();
    // Nobody waits for it any more.
    if (connection.isIdle) connection.close();
  }

  received(bytes: Buffer, length: number): void {
    this.#heardMs = this.#pool.runtime.tick();
    this.#connection.feed(bytes, length);
    const touched = this.#touched;
    if (touched.length === 0) return;
    this.#touched = [];
    for (const half of touched) half.flushResponse();
  }

  peerEnded(): void {
    if (this.#state !== 'closed') this.#channel.destroy();
  }

  failed(errno: string): void {
    if (this.#state === 'connecting') this.failure = connectFailure(errno, this.#pool.pool.wasReached);
    this.#onGone();
  }

  closed(): void {
    this.#onGone();
  }

  drained(): void {
    this.#connection.onDrained();
  }

  broken(): void {
    this.#channel.destroy();
  }

  #fail(code: ErrorCode): void {
    this.failure = code;
    this.#onGone();
  }

  #leave(): void {
    if (this.#isLeft) return;
    this.#isLeft = true;
    this.#pool.leave(this);
  }

  #onGone(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#leave();
    this.#pool.runtime.sweeper.unwatch(this);
    this.#channel.destroy();
    this.#waiting = [];
    this.#connection.detach();
  }

  onRequest(): void {
    // A client's peer opens no streams.
  }

  onRefused(): void {
    // As above.
  }

  onMalformed(): void {
    // As above.
  }

  onSettings(): void {
    // Looked at when a stream is opened.
  }

  onGoaway(): void {
    this.#leave();
  }

  onPong(): void {
    this.#pingedMs = 0;
  }

  onPending(): void {
    if (this.#state === 'closed') return;
    const { flusher } = this.#pool.runtime;
    // Others ask here, too.
    if (this.isConnected && this.#connection.openStreams > 1) flusher.addForNext(this);
    else flusher.add(this);
  }

  onOutput(bytes: Buffer): boolean {
    const isFree = this.#output.lend(bytes);
    if (!this.#output.isFlowing) this.#connection.block();
    return isFree;
  }

  onClosed(code: number): void {
    this.#leave();
    if (code === ENHANCE_YOUR_CALM) this.failure = 'upstreamInvalid';
    this.#connection.flush();
    this.#output.end();
  }
}
