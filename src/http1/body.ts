/** A message's body as a sequence of steps, whatever its framing. One a connection, begun anew for each message. */
import { type Fields, FlatFields } from '../fields.ts';
import { findBlankLine } from './blank-line.ts';
import { CR, LF } from './chars.ts';
import { ChunkedDecoder } from './chunked.ts';
import { Http1Fields } from './fields.ts';
import { CHUNKED, UNTIL_CLOSE } from './framing.ts';
import { isHopeless } from './hopeless.ts';
import {
  CONNECTION,
  CONTENT_LENGTH,
  EXPECT,
  FORWARDED,
  HOST_FIELD,
  HTTP2_SETTINGS,
  KEEP_ALIVE,
  PROXY_AUTHENTICATE,
  PROXY_AUTHORIZATION,
  PROXY_CONNECTION,
  TE,
  TRAILER,
  TRANSFER_ENCODING,
  UPGRADE,
  VIA,
  X_FORWARDED_CLIENT_CERT,
  X_FORWARDED_FOR,
  X_FORWARDED_HOST,
  X_FORWARDED_PORT,
  X_FORWARDED_PROTO,
} from './known.ts';
import { latin1 } from './latin1.ts';

export type BodyStep =
  /** All bytes from `at` on are needed again together with more. */
  | 'more'
  /** `dataStart` and `dataEnd` tell a range of data; call again for the rest. */
  | 'data'
  /** The body is over; `trailers` holds what came behind it. */
  | 'end'
  | 'malformed';

export interface BodyLimits {
  /** Bytes of a trailer section. */
  readonly headBytes: number;
  readonly fields: number;
}

/**
 * Fields that frame or route a message, or say where it came from, mean nothing behind its body (RFC 9110 section 6.5.1): they are not
 * passed on, lest a backend that merges trailers into the head believes them.
 */
const NO_TRAILERS =
  (1 << HOST_FIELD) |
  (1 << CONNECTION) |
  (1 << KEEP_ALIVE) |
  (1 << PROXY_CONNECTION) |
  (1 << TE) |
  (1 << TRAILER) |
  (1 << UPGRADE) |
  (1 << EXPECT) |
  (1 << FORWARDED) |
  (1 << X_FORWARDED_FOR) |
  (1 << X_FORWARDED_PROTO) |
  (1 << X_FORWARDED_HOST) |
  (1 << X_FORWARDED_PORT) |
  (1 << X_FORWARDED_CLIENT_CERT) |
  (1 << VIA) |
  (1 << HTTP2_SETTINGS) |
  (1 << PROXY_AUTHORIZATION) |
  (1 << PROXY_AUTHENTICATE);

export class BodyDecoder {
  /** Where the next call goes on. */
  at = 0;
  dataStart = 0;
  dataEnd = 0;
  trailers: Fields | null = null;
  #left = 0;
  #inTrailers = false;
  #searched = 0;
  readonly #chunked = new ChunkedDecoder();
  readonly #limits: BodyLimits;

  constructor(limits: BodyLimits) {
    this.#limits = limits;
  }

  /** @param length bytes, CHUNKED or UNTIL_CLOSE */
  begin(length: number): void {
    this.#left = length;
    this.#inTrailers = false;
    this.#searched = 0;
    this.trailers = null;
    if (length === CHUNKED) this.#chunked.reset();
  }

  /** Whether the end of the connection is the end of this body. */
  get endsWithConnection(): boolean {
    return this.#left === UNTIL_CLOSE;
  }

  step(bytes: Buffer, at: number, end: number): BodyStep {
    if (this.#left === CHUNKED)
      return this.#inTrailers ? this.#trailerStep(bytes, at, end) : this.#chunkedStep(bytes, at, end);
    if (this.#left === 0) {
      this.at = at;
      return 'end';
    }
    if (at === end) {
      this.at = at;
      return 'more';
    }
    const taken = this.#left === UNTIL_CLOSE ? end - at : Math.min(this.#left, end - at);
    if (this.#left !== UNTIL_CLOSE) this.#left -= taken;
    this.dataStart = at;
    this.dataEnd = at + taken;
    this.at = this.dataEnd;
    return 'data';
  }

  #chunkedStep(bytes: Buffer, at: number, end: number): BodyStep {
    const chunked = this.#chunked;
    const step = chunked.step(bytes, at, end);
    this.at = chunked.at;
    if (step === 'data') {
      this.dataStart = chunked.dataStart;
      this.dataEnd = chunked.dataEnd;
      return 'data';
    }
    if (step !== 'trailers') return step;
    this.#inTrailers = true;
    return this.#trailerStep(bytes, chunked.at, end);
  }

  #trailerStep(bytes: Buffer, at: number, end: number): BodyStep {
    this.at = at;
    if (end - at < 2) return end === at || bytes[at] !== LF ? 'more' : 'malformed';
    if (bytes[at] === CR) {
      this.at = at + 2;
      return bytes[at + 1] === LF ? 'end' : 'malformed';
    }
    const empty = findBlankLine(bytes, at + Math.max(0, this.#searched - 3), end);
    if (empty === -1) {
      if (end - at > this.#limits.headBytes || isHopeless(bytes, at, end, at + this.#searched)) return 'malformed';
      this.#searched = end - at;
      return 'more';
    }
    this.at = empty + 4;
    return this.#scanTrailers(bytes, at, empty + 4) ? 'end' : 'malformed';
  }

  #scanTrailers(bytes: Buffer, at: number, end: number): boolean {
    const fields = new Http1Fields(this.#limits.fields);
    if (end - at > this.#limits.headBytes || fields.scan(bytes, at, end, at) !== null) return false;
    if (fields.has(CONTENT_LENGTH) || fields.has(TRANSFER_ENCODING)) return false;
    fields.text = latin1(bytes, at, end);
    const flat: string[] = [];
    for (let i = 0; i < fields.count; i++) {
      if (((1 << fields.knownAt(i)) & NO_TRAILERS) === 0) flat.push(fields.name(i), fields.value(i));
    }
    this.trailers = flat.length > 0 ? new FlatFields(flat) : null;
    return true;
  }
}
