import type { Channel, ChannelSink } from './channel.ts';
import type { Peer } from './halves.ts';
import { InboundHttp1 } from './inbound-http1.ts';
import { InboundHttp2 } from './inbound-http2.ts';
import { countRejection } from './rejections.ts';
import { NOWHERE } from './roster.ts';
import type { Runtime } from './runtime.ts';
import { SilentSink } from './silent-sink.ts';
import { AWAKE, type Resting } from './sweeper.ts';

/** A client's connection, whatever it speaks. */
export interface ClientConnection extends ChannelSink {
  /** The listener's own, NOWHERE at first. */
  listenerPlace: number;
  readonly isHttp2: boolean;
  /** The drain's deadline has passed. */
  destroy(): void;
}

/** What a client of HTTP/2 begins with (RFC 9113 section 3.4). No request of HTTP/1.1 does. */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

const SLASH = 0x2f;
/** From then on a client that has sent nothing is not merely about to. */
const IDLE_FOR_MS = 1_000;

/**
 * Whether an answer in HTTP/1 could be understood. A line that has neither a target nor a version is somebody else's, such as that of an invalid
 * preface, whose sender would take the answer for a frame (RFC 9113 section 3.4).
 */
function isHttp1(bytes: Buffer, length: number): boolean {
  const blank = bytes.subarray(0, length).indexOf(0x20);
  if (blank === -1 || bytes[blank + 1] === SLASH) return true;
  const line = bytes.latin1Slice(0, length);
  return !/^\S+ (?![*h])\S+ (?!HTTP\/)\S+\r\n/i.test(line);
}

/** Makes the connection for what the client speaks, by its first bytes. */
export class Greeting extends SilentSink implements ClientConnection, Resting {
  listenerPlace = NOWHERE;
  restSlot = AWAKE;
  sweepPlace = NOWHERE;
  readonly #runtime: Runtime;
  readonly #channel: Channel;
  readonly #peer: Peer;
  readonly #onGone: () => void;
  readonly #sinceMs: number;
  #connection: ClientConnection | null = null;
  #bytes: Buffer | null = null;
  #isGone = false;

  constructor(runtime: Runtime, channel: Channel, peer: Peer, onGone: () => void) {
    super();
    this.#runtime = runtime;
    this.#channel = channel;
    this.#peer = peer;
    this.#onGone = onGone;
    this.#sinceMs = runtime.nowMs;
    runtime.sweeper.watch(this);
    channel.sink = this;
  }

  get isHttp2(): boolean {
    return this.#connection?.isHttp2 === true;
  }

  override received(bytes: Buffer, length: number): void {
    const before = this.#bytes?.length ?? 0;
    const seen = Math.min(before + length, PREFACE.length);
    const isPreface = bytes.compare(PREFACE, before, seen, 0, seen - before) === 0;
    if (isPreface && seen < PREFACE.length) {
      if (this.restSlot !== AWAKE) this.#runtime.sweeper.wake(this);
      const more = bytes.subarray(0, length);
      this.#bytes = this.#bytes === null ? Buffer.from(more) : Buffer.concat([this.#bytes, more]);
      return;
    }
    if (isPreface || isHttp1(bytes, length)) this.#begin(isPreface, bytes, length);
    else this.#channel.destroy();
  }

  #begin(isHttp2: boolean, bytes: Buffer, length: number): void {
    const early = this.#bytes;
    this.#bytes = null;
    this.#runtime.sweeper.unwatch(this);
    const Connection = isHttp2 ? InboundHttp2 : InboundHttp1;
    const connection = new Connection(this.#runtime, this.#channel, this.#peer, this.#onGone);
    this.#connection = connection;
    if (early !== null) connection.received(early, early.length);
    connection.received(bytes, length);
  }

  destroy(): void {
    if (this.#connection === null) this.#channel.destroy();
    else this.#connection.destroy();
  }

  sweep(nowMs: number): void {
    const { requestHeadMs, idleMs } = this.#runtime.serving;
    const waitedMs = nowMs - this.#sinceMs;
    if (this.#bytes !== null) {
      if (requestHeadMs > 0 && waitedMs >= requestHeadMs) this.#begin(false, this.#bytes.subarray(0, 0), 0);
    } else if (idleMs > 0 && waitedMs >= idleMs) {
      countRejection(this.#runtime.serving.counts, 'idle');
      this.#channel.destroy();
    } else if (this.#runtime.pressure !== 'none' && waitedMs >= IDLE_FOR_MS) {
      countRejection(this.#runtime.serving.counts, 'memoryExhausted');
      this.#channel.destroy();
    } else if (this.#runtime.letsRest && waitedMs >= IDLE_FOR_MS) {
      this.#runtime.sweeper.rest(this, idleMs > 0 ? this.#sinceMs + idleMs : Number.POSITIVE_INFINITY);
    }
  }

  override closed(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#runtime.sweeper.unwatch(this);
    this.#channel.destroy();
    this.#onGone();
  }

  override failed(): void {
    this.closed();
  }

  override peerEnded(): void {
    this.#channel.output.end();
  }

  override broken(): void {
    this.#channel.destroy();
  }
}
