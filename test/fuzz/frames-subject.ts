/** Frames for either role of the HTTP/2 codec: nothing throws, cuts make no difference, what is written is frames, and nothing piles up. */

import { Http2Connection, type Http2Options } from '../../src/http2/connection.ts';
import { FieldBlock } from '../../src/http2/field-block.ts';
import type { Http2Fields } from '../../src/http2/fields.ts';
import type { RequestHead } from '../../src/http2/request.ts';
import type { ResponseHead } from '../../src/http2/response.ts';
import { type ConnectionSink, NO_SINK, type StreamSink } from '../../src/http2/sinks.ts';
import type { Http2Stream } from '../../src/http2/stream.ts';
import { describeFrame, parseFrames } from '../http2/frames.ts';
import type { Judgement, Subject } from './campaign.ts';
import type { Verdict } from './divergence.ts';
import { generateFrames } from './frame-generator.ts';
import { Random } from './random.ts';

const OPTIONS: Http2Options = {
  headBytes: 1_024,
  fields: 20,
  targetBytes: 100,
  bodyBytes: 0,
  initialWindow: 65_535,
  maxWindow: 65_535,
  connectionWindow: 65_535,
  maxConcurrentStreams: 4,
  stallMs: 1_000,
};
const RESPONSE = new FieldBlock([':status', '200', 'x-a', 'b'], null);
const REQUEST = new FieldBlock([':method', 'GET', ':scheme', 'http', ':authority', 'a', ':path', '/'], null);
const TRAILERS = new FieldBlock(['grpc-status', '0'], null);
const BODY = Buffer.alloc(100, 0x62);
/** Frames that are not the same wherever the bytes are cut: windows are given back when data is used up. */
const BY_PIECE = /^WINDOW_UPDATE/;
/** Bytes written for one that came, and for the beginning. */
const MOST_ANSWER = 40;
const OPENING_BYTES = 2_000;
/** Where every piece of a sequence that comes cut is put. */
const READ = Buffer.alloc(64);

/** Answers streams in ways that depend on their numbers only. */
class Script implements ConnectionSink {
  readonly connection: Http2Connection;
  readonly told: string[] = [];
  readonly written: Buffer[] = [];
  #paused: Http2Stream | null = null;

  constructor(role: 'server' | 'client') {
    this.connection = new Http2Connection(role, OPTIONS, this);
    if (role === 'client') this.#ask();
  }

  #ask(): void {
    for (let i = 0; i < 4; i++) {
      const stream = this.connection.open(NO_SINK);
      if (stream === null) return;
      stream.sink = this.#sinkOf(stream);
      stream.sendHead(REQUEST, i % 2 === 0);
      if (i % 2 === 1) stream.sendData(BODY, 0, BODY.length);
    }
  }

  #sinkOf(stream: Http2Stream): StreamSink {
    let body = 0;
    const tell = (what: string): void => void this.told.push(`${stream.id} ${what}`);
    return {
      onInterim: (head: ResponseHead) => tell(`interim ${head.status}`),
      onResponse: (head: ResponseHead) => tell(`response ${head.status} ${head.fields.flat.join()}`),
      onData: (_, start, end) => {
        body += end - start;
      },
      onEnd: (trailers: Http2Fields | null) => {
        tell(`end ${body} ${trailers?.flat.join()}`);
        if (!stream.hasResponse) this.#answer(stream);
      },
      onReset: (code, cause) => tell(`reset ${code} ${cause}`),
      onDrain: () => tell('drain'),
    };
  }

  #answer(stream: Http2Stream): void {
    if (stream.id % 3 === 0) stream.reset(8);
    stream.sendHead(RESPONSE, false);
    stream.sendData(BODY, 0, BODY.length);
    stream.sendEnd(stream.id % 4 === 1 ? TRAILERS : null);
  }

  onRequest(stream: Http2Stream, head: RequestHead): void {
    this.told.push(`${stream.id} ${head.method} ${head.target} ${head.bodyLength} ${head.fields.flat.join()}`);
    stream.sink = this.#sinkOf(stream);
    this.#paused?.resume();
    this.#paused = null;
    if (stream.id % 5 !== 0) return;
    stream.pause();
    this.#paused = stream;
  }

  onRefused(stream: Http2Stream, head: RequestHead): void {
    this.told.push(`${stream.id} refused ${head.fault}`);
    stream.sendHead(RESPONSE, true);
  }

  onMalformed(): void {
    this.told.push('malformed');
  }

  onSettings(): void {
    this.told.push('settings');
  }

  onGoaway(code: number): void {
    this.told.push(`goaway ${code}`);
  }

  onPong(): void {}

  onPending(): void {}

  onOutput(bytes: Buffer): boolean {
    this.written.push(Buffer.from(bytes));
    return true;
  }

  onClosed(code: number, reason: string): void {
    this.told.push(`closed ${code} ${reason}`);
  }

  finish(): string[] {
    this.#paused?.resume();
    this.connection.sweep(1);
    this.connection.sweep(5_000);
    this.connection.flush();
    return this.told;
  }
}

export function framesSubject(role: 'server' | 'client'): Subject {
  return {
    name: role === 'server' ? 'http2' : 'http2-client',
    begin: (seed) => () => judge(role, new Random(seed)),
  };
}

function judge(role: 'server' | 'client', random: Random): Judgement {
  const bytes = generateFrames(random, role);
  const whole = new Script(role);
  whole.connection.feed(Buffer.from(bytes), bytes.length);
  const cut = new Script(role);
  const most = random.chance(0.2) ? 1 : 40;
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + 1 + random.below(most));
    // Written over by the next piece, as the buffer of a read is.
    bytes.copy(READ, 0, at, end);
    cut.connection.feed(READ, end - at);
    at = end;
  }
  return { verdict: compare(whole, cut, bytes.length), bytes };
}

function compare(whole: Script, cut: Script, length: number): Verdict {
  const [a, b] = [whole.finish().join('\n'), cut.finish().join('\n')];
  if (a !== b) return { kind: 'failed', what: `told otherwise when cut:\n${a}\n---\n${b}` };
  const [x, y] = [framesOf(whole), framesOf(cut)];
  if (x !== y) return { kind: 'failed', what: `answered otherwise when cut:\n${x}\n---\n${y}` };
  const written = whole.written.reduce((sum, piece) => sum + piece.length, 0);
  if (written > OPENING_BYTES + length * MOST_ANSWER) return { kind: 'failed', what: `${written} bytes for ${length}` };
  if (whole.connection.openStreams > OPTIONS.maxConcurrentStreams) return { kind: 'failed', what: 'too many streams' };
  return { kind: 'same' };
}

function framesOf({ written }: Script): string {
  return parseFrames(Buffer.concat(written))
    .map(describeFrame)
    .filter((text) => !BY_PIECE.test(text))
    .join('\n');
}
