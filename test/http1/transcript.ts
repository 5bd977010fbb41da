/** What the readers tell about a stream of bytes, written down so that it can be compared. */
import type { Fields } from '../../src/fields.ts';
import type { RequestFault, ResponseFault } from '../../src/http1/fault.ts';
import { UPGRADE } from '../../src/http1/known.ts';
import type { RequestHead } from '../../src/http1/request.ts';
import { type RequestLimits, RequestReader, type RequestSink } from '../../src/http1/request-reader.ts';
import type { ResponseHead } from '../../src/http1/response.ts';
import { ResponseHeads } from '../../src/http1/response-heads.ts';
import { type ResponseLimits, ResponseReader, type ResponseSink } from '../../src/http1/response-reader.ts';

export const REQUEST_LIMITS: RequestLimits = { headBytes: 16_384, fields: 100, targetBytes: 8_192, bodyBytes: 0 };
export const RESPONSE_LIMITS: ResponseLimits = { headBytes: 16_384, fields: 100 };

export interface SeenRequest {
  readonly method: string;
  readonly target: string;
  readonly authority: string;
  readonly minorVersion: number;
  readonly keepAlive: boolean;
  /** Whether it asks for another protocol: what comes behind it may not be HTTP. */
  readonly wantsUpgrade: boolean;
  /** Names and values in turn. */
  readonly fields: readonly string[];
  /** One character a byte. */
  body: string;
  trailers: readonly string[];
  isComplete: boolean;
}

export interface SeenResponse {
  readonly status: number;
  readonly reason: string;
  readonly keepAlive: boolean;
  readonly fields: readonly string[];
  body: string;
  trailers: readonly string[];
  isComplete: boolean;
}

export function flat(fields: Fields | null): string[] {
  const list: string[] = [];
  fields?.visit((name, value) => list.push(name, value));
  return list;
}

/** What may stand behind the bytes of a read in a buffer that is used for all reads: the ends of older messages. */
const STALE = ['\n\r\n\r\n', '\r\n\r\n', '0\r\n\r\n', 'a'].map((text) => Buffer.from(text.repeat(4)));

/** Hands bytes over as a socket does: in a buffer with older bytes behind them, all of which are overwritten afterwards. */
function lend(bytes: Uint8Array, feed: (read: Buffer, end: number) => void): void {
  const end = bytes.length;
  const read = Buffer.concat([bytes, STALE[end % STALE.length] as Buffer]);
  feed(read, end);
  read.fill(0x21);
}

/** A connection's owner that asks for the next request as soon as one is complete, until the client wants the connection closed. */
export class RequestTranscript implements RequestSink {
  readonly requests: SeenRequest[] = [];
  fault: RequestFault | null = null;
  /** Most bytes that the reader held back after a feed. */
  mostBuffered = 0;
  readonly reader: RequestReader;

  constructor(limits: RequestLimits = REQUEST_LIMITS) {
    this.reader = new RequestReader(limits, this);
  }

  get last(): SeenRequest | undefined {
    return this.requests.at(-1);
  }

  feed(bytes: Uint8Array): void {
    lend(bytes, (read, end) => this.reader.feed(read, end));
    this.mostBuffered = Math.max(this.mostBuffered, this.reader.buffered);
  }

  onHead(head: RequestHead): void {
    const { method, target, authority, minorVersion, keepAlive, connection, fields } = head;
    const wantsUpgrade = connection.upgrade && fields.has(UPGRADE);
    const seen = { method, target, authority, minorVersion, keepAlive, wantsUpgrade, fields: flat(fields) };
    this.requests.push({ ...seen, body: '', trailers: [], isComplete: false });
  }

  onBody(bytes: Buffer, start: number, end: number): void {
    const { last } = this;
    if (last === undefined || last.isComplete) throw new Error('a body without a head');
    last.body += bytes.toString('latin1', start, end);
  }

  onEnd(trailers: Fields | null): void {
    const { last } = this;
    if (last === undefined || last.isComplete) throw new Error('an end without a head');
    last.trailers = flat(trailers);
    last.isComplete = true;
    if (last.keepAlive) this.reader.next();
  }

  onFault(fault: RequestFault): void {
    if (this.fault !== null) throw new Error('two faults');
    this.fault = fault;
  }

  /** Everything that a reader tells, as one value. */
  get told(): { requests: readonly SeenRequest[]; fault: RequestFault | null } {
    return { requests: this.requests, fault: this.fault };
  }
}

/** The transcript of a connection whose bytes arrive in these pieces. */
export function readRequests(pieces: Iterable<Uint8Array>, limits: RequestLimits = REQUEST_LIMITS): RequestTranscript {
  const transcript = new RequestTranscript(limits);
  for (const piece of pieces) transcript.feed(piece);
  return transcript;
}

/** A connection to a backend on which one request was sent. */
export class ResponseTranscript implements ResponseSink {
  readonly interim: number[] = [];
  readonly responses: SeenResponse[] = [];
  fault: ResponseFault | null = null;
  tunnel: string | null = null;
  readonly reader: ResponseReader;

  /** @param heads shared with other connections to the same endpoint */
  constructor(limits: ResponseLimits = RESPONSE_LIMITS, heads = new ResponseHeads(limits.fields)) {
    this.reader = new ResponseReader(limits, heads, this);
  }

  get last(): SeenResponse | undefined {
    return this.responses.at(-1);
  }

  feed(bytes: Uint8Array): void {
    lend(bytes, (read, end) => this.reader.feed(read, end));
  }

  onInterim(head: ResponseHead): void {
    this.interim.push(head.status);
  }

  onHead(head: ResponseHead): void {
    const { status, reason, keepAlive, fields } = head;
    this.responses.push({ status, reason, keepAlive, fields: flat(fields), body: '', trailers: [], isComplete: false });
  }

  onBody(bytes: Buffer, start: number, end: number): void {
    const { last } = this;
    if (last === undefined || last.isComplete) throw new Error('a body without a head');
    last.body += bytes.toString('latin1', start, end);
  }

  onEnd(trailers: Fields | null): void {
    const { last } = this;
    if (last === undefined || last.isComplete) throw new Error('an end without a head');
    last.trailers = flat(trailers);
    last.isComplete = true;
  }

  onTunnel(_head: ResponseHead, rest: Buffer): void {
    this.tunnel = rest.toString('latin1');
  }

  onFault(fault: ResponseFault): void {
    if (this.fault !== null) throw new Error('two faults');
    this.fault = fault;
  }

  get told(): Pick<ResponseTranscript, 'interim' | 'responses' | 'fault' | 'tunnel'> {
    return { interim: this.interim, responses: this.responses, fault: this.fault, tunnel: this.tunnel };
  }
}

export interface ResponseReading {
  readonly answersHead?: boolean;
  readonly mayUpgrade?: boolean;
  /** Whether the backend ends the connection behind the last piece. */
  readonly ends?: boolean;
  readonly limits?: ResponseLimits;
}

export function readResponse(pieces: Iterable<Uint8Array>, reading: ResponseReading = {}): ResponseTranscript {
  const transcript = new ResponseTranscript(reading.limits);
  transcript.reader.expect(reading.answersHead === true, reading.mayUpgrade === true);
  for (const piece of pieces) transcript.feed(piece);
  if (reading.ends === true) transcript.reader.end();
  return transcript;
}
