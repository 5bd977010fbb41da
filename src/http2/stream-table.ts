/** The streams of a connection by their identifiers, and what is remembered of those that are gone (RFC 9113 section 5.1.1). */
import { OpenStreams } from './open-streams.ts';
import type { Http2Stream } from './stream.ts';

/** Streams that we have reset and the peer may not have heard of yet. */
const REMEMBERED_RESETS = 1_024;
const REMEMBERED_GAPS = 16;

export class StreamTable {
  readonly open = new OpenStreams();
  /** The greatest identifier in use or used up. */
  last = 0;
  /** Frames of one stream often come in a row. */
  #recent: Http2Stream | null = null;
  #resets: Int32Array | null = null;
  #resetAt = 0;
  /** First and last identifiers of ranges that the peer has left out. */
  readonly #gaps: number[] = [];

  get(id: number): Http2Stream | null {
    if (this.#recent !== null && this.#recent.id === id) return this.#recent;
    const stream = this.open.get(id);
    if (stream !== null) this.#recent = stream;
    return stream;
  }

  add(stream: Http2Stream): void {
    this.open.add(stream);
    this.use(stream.id);
    this.#recent = stream;
  }

  /** The identifier is taken, by a stream or by one that is refused. */
  use(id: number): void {
    if (id > this.last + 2) {
      this.#gaps.push(this.last + 1, id - 1);
      if (this.#gaps.length > REMEMBERED_GAPS * 2) this.#gaps.splice(0, 2);
    }
    this.last = id;
  }

  remove(stream: Http2Stream): void {
    this.open.delete(stream.id);
    if (this.#recent === stream) this.#recent = null;
  }

  rememberReset(id: number): void {
    this.#resets ??= new Int32Array(REMEMBERED_RESETS);
    this.#resets[this.#resetAt] = id;
    this.#resetAt = (this.#resetAt + 1) % REMEMBERED_RESETS;
  }

  /** Whether frames on this stream may still come because the peer did not know that we had reset it. */
  wasReset(id: number): boolean {
    return this.#resets?.includes(id) === true;
  }

  /** Whether the identifier was left out, so that no stream can ever have it. */
  isGap(id: number): boolean {
    for (let i = 0; i < this.#gaps.length; i += 2) {
      if (id >= (this.#gaps[i] as number) && id <= (this.#gaps[i + 1] as number)) return true;
    }
    return false;
  }
}
