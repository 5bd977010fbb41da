/** Requests out of a client's bytes: one after the other, as fast as the owner asks for the next. No socket, no clock. */
import type { Fields } from '../fields.ts';
import { findBlankLine } from './blank-line.ts';
import { BodyDecoder } from './body.ts';
import { CR, LF } from './chars.ts';
import type { RequestFault } from './fault.ts';
import { CHUNKED } from './framing.ts';
import { isHopeless } from './hopeless.ts';
import { firstLineFault, type HeadLimits, RequestHead } from './request.ts';

export interface RequestLimits extends HeadLimits {
  /** Bytes of a body; 0: no limit. */
  readonly bodyBytes: number;
}

/** Called in the order head, body ranges, end; or once with a fault, after which nothing more comes. */
export interface RequestSink {
  /** The head is good until `next` is called. */
  onHead(head: RequestHead): void;
  /** bytes[start, end) are body; the bytes may be reused when the call returns. */
  onBody(bytes: Buffer, start: number, end: number): void;
  onEnd(trailers: Fields | null): void;
  onFault(fault: RequestFault): void;
}

type ReaderState = 'head' | 'body' | 'complete' | 'failed';

const EMPTY = Buffer.alloc(0);

export class RequestReader {
  readonly head: RequestHead;
  readonly #sink: RequestSink;
  readonly #limits: RequestLimits;
  readonly #body: BodyDecoder;
  #state: ReaderState = 'head';
  #paused = false;
  #running = false;
  #pending: Buffer = EMPTY;
  /** Bytes of an unfinished head that have been searched for its end. */
  #searched = 0;
  #firstLineSeen = false;
  #bodyBytes = 0;

  constructor(limits: RequestLimits, sink: RequestSink) {
    this.#limits = limits;
    this.#sink = sink;
    this.head = new RequestHead(limits);
    this.#body = new BodyDecoder(limits);
  }

  /** Bytes taken in but not worked on: behind a complete request, in a pause, or an unfinished head. */
  get buffered(): number {
    return this.#pending.length;
  }

  /** Whether a request has begun to arrive and is not complete. */
  get isMidway(): boolean {
    return this.#state === 'body' || (this.#state === 'head' && this.#pending.length > 0);
  }

  /** Whether body ranges wait for `resume`. */
  get isPaused(): boolean {
    return this.#paused;
  }

  /** Hands over what came behind a request that turned the connection into a tunnel. */
  takePending(): Buffer {
    const pending = this.#pending;
    this.#pending = EMPTY;
    return pending;
  }

  /** bytes[0, end) have arrived; they are the caller's again when the call returns. */
  feed(bytes: Buffer, end = bytes.length): void {
    if (this.#state === 'failed') return;
    if (this.#pending.length === 0) {
      this.#run(bytes, end);
      return;
    }
    const joined = Buffer.concat([this.#pending, bytes.subarray(0, end)]);
    this.#pending = EMPTY;
    this.#run(joined, joined.length);
  }

  /** Body ranges stop until `resume`; what arrives meanwhile is kept. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#runPending();
  }

  /** Begin the next request; the last one must be complete. */
  next(): void {
    this.#state = 'head';
    this.#runPending();
  }

  /** Unless it is at work already and will see by itself that it may go on. */
  #runPending(): void {
    if (this.#running) return;
    const bytes = this.#pending;
    this.#pending = EMPTY;
    this.#run(bytes, bytes.length);
  }

  /** Works on bytes[0, end) until they are used up or something has to be waited for; keeps a copy of the rest. */
  #run(bytes: Buffer, end: number): void {
    this.#running = true;
    let at = 0;
    let before = -1;
    let state: ReaderState | '' = '';
    while ((at !== before || this.#state !== state) && !(this.#paused && this.#state === 'body')) {
      before = at;
      state = this.#state;
      if (state === 'head') at = this.#readHead(bytes, at, end);
      else if (state === 'body') at = this.#readBody(bytes, at, end);
      else break;
    }
    this.#running = false;
    if (at < end && this.#state !== 'failed') this.#pending = Buffer.from(bytes.subarray(at, end));
  }

  #readHead(bytes: Buffer, from: number, end: number): number {
    const again = this.#searched === 0 ? this.head.repeatedUntil(bytes, from, end) : -1;
    if (again !== -1) {
      this.#begin();
      return again;
    }
    let at = from;
    // RFC 9112 section 2.2: empty lines before a request line are ignored. A lone CR may yet become one.
    if (this.#searched === 0) {
      while (bytes[at] === CR && bytes[at + 1] === LF && at + 1 < end) at += 2;
      if (at === end || (bytes[at] === CR && at + 1 === end)) return at;
    }
    const empty = findBlankLine(bytes, at + Math.max(0, this.#searched - 3), end);
    if (empty === -1) {
      const fault = this.#earlyFault(bytes, at, end);
      if (fault !== null) this.#fail(fault);
      this.#searched = end - at;
      return at;
    }
    const headEnd = empty + 4;
    const fault = headEnd - at > this.#limits.headBytes ? 'headTooLarge' : this.head.parse(bytes, at, headEnd);
    if (fault !== null) {
      this.#fail(this.#earlyFault(bytes, at, headEnd) ?? fault);
      return headEnd;
    }
    this.#searched = 0;
    this.#firstLineSeen = false;
    if (this.#limits.bodyBytes > 0 && this.head.bodyLength > this.#limits.bodyBytes) this.#fail('bodyTooLarge');
    else this.#begin();
    return headEnd;
  }

  #begin(): void {
    this.#bodyBytes = 0;
    this.#body.begin(this.head.bodyLength);
    this.#state = 'body';
    this.#sink.onHead(this.head);
  }

  /**
   * What is wrong with the head at bytes[at, end) that can be told before its end. The first byte that is wrong decides, so that the same
   * bytes have the same fault however they are cut.
   */
  #earlyFault(bytes: Buffer, at: number, end: number): RequestFault | null {
    const within = Math.min(end, at + this.#limits.headBytes);
    let from = at + this.#searched;
    if (!this.#firstLineSeen) {
      const lineEnd = bytes.indexOf('\r\n', Math.max(at, from - 1), 'latin1');
      if (lineEnd !== -1 && lineEnd + 2 <= within) {
        if (isHopeless(bytes, at, lineEnd, from)) return 'badRequest';
        const fault = firstLineFault(bytes, at, lineEnd);
        if (fault !== null) return fault;
        this.#firstLineSeen = true;
        from = lineEnd;
      }
    }
    if (isHopeless(bytes, at, within, from)) return 'badRequest';
    return end - at > this.#limits.headBytes ? this.#tooLarge(bytes, at) : null;
  }

  /** Too large a head is put down to the target when that is what fills it. */
  #tooLarge(bytes: Buffer, at: number): RequestFault {
    const lineEnd = bytes.indexOf('\r\n', at, 'latin1');
    const longest = Math.min(this.#limits.targetBytes + 64, this.#limits.headBytes - 1);
    return lineEnd === -1 || lineEnd - at > longest ? 'targetTooLong' : 'headTooLarge';
  }

  #readBody(bytes: Buffer, at: number, end: number): number {
    const body = this.#body;
    switch (body.step(bytes, at, end)) {
      case 'data':
        this.#bodyBytes += body.dataEnd - body.dataStart;
        if (
          this.head.bodyLength === CHUNKED &&
          this.#limits.bodyBytes > 0 &&
          this.#bodyBytes > this.#limits.bodyBytes
        ) {
          this.#fail('bodyTooLarge');
        } else {
          this.#sink.onBody(bytes, body.dataStart, body.dataEnd);
        }
        break;
      case 'end':
        this.#state = 'complete';
        this.#sink.onEnd(body.trailers);
        break;
      case 'malformed':
        this.#fail('badRequest');
        break;
      case 'more':
        break;
    }
    return body.at;
  }

  #fail(fault: RequestFault): void {
    this.#state = 'failed';
    this.#sink.onFault(fault);
  }
}
