/** A connection of the codec with a peer that is a test: bytes in, frames and events out. */
import { Http2Connection, type Http2Options } from '../../src/http2/connection.ts';
import { FieldBlock } from '../../src/http2/field-block.ts';
import type { Http2Fields } from '../../src/http2/fields.ts';
import type { RequestHead } from '../../src/http2/request.ts';
import type { ResponseHead } from '../../src/http2/response.ts';
import { type ConnectionSink, NO_SINK, type ResetCause, type StreamSink } from '../../src/http2/sinks.ts';
import type { Http2Stream } from '../../src/http2/stream.ts';
import { describeFrame, PREFACE, parseFrames, settings } from './frames.ts';

export const OPTIONS: Http2Options = {
  headBytes: 16_384,
  fields: 100,
  targetBytes: 8_192,
  bodyBytes: 0,
  initialWindow: 65_535,
  maxWindow: 1 << 20,
  connectionWindow: 1 << 20,
  maxConcurrentStreams: 100,
  stallMs: 0,
};

const OK = new FieldBlock([':status', '200'], null);

/** What one stream was told, in order. */
export class Half implements StreamSink {
  readonly stream: Http2Stream;
  readonly events: string[] = [];
  body = '';
  head: RequestHead | ResponseHead | null = null;
  trailers: Http2Fields | null = null;
  drains = 0;
  /** Answers 200 at the request's end. */
  answers = false;
  #commands: (() => void)[] = [];

  constructor(stream: Http2Stream) {
    this.stream = stream;
    stream.sink = this;
  }

  /** Done within the next call of `onData`. */
  atData(command: () => void): void {
    this.#commands.push(command);
  }

  /** 200, without its end. */
  respond(): void {
    this.stream.sendHead(OK, false);
  }

  onInterim(head: ResponseHead): void {
    this.events.push(`interim ${head.status}`);
  }

  onResponse(head: ResponseHead): void {
    this.head = head;
    this.events.push(`response ${head.status}`);
  }

  onData(bytes: Buffer, start: number, end: number): void {
    this.body += bytes.latin1Slice(start, end);
    this.#commands.shift()?.();
  }

  onEnd(trailers: Http2Fields | null): void {
    this.trailers = trailers;
    this.events.push('end');
    if (this.answers) this.stream.sendHead(OK, true);
  }

  onReset(code: number, cause: ResetCause): void {
    this.events.push(`reset ${code} ${cause}`);
  }

  onDrain(): void {
    this.drains++;
    this.events.push('drain');
  }
}

export class TestPeer implements ConnectionSink {
  readonly connection: Http2Connection;
  readonly halves: Half[] = [];
  readonly events: string[] = [];
  answers = true;
  refused: RequestHead | null = null;
  #written: Buffer[] = [];
  #seen = 0;

  constructor(role: 'server' | 'client', options: Partial<Http2Options> = {}) {
    this.connection = new Http2Connection(role, { ...OPTIONS, ...options }, this);
  }

  /** A server that has seen its client's preface and settings; what both say at the start is left out of `frames`. */
  static server(options: Partial<Http2Options> = {}, ...pairs: readonly (readonly [number, number])[]): TestPeer {
    const peer = new TestPeer('server', options);
    peer.feed(PREFACE, settings(...pairs));
    peer.skip();
    return peer;
  }

  static client(options: Partial<Http2Options> = {}, ...pairs: readonly (readonly [number, number])[]): TestPeer {
    const peer = new TestPeer('client', options);
    peer.feed(settings(...pairs));
    peer.skip();
    return peer;
  }

  /** Client role: a request under way. */
  request(method: string, endsStream: boolean): Half {
    const stream = this.connection.open(NO_SINK);
    if (stream === null) throw new Error('no stream to be had');
    const half = new Half(stream);
    this.halves.push(half);
    const flat = [':method', method, ':scheme', 'http', ':authority', 'a.example', ':path', '/'];
    stream.sendHead(new FieldBlock(flat, null), endsStream);
    return half;
  }

  /** In one piece; the codec must not keep the bytes. */
  feed(...pieces: readonly Uint8Array[]): void {
    const bytes = Buffer.concat(pieces);
    this.connection.feed(bytes, bytes.length);
    bytes.fill(0xee);
  }

  /** Frames written since the last call, in a few words each. */
  frames(): string[] {
    this.connection.flush();
    const frames = parseFrames(Buffer.concat(this.#written)).map(describeFrame);
    const fresh = frames.slice(this.#seen);
    this.#seen = frames.length;
    return fresh;
  }

  /** All that was written. */
  written(): Buffer {
    this.connection.flush();
    return Buffer.concat(this.#written);
  }

  skip(): void {
    this.frames();
  }

  get half(): Half {
    return this.halves.at(-1) as Half;
  }

  onRequest(stream: Http2Stream, head: RequestHead): void {
    const half = new Half(stream);
    half.head = head;
    half.answers = this.answers;
    this.halves.push(half);
  }

  onRefused(stream: Http2Stream, head: RequestHead): void {
    this.refused = head;
    this.events.push(`refused ${head.fault}`);
    stream.sendHead(OK, true);
  }

  onMalformed(): void {
    this.events.push('malformed');
  }

  onSettings(): void {
    this.events.push('settings');
  }

  onGoaway(code: number): void {
    this.events.push(`goaway ${code}`);
  }

  onPong(): void {
    this.events.push('pong');
  }

  onPending(): void {}

  onOutput(bytes: Buffer): boolean {
    this.#written.push(Buffer.from(bytes));
    bytes.fill(0xdd);
    return true;
  }

  onClosed(code: number, reason: string): void {
    this.events.push(`closed ${code}${reason === '' ? '' : `: ${reason}`}`);
  }
}
