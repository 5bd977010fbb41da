/** What header blocks mean (RFC 9113 section 8.1): a request or a response begins, an interim response comes, or a body ends with trailers. */
import { UNKNOWN } from './body-length.ts';
import { COMPRESSION_ERROR, NO_ERROR, PROTOCOL_ERROR, REFUSED_STREAM, STREAM_CLOSED } from './error-code.ts';
import { HeaderFrames } from './header-frames.ts';
import { HeaderReader, UNDECODABLE } from './header-reader.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { RequestHead } from './request.ts';
import type { ResponseHead } from './response.ts';
import { NO_SINK } from './sinks.ts';
import type { Http2Stream } from './stream.ts';

/** A block of so many times `headBytes` is no mistake any more. */
const BLOCK_FACTOR = 4;
/** What a head makes up for of frames that bring nothing. */
const HEAD_EARNS = 8;

export class HeaderBlocks {
  readonly #life: Lifecycle;
  readonly #frames: HeaderFrames;
  readonly #reader: HeaderReader;

  constructor(life: Lifecycle) {
    this.#life = life;
    this.#frames = new HeaderFrames(life.options.headBytes * BLOCK_FACTOR);
    this.#reader = new HeaderReader(life.options);
  }

  /** Stream whose block is not whole yet, so that only its CONTINUATION may come; 0: none. */
  get awaited(): number {
    return this.#frames.streamId;
  }

  onHeaders(flags: number, streamId: number, bytes: Buffer, at: number, end: number): void {
    const life = this.#life;
    if (streamId === 0 || (life.isServer && streamId % 2 === 0)) {
      life.fail(PROTOCOL_ERROR, 'HEADERS on a stream that a client cannot open');
      return;
    }
    this.#onHeaderFrame(this.#frames.headers(flags, streamId, bytes, at, end), streamId);
  }

  onContinuation(flags: number, streamId: number, bytes: Buffer, at: number, end: number): void {
    this.#onHeaderFrame(this.#frames.continuation(flags, bytes, at, end), streamId);
  }

  #onHeaderFrame(error: number, streamId: number): void {
    const life = this.#life;
    const frames = this.#frames;
    if (error !== NO_ERROR) {
      life.fail(error, 'a header block that cannot be read');
      return;
    }
    if (!frames.isWhole) return;
    life.chatter.earn(HEAD_EARNS);
    const stream = life.streams.get(streamId);
    if (stream !== null) this.#onBlockOf(stream);
    else if (life.isServer) this.#onNewBlock(streamId);
    else this.#onStrayBlock(streamId);
    frames.release();
  }

  /** A header block on an open stream. */
  #onBlockOf(stream: Http2Stream): void {
    const life = this.#life;
    const { bytes, at, end, endsStream, dependsOnItself } = this.#frames;
    if (stream.remoteEnded || dependsOnItself) {
      if (this.#skipBlock()) life.resetFor(stream, stream.remoteEnded ? STREAM_CLOSED : PROTOCOL_ERROR);
      return;
    }
    if (!life.isServer && !stream.hasResponse) {
      this.#onResponseBlock(stream);
      return;
    }
    const trailers = this.#reader.trailers(bytes, at, end);
    if (typeof trailers !== 'string' && endsStream) life.onRemoteEnd(stream, trailers);
    else if (trailers === UNDECODABLE) this.#failToDecode();
    else life.resetFor(stream, PROTOCOL_ERROR);
  }

  #onResponseBlock(stream: Http2Stream): void {
    const { bytes, at, end, endsStream } = this.#frames;
    const head = this.#reader.response(bytes, at, end, endsStream, stream.answersHead);
    if (typeof head === 'string') {
      if (head === UNDECODABLE) this.#failToDecode();
      else this.#life.resetFor(stream, PROTOCOL_ERROR);
    } else if (head.status < 200) {
      stream.sink.onInterim(head);
    } else {
      this.#onResponse(stream, head, endsStream);
    }
  }

  #onResponse(stream: Http2Stream, head: ResponseHead, endsStream: boolean): void {
    stream.hasResponse = true;
    stream.bodyLeft = head.bodyLength;
    stream.sink.onResponse(head);
    if (endsStream) this.#life.onRemoteEnd(stream, null);
  }

  /** Server role: a header block on a stream that is not open. */
  #onNewBlock(streamId: number): void {
    const life = this.#life;
    const streams = life.streams;
    const { endsStream, dependsOnItself, bytes, at, end } = this.#frames;
    if (streamId <= streams.last) {
      if (!this.#skipBlock() || streams.wasReset(streamId)) return;
      if (streams.isGap(streamId)) life.fail(PROTOCOL_ERROR, 'a stream was opened out of order');
      else life.fail(STREAM_CLOSED, 'HEADERS on a stream that was over');
      return;
    }
    if (dependsOnItself || streams.open.size >= life.options.maxConcurrentStreams) {
      this.#refuse(streamId, dependsOnItself ? PROTOCOL_ERROR : REFUSED_STREAM);
      return;
    }
    const head = this.#reader.request(bytes, at, end, endsStream);
    if (typeof head !== 'string') {
      this.#onRequest(life.begin(streamId), head, endsStream);
    } else if (head === UNDECODABLE) {
      this.#failToDecode();
    } else {
      streams.use(streamId);
      life.sink.onMalformed();
      life.resetId(streamId, PROTOCOL_ERROR);
    }
  }

  #onRequest(stream: Http2Stream, head: RequestHead, endsStream: boolean): void {
    const life = this.#life;
    if (head.fault !== null) {
      stream.bodyLeft = UNKNOWN;
      stream.sink = NO_SINK;
      if (endsStream) stream.remoteEnded = true;
      life.sink.onRefused(stream, head);
      return;
    }
    stream.bodyLeft = head.bodyLength;
    life.sink.onRequest(stream, head);
    if (endsStream && !stream.isClosed) life.onRemoteEnd(stream, null);
  }

  /** A stream is not opened; its block is decoded for the table's sake. */
  #refuse(streamId: number, code: number): void {
    const life = this.#life;
    life.streams.use(streamId);
    if (this.#skipBlock()) life.resetId(streamId, code);
  }

  /** Client role: a header block on a stream that is not open. */
  #onStrayBlock(streamId: number): void {
    const life = this.#life;
    if (life.isIdle(streamId)) life.fail(PROTOCOL_ERROR, 'HEADERS on a stream that was never opened');
    else this.#skipBlock();
  }

  #skipBlock(): boolean {
    const { bytes, at, end } = this.#frames;
    if (this.#reader.skip(bytes, at, end)) return true;
    this.#failToDecode();
    return false;
  }

  #failToDecode(): void {
    this.#life.fail(COMPRESSION_ERROR, 'a header block cannot be decoded');
  }
}
