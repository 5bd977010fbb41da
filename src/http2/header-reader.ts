/** Header blocks to heads and trailers. One a connection. */
import { BlockMemo } from './block-memo.ts';
import { FieldSection } from './field-section.ts';
import type { Http2Fields } from './fields.ts';
import { HpackDecoder } from './hpack-decoder.ts';
import { type RequestHead, requestHead } from './request.ts';
import { type ResponseHead, responseHead } from './response.ts';
import { trailersOf } from './trailers.ts';

export interface HeadLimits {
  /** Names, values and 32 for each field (RFC 9113 section 6.5.2). */
  readonly headBytes: number;
  readonly fields: number;
  readonly targetBytes: number;
  /** Bytes of a request body; 0: no limit. */
  readonly bodyBytes: number;
}

/** The block could not be decoded: the tables of both ends differ from now on. */
export const UNDECODABLE = 'undecodable';
/** The block was decoded, and is no message. */
export const MALFORMED = 'malformed';

export class HeaderReader {
  readonly #decoder = new HpackDecoder();
  readonly #limits: HeadLimits;
  readonly #section: FieldSection;
  readonly #requests = new BlockMemo<RequestHead>();
  readonly #wholeRequests = new BlockMemo<RequestHead>();
  readonly #responses = new BlockMemo<ResponseHead>();
  readonly #trailers = new BlockMemo<Http2Fields>();

  constructor(limits: HeadLimits) {
    this.#limits = limits;
    this.#section = new FieldSection(limits);
  }

  request(
    bytes: Buffer,
    at: number,
    end: number,
    endsStream: boolean,
  ): RequestHead | typeof UNDECODABLE | typeof MALFORMED {
    const memo = endsStream ? this.#wholeRequests : this.#requests;
    const { version } = this.#decoder;
    const known = memo.find(bytes, at, end, version);
    if (known !== undefined) return known;
    if (!this.#decode(bytes, at, end, false)) return UNDECODABLE;
    const head = requestHead(this.#section, endsStream, this.#limits);
    if (head === null) return MALFORMED;
    if (version === this.#decoder.version) memo.keep(bytes, at, end, version, head);
    return head;
  }

  response(
    bytes: Buffer,
    at: number,
    end: number,
    endsStream: boolean,
    answersHead: boolean,
  ): ResponseHead | typeof UNDECODABLE | typeof MALFORMED {
    const { version } = this.#decoder;
    // Most that end the stream at once or answer HEAD come alone; the memo holds the others.
    const isCommon = !endsStream && !answersHead;
    const known = isCommon ? this.#responses.find(bytes, at, end, version) : undefined;
    if (known !== undefined) return known;
    if (!this.#decode(bytes, at, end, false)) return UNDECODABLE;
    const head = responseHead(this.#section, endsStream, answersHead);
    if (head === null) return MALFORMED;
    if (isCommon && version === this.#decoder.version) this.#responses.keep(bytes, at, end, version, head);
    return head;
  }

  trailers(bytes: Buffer, at: number, end: number): Http2Fields | typeof UNDECODABLE | typeof MALFORMED {
    const { version } = this.#decoder;
    const known = this.#trailers.find(bytes, at, end, version);
    if (known !== undefined) return known;
    if (!this.#decode(bytes, at, end, true)) return UNDECODABLE;
    const trailers = trailersOf(this.#section);
    if (trailers === null) return MALFORMED;
    if (version === this.#decoder.version) this.#trailers.keep(bytes, at, end, version, trailers);
    return trailers;
  }

  /** Decodes a block that nobody wants, for the table's sake. False: UNDECODABLE. */
  skip(bytes: Buffer, at: number, end: number): boolean {
    return this.#decode(bytes, at, end, true);
  }

  #decode(bytes: Buffer, at: number, end: number, isTrailers: boolean): boolean {
    const section = this.#section;
    section.begin(isTrailers);
    if (!this.#decoder.decode(bytes, at, end, section)) return false;
    section.finish();
    return true;
  }
}
