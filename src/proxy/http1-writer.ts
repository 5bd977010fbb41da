/** One message onto a socket: small pieces of a turn leave joined in a single write, large ones beside their head in one writev. */
import type { Socket } from 'node:net';
import type { Fields } from '../fields.ts';
import { latin1 } from '../http1/latin1.ts';
import { CHUNK_TAIL, chunkHead, lastChunk } from '../http1/serialize.ts';

/** Up to here copying into one string is cheaper than a second buffer for the kernel (libuv writes such strings from its stack). */
const JOIN_BYTES = 8192;

export class Http1Writer {
  readonly #socket: Socket;
  /** Whether body bytes stay untouched after the call, so that they need no copy. */
  readonly #keepsBytes: boolean;
  #held = '';
  #chunked = false;

  constructor(socket: Socket, keepsBytes: boolean) {
    this.#socket = socket;
    this.#keepsBytes = keepsBytes;
  }

  /** Holds a head back until something else leaves with it, or `flush`. */
  head(text: string, chunked: boolean): void {
    this.#held += text;
    this.#chunked = chunked;
  }

  /** False: the socket's buffer is full, wait for its 'drain'. */
  body(bytes: Buffer, start: number, end: number): boolean {
    const length = end - start;
    if (this.#held.length + length <= JOIN_BYTES) {
      const text = latin1(bytes, start, end);
      this.#held += this.#chunked ? chunkHead(length) + text + CHUNK_TAIL : text;
      return !this.#socket.writableNeedDrain;
    }
    if (this.#chunked) this.#held += chunkHead(length);
    const slice = bytes.subarray(start, end);
    const data = this.#keepsBytes ? slice : Buffer.from(slice);
    if (this.#held === '') return this.#socket.write(data);
    this.#socket.cork();
    this.#socket.write(this.#held, 'latin1');
    const flowing = this.#socket.write(data);
    this.#socket.uncork();
    this.#held = this.#chunked ? CHUNK_TAIL : '';
    return flowing;
  }

  end(trailers: Fields | null): void {
    if (this.#chunked) this.#held += lastChunk(trailers);
    this.flush();
  }

  flush(): void {
    if (this.#held === '') return;
    const text = this.#held;
    this.#held = '';
    this.#socket.write(text, 'latin1');
  }

  /** Forgets what is held: the message will not be finished. */
  drop(): void {
    this.#held = '';
  }
}
