/**
 * How a connection ends in an orderly way (RFC 9113 section 6.8). A server says so, and goes on answering what comes: once its client has heard it, the
 * connection ends as soon as no stream is open, and the last GOAWAY names the last stream that was served. A client opens no more streams.
 */
import { NO_ERROR } from './error-code.ts';
import { MAX_31_BITS } from './frame.ts';
import type { FrameWriter } from './frame-writer.ts';
import type { StreamTable } from './stream-table.ts';

const LAST_CALL_PING = Buffer.from('lastcall', 'latin1');
/** How long the peer may take to answer the first GOAWAY before it is taken for heard. */
const LAST_CALL_MS = 1_000;

export class Departure {
  /** The connection ends with its last stream. A client opens no more; what a server's client still opens is served. */
  isLeaving = false;
  readonly #isServer: boolean;
  readonly #writer: FrameWriter;
  readonly #streams: StreamTable;
  readonly #onOver: () => void;
  /** The sweep's clock at the first GOAWAY; 0: none has been sent that the peer has not heard. */
  #lastCallMs = 0;

  /** @param onOver the last stream of a connection that is left has ended */
  constructor(isServer: boolean, writer: FrameWriter, streams: StreamTable, onOver: () => void) {
    this.#isServer = isServer;
    this.#writer = writer;
    this.#streams = streams;
    this.#onOver = onOver;
  }

  begin(nowMs: number): void {
    if (this.#lastCallMs > 0 || this.isLeaving) return;
    if (!this.#isServer) {
      this.leave();
      return;
    }
    this.#writer.goaway(MAX_31_BITS, NO_ERROR);
    this.#writer.ping(0, LAST_CALL_PING, 0);
    this.#lastCallMs = nowMs === 0 ? 1 : nowMs;
  }

  sweep(nowMs: number): void {
    if (this.#lastCallMs > 0 && nowMs - this.#lastCallMs >= LAST_CALL_MS) this.leave();
  }

  /** Whether the payload of a PING's answer says that the peer has seen the first GOAWAY. */
  isAnswer(bytes: Buffer, at: number, end: number): boolean {
    return this.#lastCallMs > 0 && bytes.compare(LAST_CALL_PING, 0, LAST_CALL_PING.length, at, end) === 0;
  }

  /** Both ends know that the connection is to end. */
  leave(): void {
    this.#lastCallMs = 0;
    this.isLeaving = true;
    this.leaveWhenIdle();
  }

  leaveWhenIdle(): void {
    if (this.isLeaving && this.#streams.open.size === 0) this.#onOver();
  }
}
