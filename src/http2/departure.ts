/**
 * How a connection ends in an orderly way (RFC 9113 section 6.8): a server says so and answers what comes until its client has heard it, then names
 * the last stream that it serves; a client opens no more streams.
 */
import { NO_ERROR } from './error-code.ts';
import { MAX_31_BITS } from './frame.ts';
import type { FrameWriter } from './frame-writer.ts';
import type { StreamTable } from './stream-table.ts';

const LAST_CALL_PING = Buffer.from('lastcall', 'latin1');
/** How long the peer may take to answer the first GOAWAY before the second is sent regardless. */
const LAST_CALL_MS = 1_000;

export class Departure {
  /** No stream is opened any more: we, or the peer, said so. */
  isLeaving = false;
  /** Streams above are not served: the second GOAWAY named this one. */
  lastServed = MAX_31_BITS;
  readonly #isServer: boolean;
  readonly #writer: FrameWriter;
  readonly #streams: StreamTable;
  readonly #onOver: () => void;
  /** The sweep's clock at the first GOAWAY; 0: it has not been sent, or the second has. */
  #lastCallMs = 0;

  /** @param onOver the last stream of a connection that is left has ended */
  constructor(isServer: boolean, writer: FrameWriter, streams: StreamTable, onOver: () => void) {
    this.#isServer = isServer;
    this.#writer = writer;
    this.#streams = streams;
    this.#onOver = onOver;
  }

  begin(nowMs: number): void {
    if (this.#lastCallMs > 0 || this.lastServed !== MAX_31_BITS) return;
    if (!this.#isServer) {
      this.isLeaving = true;
      this.leaveWhenIdle();
      return;
    }
    this.#writer.goaway(MAX_31_BITS, NO_ERROR);
    this.#writer.ping(0, LAST_CALL_PING, 0);
    this.#lastCallMs = nowMs === 0 ? 1 : nowMs;
  }

  sweep(nowMs: number): void {
    if (this.#lastCallMs > 0 && nowMs - this.#lastCallMs >= LAST_CALL_MS) this.closeDoor();
  }

  /** Whether the payload of a PING's answer says that the peer has seen the first GOAWAY. */
  isAnswer(bytes: Buffer, at: number, end: number): boolean {
    return this.#lastCallMs > 0 && bytes.compare(LAST_CALL_PING, 0, LAST_CALL_PING.length, at, end) === 0;
  }

  /** The second GOAWAY: what has come until now is the last. */
  closeDoor(): void {
    this.#lastCallMs = 0;
    this.lastServed = this.#streams.last;
    this.isLeaving = true;
    this.#writer.goaway(this.lastServed, NO_ERROR);
    this.leaveWhenIdle();
  }

  leaveWhenIdle(): void {
    // A server that has not closed its door waits for the client, who may have left a stream behind.
    if (this.isLeaving && this.#streams.open.size === 0) this.#onOver();
  }
}
