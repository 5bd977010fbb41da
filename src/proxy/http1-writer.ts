/** One message onto a socket: small pieces of a turn leave joined in a single write, large ones beside their head in one writev. */
import type { Fields } from '../fields.ts';
import { latin1 } from '../http1/latin1.ts';
import { CHUNK_TAIL, chunkHead, lastChunk } from '../http1/serialize.ts';
import type { Output } from './output.ts';

/** Up to here copying into one string is cheaper than a second buffer for the kernel (libuv writes such strings from its stack). */
const JOIN_BYTES = 8192;

export class Http1Writer {
  readonly #output: Output;
  /** Whether body bytes stay untouched after the call, so that they need no copy. */
  readonly #keepsBytes: boolean;
  #held = '';
  #chunked = false;
  #isFlowing = true;

  constructor(output: Output, keepsBytes: boolean) {
    this.#output = output;
    this.#keepsBytes = keepsBytes;
  }

  /** Holds a head back until something else leaves with it, or `flush`. */
  head(text: string, chunked: boolean): void {
    this.#held += text;
    this.#chunked = chunked;
  }

  /** False: the kernel takes no more now, wait for the output's drain. */
  body(bytes: Buffer, start: number, end: number): boolean {
    const length = end - start;
    if (this.#held.length + length <= JOIN_BYTES) {
      const text = latin1(bytes, start, end);
      this.#held += this.#chunked ? chunkHead(length) + text + CHUNK_TAIL : text;
      return this.#isFlowing;
    }
    if (this.#chunked) this.#held += chunkHead(length);
    const slice = bytes.subarray(start, end);
    const data = this.#keepsBytes ? slice : Buffer.from(slice);
    this.#isFlowing = this.#held === '' ? this.#output.bytes(data) : this.#output.textAndBytes(this.#held, data);
    this.#held = this.#chunked ? CHUNK_TAIL : '';
    return this.#isFlowing;
  }

  /** What is left of the message leaves with the next `flush`. */
  end(trailers: Fields | null): void {
    if (this.#chunked) this.#held += lastChunk(trailers);
  }

  flush(): void {
    if (this.#held === '') return;
    const text = this.#held;
    this.#held = '';
    this.#isFlowing = this.#output.text(text);
  }

  /** Everything written has left. */
  drained(): void {
    this.#isFlowing = true;
  }
}
