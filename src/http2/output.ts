/** Bytes on their way to the peer: the frames of a turn leave together. */
import type { ConnectionSink } from './sinks.ts';

const BUFFER_BYTES = 65_536;
const EMPTY = Buffer.alloc(0);

/** Buffers that no connection fills now: a connection without output holds none. */
const SPARE_MOST = 16;
const spare: Buffer[] = [];

export class Output {
  /** Where the next frame goes; there is room for what was asked of `reserve`. */
  bytes: Buffer = EMPTY;
  length = 0;
  /** The transport can take no more for now: DATA waits, the rest may still be written. */
  isBlocked = false;
  /** Where the DATA frame written last begins, while it has not left, and its stream; -1: there is none. */
  dataAt = -1;
  dataStreamId = 0;
  #isAnnounced = false;
  readonly #sink: ConnectionSink;

  constructor(sink: ConnectionSink) {
    this.#sink = sink;
  }

  /** Makes room for so many bytes, at most FRAME_BYTES and a few, at bytes[length …). */
  reserve(count: number): void {
    if (this.length + count > this.bytes.length) {
      this.flush();
      this.bytes = spare.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
    }
    if (this.#isAnnounced) return;
    this.#isAnnounced = true;
    this.#sink.onPending();
  }

  flush(): void {
    this.#isAnnounced = false;
    if (this.length === 0) return;
    const { bytes, length } = this;
    this.bytes = EMPTY;
    this.length = 0;
    this.dataAt = -1;
    const isFree = this.#sink.onOutput(length === bytes.length ? bytes : bytes.subarray(0, length));
    if (isFree && spare.length < SPARE_MOST) spare.push(bytes);
  }
}
