import type { Socket } from 'node:net';
import type { Peer } from './halves.ts';
import { InboundHttp1 } from './inbound-http1.ts';
import { InboundHttp2 } from './inbound-http2.ts';
import { countRejection } from './rejections.ts';
import type { Runtime } from './runtime.ts';
import { AWAKE, type Resting } from './sweeper.ts';

/** A client's connection, whatever it speaks. */
export interface ClientConnection {
  readonly isHttp2: boolean;
  /** bytes[0, length) came from the client; they are overwritten after the call. */
  onData(bytes: Buffer, length: number): void;
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
export class Greeting implements ClientConnection, Resting {
  restSlot = AWAKE;
  readonly #runtime: Runtime;
  readonly #socket: Socket;
  readonly #peer: Peer;
  readonly #onGone: () => void;
  readonly #sinceMs: number;
  #connection: ClientConnection | null = null;
  #bytes: Buffer | null = null;

  constructor(runtime: Runtime, socket: Socket, peer: Peer, onGone: () => void) {
    this.#runtime = runtime;
    this.#socket = socket;
    this.#peer = peer;
    this.#onGone = onGone;
    this.#sinceMs = runtime.nowMs;
    socket.on('error', this.#onSilent).on('close', this.#onSilent).on('end', this.#onEnd);
    runtime.sweeper.watch(this);
  }

  get isHttp2(): boolean {
    return this.#connection?.isHttp2 === true;
  }

  onData(bytes: Buffer, length: number): void {
    if (this.#connection !== null) {
      this.#connection.onData(bytes, length);
      return;
    }
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
    else this.#socket.destroy();
  }

  #begin(isHttp2: boolean, bytes: Buffer, length: number): void {
    const early = this.#bytes;
    this.#bytes = null;
    this.#leave();
    const Connection = isHttp2 ? InboundHttp2 : InboundHttp1;
    const connection = new Connection(this.#runtime, this.#socket, this.#peer, this.#onGone);
    this.#connection = connection;
    if (early !== null) connection.onData(early, early.length);
    connection.onData(bytes, length);
  }

  destroy(): void {
    if (this.#connection === null) this.#socket.destroy();
    else this.#connection.destroy();
  }

  sweep(nowMs: number): void {
    const { requestHeadMs, idleMs } = this.#runtime.serving;
    const waitedMs = nowMs - this.#sinceMs;
    if (this.#bytes !== null) {
      if (requestHeadMs > 0 && waitedMs >= requestHeadMs) this.#begin(false, this.#bytes.subarray(0, 0), 0);
    } else if (idleMs > 0 && waitedMs >= idleMs) {
      countRejection(this.#runtime.serving.counts, 'idle');
      this.#socket.destroy();
    } else if (this.#runtime.pressure !== 'none' && waitedMs >= IDLE_FOR_MS) {
      countRejection(this.#runtime.serving.counts, 'memoryExhausted');
      this.#socket.destroy();
    } else if (this.#runtime.letsRest && waitedMs >= IDLE_FOR_MS) {
      this.#runtime.sweeper.rest(this, idleMs > 0 ? this.#sinceMs + idleMs : Number.POSITIVE_INFINITY);
    }
  }

  #leave(): void {
    this.#runtime.sweeper.unwatch(this);
    this.#socket.off('error', this.#onSilent).off('close', this.#onSilent).off('end', this.#onEnd);
  }

  readonly #onSilent = (): void => {
    this.#leave();
    this.#socket.destroy();
    this.#onGone();
  };

  readonly #onEnd = (): void => {
    this.#socket.end();
  };
}
