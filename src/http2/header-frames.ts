/** HEADERS and the CONTINUATIONs behind it put together to one block (RFC 9113 sections 6.2 and 6.10). One a connection. */
import { ENHANCE_YOUR_CALM, FRAME_SIZE_ERROR, NO_ERROR, PROTOCOL_ERROR } from './error-code.ts';
import { END_HEADERS, END_STREAM, HAS_PRIORITY, PADDED, readUint31 } from './frame.ts';

/** CONTINUATION frames of one block: nobody needs more than a few. */
const MOST_CONTINUATIONS = 32;

export class HeaderFrames {
  /** Stream whose block is not whole yet; 0: none. */
  streamId = 0;
  endsStream = false;
  /** The stream names itself as the one that it depends on. */
  dependsOnItself = false;
  /** The whole block, once `isWhole`. */
  isWhole = false;
  bytes: Buffer;
  at = 0;
  end = 0;
  readonly #mostBytes: number;
  #fragments: Buffer[] = [];
  #fragmentBytes = 0;
  readonly #empty: Buffer;

  /** @param mostBytes of one encoded block */
  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
    this.#empty = Buffer.alloc(0);
    this.bytes = this.#empty;
  }

  /** Returns an error code, NO_ERROR when all is well. The block at hand is good until the call that it came in returns. */
  headers(flags: number, streamId: number, bytes: Buffer, at: number, end: number): number {
    let p = at;
    let padding = 0;
    if ((flags & PADDED) !== 0) {
      if (p >= end) return FRAME_SIZE_ERROR;
      padding = bytes[p++] as number;
    }
    this.dependsOnItself = false;
    if ((flags & HAS_PRIORITY) !== 0) {
      if (p + 5 > end) return FRAME_SIZE_ERROR;
      this.dependsOnItself = readUint31(bytes, p) === streamId;
      p += 5;
    }
    if (p + padding > end) return PROTOCOL_ERROR;
    this.endsStream = (flags & END_STREAM) !== 0;
    this.isWhole = (flags & END_HEADERS) !== 0;
    if (this.isWhole) this.#hold(bytes, p, end - padding);
    else {
      this.streamId = streamId;
      this.#fragments = [];
      this.#fragmentBytes = 0;
      return this.#fragment(bytes, p, end - padding);
    }
    return NO_ERROR;
  }

  continuation(flags: number, bytes: Buffer, at: number, end: number): number {
    const error = this.#fragment(bytes, at, end);
    if (error !== NO_ERROR) return error;
    this.isWhole = (flags & END_HEADERS) !== 0;
    if (!this.isWhole) return NO_ERROR;
    const block = Buffer.concat(this.#fragments);
    this.#fragments = [];
    this.streamId = 0;
    this.#hold(block, 0, block.length);
    return NO_ERROR;
  }

  release(): void {
    this.bytes = this.#empty;
  }

  #fragment(bytes: Buffer, at: number, end: number): number {
    this.#fragments.push(Buffer.from(bytes.subarray(at, end)));
    this.#fragmentBytes += end - at;
    const isFlood = this.#fragments.length > MOST_CONTINUATIONS + 1 || this.#fragmentBytes > this.#mostBytes;
    return isFlood ? ENHANCE_YOUR_CALM : NO_ERROR;
  }

  #hold(bytes: Buffer, at: number, end: number): void {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }
}
