/** Responses out of a backend's bytes, each to the request that was announced by `expect`. No socket, no clock. */
import type { Fields } from '../fields.ts';
import { findBlankLine } from './blank-line.ts';
import { BodyDecoder } from './body.ts';
import type { ResponseFault } from './fault.ts';
import { isHopeless } from './hopeless.ts';
import { ResponseHead } from './response.ts';
import type { ResponseHeads } from './response-heads.ts';

export interface ResponseLimits {
  readonly headBytes: number;
  readonly fields: number;
}

/** Called in the order interim heads, head, body ranges, end; or with `onTunnel` after a 101; or once with a fault. */
export interface ResponseSink {
  /** A 1xx response other than 101; the head is good until the call returns. */
  onInterim(head: ResponseHead): void;
  /** The head is good until `expect` is called again. */
  onHead(head: ResponseHead): void;
  /** bytes[start, end) are body; the bytes may be reused when the call returns. */
  onBody(bytes: Buffer, start: number, end: number): void;
  onEnd(trailers: Fields | null): void;
  /** The backend answered 101: what follows on this connection is not HTTP; `rest` came with the head. */
  onTunnel(head: ResponseHead, rest: Buffer): void;
  onFault(fault: ResponseFault): void;
}

type ReaderState = 'idle' | 'head' | 'body' | 'failed';

const EMPTY = Buffer.alloc(0);

export class ResponseReader {
  readonly #own: ResponseHead;
  /** Of the response that came last: its own, filled anew for each, or one of those that all connections share. */
  #head: ResponseHead;
  readonly #heads: ResponseHeads;
  readonly #sink: ResponseSink;
  readonly #limits: ResponseLimits;
  readonly #body: BodyDecoder;
  #state: ReaderState = 'idle';
  #answersHead = false;
  #mayUpgrade = false;
  #paused = false;
  #running = false;
  #ended = false;
  #hasBegun = false;
  #pending: Buffer = EMPTY;
  #searched = 0;

  /** @param heads of the endpoint */
  constructor(limits: ResponseLimits, heads: ResponseHeads, sink: ResponseSink) {
    this.#limits = limits;
    this.#heads = heads;
    this.#sink = sink;
    this.#own = new ResponseHead(limits.fields);
    this.#head = this.#own;
    this.#body = new BodyDecoder(limits);
  }

  /** Whether a byte of the expected response has arrived, that of an interim one too. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** A request was sent: its response may come. After a fault there is none. */
  expect(answersHead: boolean, mayUpgrade: boolean): void {
    if (this.#state === 'failed') return;
    this.#state = 'head';
    this.#hasBegun = false;
    this.#answersHead = answersHead;
    this.#mayUpgrade = mayUpgrade;
  }

  /** bytes[0, end) have arrived; they are the caller's again when the call returns. */
  feed(bytes: Buffer, end = bytes.length): void {
    if (this.#state === 'failed') return;
    if (this.#state === 'idle') {
      // Nobody asked: a backend that speaks out of turn cannot be trusted with the next request.
      this.#fail('upstreamInvalid');
      return;
    }
    this.#hasBegun = true;
    if (this.#pending.length === 0) {
      this.#run(bytes, end);
      return;
    }
    const joined = Buffer.concat([this.#pending, bytes.subarray(0, end)]);
    this.#pending = EMPTY;
    this.#run(joined, joined.length);
  }

  /** The backend ended its side of the connection. In a pause of the body this is told at `resume`. */
  end(): void {
    this.#ended = true;
    if (this.#paused && this.#state === 'body') return;
    this.#endNow();
  }

  /** Body ranges stop until `resume`; what arrives meanwhile is kept. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    if (this.#running) return;
    const bytes = this.#pending;
    this.#pending = EMPTY;
    this.#run(bytes, bytes.length);
    if (this.#ended && !this.#paused) this.#endNow();
  }

  #endNow(): void {
    if (this.#state === 'head') this.#fail('upstreamReset');
    else if (this.#state === 'body') {
      if (this.#body.endsWithConnection) {
        this.#state = 'idle';
        this.#sink.onEnd(null);
      } else {
        this.#fail('upstreamTruncated');
      }
    }
  }

  /** Works on bytes[0, end) until they are used up or something has to be waited for; keeps a copy of the rest. */
  #run(bytes: Buffer, end: number): void {
    this.#running = true;
    let at = 0;
    for (;;) {
      const before = at;
      const state = this.#state;
      if (state === 'head' && at < end) at = this.#readHead(bytes, at, end);
      else if (state === 'body' && !this.#paused) at = this.#readBody(bytes, at, end);
      else break;
      if (at === before && this.#state === state) break;
    }
    this.#running = false;
    if (at < end && this.#state !== 'failed') this.#pending = Buffer.from(bytes.subarray(at, end));
  }

  #readHead(bytes: Buffer, at: number, end: number): number {
    const again = this.#searched === 0 ? this.#head.repeatedUntil(bytes, at, end, this.#answersHead) : -1;
    if (again !== -1) return this.#onHead(bytes, again, end);
    const empty = findBlankLine(bytes, at + Math.max(0, this.#searched - 3), end);
    if (empty === -1) {
      if (end - at > this.#limits.headBytes || isHopeless(bytes, at, end, at + this.#searched))
        this.#fail('upstreamInvalid');
      this.#searched = end - at;
      return at;
    }
    this.#searched = 0;
    const headEnd = empty + 4;
    const head = headEnd - at <= this.#limits.headBytes ? this.#parse(bytes, at, headEnd) : null;
    if (head === null) {
      this.#fail('upstreamInvalid');
      return headEnd;
    }
    this.#head = head;
    return this.#onHead(bytes, headEnd, end);
  }

  /** Null: it is not valid. */
  #parse(bytes: Buffer, at: number, headEnd: number): ResponseHead | null {
    const answersHead = this.#answersHead;
    const known = this.#heads.find(bytes, at, headEnd, answersHead);
    if (known !== null) return known;
    const own = this.#own;
    return own.parse(bytes, at, headEnd, answersHead) ? this.#heads.note(own, bytes, at, headEnd, answersHead) : null;
  }

  #onHead(bytes: Buffer, headEnd: number, end: number): number {
    const head = this.#head;
    if (head.status === 101) {
      if (!this.#mayUpgrade) {
        this.#fail('upstreamInvalid');
        return headEnd;
      }
      this.#state = 'idle';
      this.#sink.onTunnel(head, Buffer.from(bytes.subarray(headEnd, end)));
      return end;
    } else if (head.status < 200) {
      this.#sink.onInterim(head);
    } else {
      this.#state = 'body';
      this.#body.begin(head.bodyLength);
      this.#sink.onHead(head);
    }
    return headEnd;
  }

  #readBody(bytes: Buffer, at: number, end: number): number {
    const body = this.#body;
    switch (body.step(bytes, at, end)) {
      case 'data':
        this.#sink.onBody(bytes, body.dataStart, body.dataEnd);
        break;
      case 'end':
        this.#finish(body.trailers, body.at < end);
        break;
      case 'malformed':
        this.#fail('upstreamTruncated');
        break;
      case 'more':
        break;
    }
    return body.at;
  }

  /** Bytes behind a response must not become the answer to a request that is sent from within `onEnd`. */
  #finish(trailers: Fields | null, hasExcess: boolean): void {
    this.#state = hasExcess ? 'failed' : 'idle';
    this.#sink.onEnd(trailers);
    if (hasExcess) this.#fail('upstreamInvalid');
  }

  #fail(fault: ResponseFault): void {
    this.#state = 'failed';
    this.#sink.onFault(fault);
  }
}
