/** Frames out of bytes, however they are cut (RFC 9113 section 4.1). No meaning yet, but for the padding of DATA. */
import { FRAME_SIZE_ERROR, PROTOCOL_ERROR } from './error-code.ts';
import { DATA, FRAME_BYTES, FRAME_HEADER_BYTES, PADDED, PREFACE, readUint31 } from './frame.ts';

export interface FrameSink {
  /** Any frame but DATA; its payload is bytes[at, end). */
  onFrame(type: number, flags: number, streamId: number, bytes: Buffer, at: number, end: number): void;
  /** A DATA frame begins; `length` of it counts against the windows, padding included. */
  onDataFrame(streamId: number, length: number): void;
  /** Data of the frame that began last, in as many ranges as it takes. */
  onDataRange(bytes: Buffer, at: number, end: number): void;
  /** `unused` bytes of the frame were no data. */
  onDataFrameEnd(flags: number, unused: number): void;
  onFrameFault(code: number, reason: string): void;
}

const EMPTY = Buffer.alloc(0);

export class FrameReader {
  readonly #sink: FrameSink;
  /** Bytes of the client's preface that are still to come. */
  #prefaceLeft: number;
  /** The beginning of a frame that is not complete: no data. */
  #partial: Buffer = EMPTY;
  #partialLength = 0;
  /** Within a DATA frame: data and then padding that are still to come. */
  #inData = false;
  #dataLeft = 0;
  #paddingLeft = 0;
  #dataFlags = 0;
  #unused = 0;
  #isStopped = false;

  constructor(expectsPreface: boolean, sink: FrameSink) {
    this.#prefaceLeft = expectsPreface ? PREFACE.length : 0;
    this.#sink = sink;
  }

  /** Nothing more is read. */
  stop(): void {
    this.#isStopped = true;
    this.#partial = EMPTY;
  }

  /** bytes[0, end) have arrived; they are the caller's again when the call returns. */
  feed(bytes: Buffer, end: number): void {
    let p = this.#prefaceLeft > 0 ? this.#preface(bytes, end) : 0;
    while (!this.#isStopped) {
      if (this.#inData) {
        p = this.#data(bytes, p, end);
        if (this.#inData) return;
      } else if (p === end) {
        return;
      } else if (this.#partialLength > 0) {
        p = this.#complete(bytes, p, end);
      } else {
        const size = this.#sizeAt(bytes, p, end);
        if (size > end - p) {
          this.#keep(bytes, p, end);
          return;
        }
        this.#frame(bytes, p, size);
        p += size;
      }
    }
  }

  #preface(bytes: Buffer, end: number): number {
    const from = PREFACE.length - this.#prefaceLeft;
    const count = Math.min(this.#prefaceLeft, end);
    for (let i = 0; i < count; i++) {
      if (bytes[i] !== PREFACE[from + i]) {
        this.#fault(PROTOCOL_ERROR, 'not the preface of HTTP/2');
        return end;
      }
    }
    this.#prefaceLeft -= count;
    return count;
  }

  /** Bytes that have to be there before the frame at bytes[at, end) can be worked on: of DATA only what stands before the data. */
  #sizeAt(bytes: Buffer, at: number, end: number): number {
    if (end - at < FRAME_HEADER_BYTES) return FRAME_HEADER_BYTES;
    const length = lengthAt(bytes, at);
    if (length > FRAME_BYTES) {
      this.#fault(FRAME_SIZE_ERROR, 'a frame is larger than allowed');
      return 0;
    }
    if (bytes[at + 3] !== DATA) return FRAME_HEADER_BYTES + length;
    return FRAME_HEADER_BYTES + (length > 0 && ((bytes[at + 4] as number) & PADDED) !== 0 ? 1 : 0);
  }

  #frame(bytes: Buffer, at: number, size: number): void {
    if (size === 0) return;
    const streamId = readUint31(bytes, at + 5);
    const flags = bytes[at + 4] as number;
    const type = bytes[at + 3] as number;
    if (type !== DATA) {
      this.#sink.onFrame(type, flags, streamId, bytes, at + FRAME_HEADER_BYTES, at + size);
      return;
    }
    const length = lengthAt(bytes, at);
    const isPadded = (flags & PADDED) !== 0;
    const padding = isPadded && length > 0 ? (bytes[at + FRAME_HEADER_BYTES] as number) : 0;
    const rest = length - (isPadded ? 1 : 0);
    if (padding > rest || rest < 0) {
      this.#fault(PROTOCOL_ERROR, 'padding is longer than its frame');
      return;
    }
    this.#dataLeft = rest - padding;
    this.#paddingLeft = padding;
    this.#unused = length - this.#dataLeft;
    this.#dataFlags = flags;
    this.#inData = true;
    this.#sink.onDataFrame(streamId, length);
  }

  #data(bytes: Buffer, at: number, end: number): number {
    let p = at;
    if (this.#dataLeft > 0 && p < end) {
      const count = Math.min(this.#dataLeft, end - p);
      this.#dataLeft -= count;
      p += count;
      this.#sink.onDataRange(bytes, p - count, p);
    }
    if (this.#dataLeft > 0) return p;
    const skipped = Math.min(this.#paddingLeft, end - p);
    this.#paddingLeft -= skipped;
    if (this.#paddingLeft === 0) {
      this.#inData = false;
      this.#sink.onDataFrameEnd(this.#dataFlags, this.#unused);
    }
    return p + skipped;
  }

  #keep(bytes: Buffer, at: number, end: number): void {
    const count = end - at;
    if (this.#partial.length < this.#partialLength + count) {
      const grown = Buffer.allocUnsafe(this.#partialLength + count + 64);
      this.#partial.copy(grown, 0, 0, this.#partialLength);
      this.#partial = grown;
    }
    bytes.copy(this.#partial, this.#partialLength, at, end);
    this.#partialLength += count;
  }

  /** Takes what the frame lacks. */
  #complete(bytes: Buffer, at: number, end: number): number {
    let p = at;
    let size = this.#sizeAt(this.#partial, 0, this.#partialLength);
    while (size > this.#partialLength) {
      const count = Math.min(size - this.#partialLength, end - p);
      if (count === 0) return p;
      this.#keep(bytes, p, p + count);
      p += count;
      if (this.#partialLength < size) return p;
      size = this.#sizeAt(this.#partial, 0, this.#partialLength);
    }
    const partial = this.#partial;
    this.#partial = EMPTY;
    this.#partialLength = 0;
    this.#frame(partial, 0, size);
    return p;
  }

  #fault(code: number, reason: string): void {
    this.stop();
    this.#sink.onFrameFault(code, reason);
  }
}

function lengthAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
}
