/**
 * One end of an HTTP/2 connection (RFC 9113) without the transport: bytes in, events out, bytes out. No socket, no clock. Whatever the peer
 * sends, nothing here throws.
 */

import { UNKNOWN } from './body-length.ts';
import { Budget } from './budget.ts';
import {
  CANCEL,
  COMPRESSION_ERROR,
  ENHANCE_YOUR_CALM,
  FLOW_CONTROL_ERROR,
  FRAME_SIZE_ERROR,
  NO_ERROR,
  PROTOCOL_ERROR,
  REFUSED_STREAM,
  STREAM_CLOSED,
} from './error-code.ts';
import type { FieldBlock } from './field-block.ts';
import type { Http2Fields } from './fields.ts';
import {
  ACK,
  CONTINUATION,
  END_STREAM,
  GOAWAY,
  HEADERS,
  MAX_31_BITS,
  PING,
  PRIORITY,
  PUSH_PROMISE,
  RST_STREAM,
  readUint31,
  readUint32,
  SETTINGS,
  WINDOW_UPDATE,
} from './frame.ts';
import { FrameReader, type FrameSink } from './frame-reader.ts';
import { FrameWriter } from './frame-writer.ts';
import { HeaderFrames } from './header-frames.ts';
import { HeaderReader, type HeadLimits, MALFORMED, UNDECODABLE } from './header-reader.ts';
import { Output } from './output.ts';
import { Receiver, type Windows } from './receiver.ts';
import type { RequestHead } from './request.ts';
import type { ResponseHead } from './response.ts';
import { Sender } from './sender.ts';
import {
  ENABLE_PUSH,
  INITIAL_WINDOW_SIZE,
  MAX_CONCURRENT_STREAMS,
  MAX_HEADER_LIST_SIZE,
  PeerSettings,
  SETTING_BYTES,
} from './settings.ts';
import { type ConnectionSink, NO_SINK, type StreamSink } from './sinks.ts';
import { Http2Stream, type StreamCommands } from './stream.ts';
import { StreamTable } from './stream-table.ts';

export interface Http2Options extends HeadLimits, Windows {
  /** Streams that the peer may have open at a time; a client's peer opens none. */
  readonly maxConcurrentStreams: number;
  /** How long data may wait for the peer to take some before its stream is reset, in milliseconds; 0: for ever. */
  readonly stallMs: number;
}

/** A block of so many times `headBytes` is no mistake any more. */
const BLOCK_FACTOR = 4;

/** Frames that cost work and bring nothing, put up with beyond what useful ones earn. */
const CHATTER = 1_000;
const CHATTER_PER_SECOND = 100;
const HEAD_EARNS = 8;
const DATA_EARNS = 2;
const SETTINGS_COST = 8;
/** Streams reset before their answer has begun, by the peer or for its fault. */
const RESETS_PER_SECOND = 100;

const OUR_PING = Buffer.from('crossfad', 'latin1');
const LAST_CALL_PING = Buffer.from('lastcall', 'latin1');
/** How long the peer may take to answer the first GOAWAY before the second is sent regardless. */
const LAST_CALL_MS = 1_000;

export class Http2Connection implements FrameSink, StreamCommands {
  readonly peer = new PeerSettings();
  readonly #isServer: boolean;
  readonly #options: Http2Options;
  readonly #sink: ConnectionSink;
  readonly #output: Output;
  readonly #writer: FrameWriter;
  readonly #reader: FrameReader;
  readonly #headers: HeaderReader;
  readonly #headerFrames: HeaderFrames;
  readonly #receiver: Receiver;
  readonly #sender: Sender;
  readonly #streams = new StreamTable();
  readonly #chatter = new Budget(CHATTER, CHATTER_PER_SECOND);
  readonly #resets: Budget;
  #hasSettings = false;
  #isClosed = false;
  /** The stream of the DATA frame that is being read; null: nobody wants it. */
  #dataStream: Http2Stream | null = null;
  #isDataEmpty = false;
  #nextId = 1;
  /** No stream is opened any more: we, or the peer, said so. */
  #isLeaving = false;
  /** Streams above are not served: the second GOAWAY named this one. */
  #lastServed = MAX_31_BITS;
  #lastCallMs = 0;
  #awaitsPong = false;
  #nowMs = 0;

  /** What opens the connection is pending at once. */
  constructor(role: 'server' | 'client', options: Http2Options, sink: ConnectionSink) {
    this.#isServer = role === 'server';
    this.#options = options;
    this.#sink = sink;
    this.#resets = new Budget(options.maxConcurrentStreams, RESETS_PER_SECOND);
    this.#output = new Output(sink);
    this.#writer = new FrameWriter(this.#output);
    this.#reader = new FrameReader(this.#isServer, this);
    this.#headers = new HeaderReader(options);
    this.#headerFrames = new HeaderFrames(options.headBytes * BLOCK_FACTOR);
    this.#receiver = new Receiver(options, this.#writer);
    this.#sender = new Sender(this.#output, this.#writer, (stream) => this.#onLocalEnd(stream));
    this.#open();
  }

  #open(): void {
    const { initialWindow, headBytes, maxConcurrentStreams } = this.#options;
    if (!this.#isServer) this.#writer.preface();
    const settings = [INITIAL_WINDOW_SIZE, initialWindow, MAX_HEADER_LIST_SIZE, headBytes];
    if (this.#isServer) settings.push(MAX_CONCURRENT_STREAMS, maxConcurrentStreams);
    else settings.push(ENABLE_PUSH, 0);
    this.#writer.settings(settings);
    this.#receiver.announce();
  }

  /** Whether the peer's first settings have come. */
  get hasSettings(): boolean {
    return this.#hasSettings;
  }

  /** Nothing more is read; what is pending may still be flushed. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** No stream can be opened any more. */
  get isLeaving(): boolean {
    return this.#isLeaving || this.#isClosed;
  }

  get openStreams(): number {
    return this.#streams.open.size;
  }

  /** bytes[0, end) have come from the peer; they are the caller's again when the call returns. A client's begin with its preface. */
  feed(bytes: Buffer, end: number): void {
    this.#reader.feed(bytes, end);
  }

  /** What is pending goes to the sink. */
  flush(): void {
    this.#output.flush();
  }

  /** The transport can take no more for now. */
  block(): void {
    this.#output.isBlocked = true;
  }

  /** The transport can take more again. */
  onDrained(): void {
    this.#output.isBlocked = false;
    this.#sender.pump();
  }

  /** @param nowMs of a clock that only rises; to be called some ten times a second */
  sweep(nowMs: number): void {
    const elapsedMs = this.#nowMs === 0 ? 0 : nowMs - this.#nowMs;
    this.#nowMs = nowMs;
    this.#sender.nowMs = nowMs;
    this.#receiver.nowMs = nowMs;
    this.#chatter.passed(elapsedMs);
    this.#resets.passed(elapsedMs);
    if (this.#isClosed) return;
    const { stallMs } = this.#options;
    if (stallMs > 0) for (const stream of this.#sender.stalled(stallMs)) this.#resetFor(stream, CANCEL);
    if (this.#lastCallMs > 0 && nowMs - this.#lastCallMs >= LAST_CALL_MS) this.#closeDoor();
  }

  /**
   * Ends the connection in an orderly way: a server says so and answers what comes until its client has heard it (RFC 9113 section 6.8); a client
   * opens no more streams. `onClosed` follows when the last stream has ended.
   */
  shutdown(): void {
    if (this.#isClosed || this.#lastCallMs > 0 || this.#lastServed !== MAX_31_BITS) return;
    if (!this.#isServer) {
      this.#isLeaving = true;
      this.#leaveWhenIdle();
      return;
    }
    this.#writer.goaway(MAX_31_BITS, NO_ERROR);
    this.#writer.ping(0, LAST_CALL_PING, 0);
    this.#lastCallMs = this.#nowMs === 0 ? 1 : this.#nowMs;
  }

  /** Ends the connection and all its streams at once. */
  close(code: number): void {
    this.#fail(code, 'closed');
  }

  /** The transport is gone: whatever runs is over. */
  detach(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#reader.stop();
    this.#dropStreams(CANCEL);
  }

  /** Client role. Null: no stream can be had, now or any more. */
  open(sink: StreamSink): Http2Stream | null {
    if (this.isLeaving || this.#nextId > MAX_31_BITS || this.openStreams >= this.peer.maxConcurrentStreams) return null;
    const stream = this.#begin(this.#nextId);
    this.#nextId += 2;
    stream.sink = sink;
    stream.bodyLeft = UNKNOWN;
    return stream;
  }

  /** False: the last one has not been answered. */
  ping(): boolean {
    if (this.#awaitsPong || this.#isClosed) return false;
    this.#awaitsPong = true;
    this.#writer.ping(0, OUR_PING, 0);
    return true;
  }

  // From the streams' owners.

  sendHead(stream: Http2Stream, block: FieldBlock, endsStream: boolean): void {
    const first = block.flat[1] as string;
    if (!this.#isServer) stream.answersHead = first === 'HEAD';
    else if (first.charCodeAt(0) !== 0x31) stream.hasResponse = true;
    this.#sender.head(stream, block, endsStream);
  }

  sendData(stream: Http2Stream, bytes: Buffer, start: number, end: number): boolean {
    return this.#sender.data(stream, bytes, start, end);
  }

  sendEnd(stream: Http2Stream, trailers: FieldBlock | null): void {
    this.#sender.end(stream, trailers);
  }

  resume(stream: Http2Stream): void {
    if (stream.isClosed) return;
    this.#receiver.release(stream);
    this.#closeWhenOver(stream);
  }

  reset(stream: Http2Stream, code: number): void {
    if (stream.isClosed) return;
    this.#writer.reset(stream.id, code);
    this.#streams.rememberReset(stream.id);
    this.#close(stream);
  }

  // From the frame reader.

  onFrameFault(code: number, reason: string): void {
    this.#fail(code, reason);
  }

  onDataFrame(streamId: number, length: number): void {
    this.#dataStream = null;
    this.#isDataEmpty = true;
    if (!this.#hasSettings || this.#headerFrames.streamId !== 0) {
      this.#fail(PROTOCOL_ERROR, 'DATA where it must not stand');
      return;
    }
    if (!this.#receiver.take(length)) {
      this.#fail(FLOW_CONTROL_ERROR, 'more data than the window of the connection allows');
      return;
    }
    const stream = this.#streams.get(streamId);
    if (stream === null) {
      this.#strayData(streamId, length);
    } else if (stream.remoteEnded) {
      this.#receiver.used(length);
      this.#resetFor(stream, STREAM_CLOSED);
    } else if (!this.#receiver.takeOn(stream, length)) {
      this.#receiver.used(length);
      this.#resetFor(stream, FLOW_CONTROL_ERROR);
    } else if (!this.#isServer && !stream.hasResponse) {
      this.#receiver.used(length);
      this.#resetFor(stream, PROTOCOL_ERROR);
    } else {
      this.#dataStream = stream;
    }
  }

  /** DATA on a stream that is not open. */
  #strayData(streamId: number, length: number): void {
    if (streamId === 0 || this.#isIdle(streamId)) this.#fail(PROTOCOL_ERROR, 'DATA on a stream that was never opened');
    else if (this.#isServer && streamId <= this.#lastServed && !this.#streams.wasReset(streamId)) {
      this.#fail(STREAM_CLOSED, 'DATA on a stream that was over');
    } else this.#receiver.used(length);
  }

  onDataRange(bytes: Buffer, at: number, end: number): void {
    const stream = this.#dataStream;
    if (stream === null) return;
    this.#isDataEmpty = false;
    if (stream.isClosed) {
      this.#receiver.used(end - at);
      return;
    }
    if (stream.bodyLeft !== UNKNOWN) {
      stream.bodyLeft -= end - at;
      if (stream.bodyLeft < 0) {
        this.#receiver.used(end - at);
        this.#resetFor(stream, PROTOCOL_ERROR);
        return;
      }
    }
    this.#receiver.data(stream, bytes, at, end);
  }

  onDataFrameEnd(flags: number, unused: number): void {
    const stream = this.#dataStream;
    this.#dataStream = null;
    if (stream === null || this.#isClosed) return;
    if (unused > 0) this.#receiver.usedOn(stream, unused);
    if (!this.#isDataEmpty) this.#chatter.earn(DATA_EARNS);
    if ((flags & END_STREAM) !== 0) this.#onRemoteEnd(stream, null);
    else if (this.#isDataEmpty) this.#putUpWith(1);
  }

  onFrame(type: number, flags: number, streamId: number, bytes: Buffer, at: number, end: number): void {
    const isFirst = !this.#hasSettings && (type !== SETTINGS || (flags & ACK) !== 0);
    const awaited = this.#headerFrames.streamId;
    if (isFirst || (awaited === 0 ? type === CONTINUATION : type !== CONTINUATION || streamId !== awaited)) {
      this.#fail(PROTOCOL_ERROR, 'a frame where it must not stand');
      return;
    }
    switch (type) {
      case HEADERS:
        this.#onHeaders(flags, streamId, bytes, at, end);
        break;
      case CONTINUATION:
        this.#onContinuation(flags, streamId, bytes, at, end);
        break;
      case PRIORITY:
        this.#onPriority(streamId, bytes, at, end);
        break;
      case RST_STREAM:
        this.#onReset(streamId, bytes, at, end);
        break;
      case SETTINGS:
        this.#onSettings(flags, streamId, bytes, at, end);
        break;
      case PUSH_PROMISE:
        this.#fail(PROTOCOL_ERROR, 'PUSH_PROMISE is not allowed');
        break;
      case PING:
        this.#onPing(flags, streamId, bytes, at, end);
        break;
      case GOAWAY:
        this.#onGoaway(streamId, bytes, at, end);
        break;
      case WINDOW_UPDATE:
        this.#onWindowUpdate(streamId, bytes, at, end);
        break;
      default:
        // RFC 9113 section 5.5: unknown frames are ignored.
        this.#putUpWith(1);
    }
  }

  #onHeaders(flags: number, streamId: number, bytes: Buffer, at: number, end: number): void {
    if (streamId === 0 || (this.#isServer && streamId % 2 === 0)) {
      this.#fail(PROTOCOL_ERROR, 'HEADERS on a stream that a client cannot open');
      return;
    }
    this.#onHeaderFrame(this.#headerFrames.headers(flags, streamId, bytes, at, end), streamId);
  }

  #onContinuation(flags: number, streamId: number, bytes: Buffer, at: number, end: number): void {
    this.#onHeaderFrame(this.#headerFrames.continuation(flags, bytes, at, end), streamId);
  }

  #onHeaderFrame(error: number, streamId: number): void {
    const frames = this.#headerFrames;
    if (error !== NO_ERROR) {
      this.#fail(error, 'a header block that cannot be read');
      return;
    }
    if (!frames.isWhole) return;
    this.#chatter.earn(HEAD_EARNS);
    const stream = this.#streams.get(streamId);
    if (stream !== null) this.#onBlockOf(stream);
    else if (this.#isServer) this.#onNewBlock(streamId);
    else this.#onStrayBlock(streamId);
    frames.release();
  }

  /** A header block on an open stream. */
  #onBlockOf(stream: Http2Stream): void {
    const { bytes, at, end, endsStream, dependsOnItself } = this.#headerFrames;
    if (stream.remoteEnded || dependsOnItself) {
      if (this.#skipBlock()) this.#resetFor(stream, stream.remoteEnded ? STREAM_CLOSED : PROTOCOL_ERROR);
      return;
    }
    if (!this.#isServer && !stream.hasResponse) {
      this.#onResponseBlock(stream);
      return;
    }
    const trailers = this.#headers.trailers(bytes, at, end);
    if (trailers === UNDECODABLE) this.#failToDecode();
    else if (trailers === MALFORMED || !endsStream) this.#resetFor(stream, PROTOCOL_ERROR);
    else this.#onRemoteEnd(stream, trailers);
  }

  #onResponseBlock(stream: Http2Stream): void {
    const { bytes, at, end, endsStream } = this.#headerFrames;
    const head = this.#headers.response(bytes, at, end, endsStream, stream.answersHead);
    if (head === UNDECODABLE) {
      this.#failToDecode();
    } else if (head === MALFORMED) {
      this.#resetFor(stream, PROTOCOL_ERROR);
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
    if (endsStream) this.#onRemoteEnd(stream, null);
  }

  /** Server role: a header block on a stream that is not open. */
  #onNewBlock(streamId: number): void {
    const streams = this.#streams;
    const { endsStream, dependsOnItself, bytes, at, end } = this.#headerFrames;
    if (streamId <= streams.last) {
      if (!this.#skipBlock() || streams.wasReset(streamId)) return;
      if (streams.isGap(streamId)) this.#fail(PROTOCOL_ERROR, 'a stream was opened out of order');
      else this.#fail(STREAM_CLOSED, 'HEADERS on a stream that was over');
      return;
    }
    if (streamId > this.#lastServed) {
      this.#skipBlock();
      return;
    }
    if (dependsOnItself || streams.open.size >= this.#options.maxConcurrentStreams) {
      this.#refuse(streamId, dependsOnItself ? PROTOCOL_ERROR : REFUSED_STREAM);
      return;
    }
    const head = this.#headers.request(bytes, at, end, endsStream);
    if (head === UNDECODABLE) {
      this.#failToDecode();
    } else if (head === MALFORMED) {
      streams.use(streamId);
      this.#sink.onMalformed();
      this.#resetId(streamId, PROTOCOL_ERROR);
    } else {
      this.#onRequest(this.#begin(streamId), head, endsStream);
    }
  }

  #onRequest(stream: Http2Stream, head: RequestHead, endsStream: boolean): void {
    if (head.fault !== null) {
      stream.bodyLeft = UNKNOWN;
      stream.sink = NO_SINK;
      if (endsStream) stream.remoteEnded = true;
      this.#sink.onRefused(stream, head);
      return;
    }
    stream.bodyLeft = head.bodyLength;
    this.#sink.onRequest(stream, head);
    if (endsStream && !stream.isClosed) this.#onRemoteEnd(stream, null);
  }

  /** A stream is not opened; its block is decoded for the table's sake. */
  #refuse(streamId: number, code: number): void {
    this.#streams.use(streamId);
    if (this.#skipBlock()) this.#resetId(streamId, code);
  }

  /** Client role: a header block on a stream that is not open. */
  #onStrayBlock(streamId: number): void {
    if (this.#isIdle(streamId)) this.#fail(PROTOCOL_ERROR, 'HEADERS on a stream that was never opened');
    else this.#skipBlock();
  }

  #skipBlock(): boolean {
    const { bytes, at, end } = this.#headerFrames;
    if (this.#headers.skip(bytes, at, end)) return true;
    this.#failToDecode();
    return false;
  }

  #failToDecode(): void {
    this.#fail(COMPRESSION_ERROR, 'a header block cannot be decoded');
  }

  #onPriority(streamId: number, bytes: Buffer, at: number, end: number): void {
    if (streamId === 0) {
      this.#fail(PROTOCOL_ERROR, 'PRIORITY without a stream');
      return;
    }
    // RFC 9113 section 5.3.2: read and ignored, but for what it must never say.
    const stream = this.#streams.get(streamId);
    const error = end - at !== 5 ? FRAME_SIZE_ERROR : readUint31(bytes, at) === streamId ? PROTOCOL_ERROR : NO_ERROR;
    if (error === NO_ERROR) this.#putUpWith(1);
    else if (stream === null) this.#fail(error, 'PRIORITY that makes no sense');
    else this.#resetFor(stream, error);
  }

  #onReset(streamId: number, bytes: Buffer, at: number, end: number): void {
    if (streamId === 0 || this.#isIdle(streamId) || end - at !== 4) {
      this.#fail(end - at === 4 ? PROTOCOL_ERROR : FRAME_SIZE_ERROR, 'RST_STREAM that makes no sense');
      return;
    }
    const stream = this.#streams.get(streamId);
    const code = readUint32(bytes, at);
    if (stream === null) {
      this.#putUpWith(1);
    } else if (!this.#isServer && stream.remoteEnded && code === NO_ERROR) {
      // RFC 9113 section 8.1: the response is whole, and the rest of the request is not wanted.
      stream.localEnded = true;
      this.#sender.forget(stream);
      this.#closeWhenOver(stream);
    } else {
      const isEarly = this.#isServer && !stream.hasResponse;
      const { sink } = stream;
      this.#close(stream);
      sink.onReset(code, 'peer');
      if (isEarly) this.#countReset();
    }
  }

  #onSettings(flags: number, streamId: number, bytes: Buffer, at: number, end: number): void {
    const isAck = (flags & ACK) !== 0;
    const length = end - at;
    if (streamId !== 0 || length % SETTING_BYTES !== 0 || (isAck && length > 0)) {
      this.#fail(streamId === 0 ? FRAME_SIZE_ERROR : PROTOCOL_ERROR, 'SETTINGS that make no sense');
      return;
    }
    if (isAck) {
      this.#putUpWith(1);
      return;
    }
    if (!this.#putUpWith(SETTINGS_COST + length / SETTING_BYTES)) return;
    this.#hasSettings = true;
    const { peer } = this;
    const windowBefore = peer.initialWindow;
    const error = peer.apply(bytes, at, end);
    if (
      error !== NO_ERROR ||
      !this.#sender.moveWindows(this.#streams.open.values(), peer.initialWindow - windowBefore)
    ) {
      this.#fail(error === NO_ERROR ? FLOW_CONTROL_ERROR : error, 'SETTINGS with a value that is not allowed');
      return;
    }
    this.#writer.encoder.resize(peer.tableBytes, peer.smallestTable);
    this.#writer.settingsAck();
    this.#sink.onSettings();
  }

  #onPing(flags: number, streamId: number, bytes: Buffer, at: number, end: number): void {
    if (streamId !== 0 || end - at !== 8) {
      this.#fail(streamId === 0 ? FRAME_SIZE_ERROR : PROTOCOL_ERROR, 'PING that makes no sense');
      return;
    }
    if (!this.#putUpWith(1)) return;
    if ((flags & ACK) === 0) this.#writer.ping(ACK, bytes, at);
    else if (this.#lastCallMs > 0 && bytes.compare(LAST_CALL_PING, 0, 8, at, end) === 0) this.#closeDoor();
    else if (this.#awaitsPong) {
      this.#awaitsPong = false;
      this.#sink.onPong();
    }
  }

  #onGoaway(streamId: number, bytes: Buffer, at: number, end: number): void {
    if (streamId !== 0 || end - at < 8) {
      this.#fail(streamId === 0 ? FRAME_SIZE_ERROR : PROTOCOL_ERROR, 'GOAWAY that makes no sense');
      return;
    }
    this.#isLeaving = true;
    const code = readUint32(bytes, at + 4);
    if (!this.#isServer) this.#giveUpAbove(readUint31(bytes, at));
    this.#sink.onGoaway(code);
    this.#leaveWhenIdle();
  }

  /** Client role: what the server will not look at may be asked elsewhere. */
  #giveUpAbove(lastStreamId: number): void {
    for (const stream of this.#streams.open.values()) {
      if (stream.id <= lastStreamId) continue;
      const { sink } = stream;
      this.#close(stream);
      sink.onReset(REFUSED_STREAM, 'peer');
    }
  }

  #onWindowUpdate(streamId: number, bytes: Buffer, at: number, end: number): void {
    if (end - at !== 4 || this.#isIdle(streamId)) {
      this.#fail(end - at === 4 ? PROTOCOL_ERROR : FRAME_SIZE_ERROR, 'WINDOW_UPDATE that makes no sense');
      return;
    }
    this.#chatter.earn(this.#sender.framesSent * DATA_EARNS);
    this.#sender.framesSent = 0;
    if (!this.#putUpWith(1)) return;
    const increment = readUint31(bytes, at);
    if (streamId === 0) {
      if (increment === 0) this.#fail(PROTOCOL_ERROR, 'WINDOW_UPDATE of nothing');
      else if (!this.#sender.widen(increment)) this.#fail(FLOW_CONTROL_ERROR, 'a window larger than windows can be');
      return;
    }
    const stream = this.#streams.get(streamId);
    if (stream === null) return;
    if (increment === 0) this.#resetFor(stream, PROTOCOL_ERROR);
    else if (!this.#sender.widenStream(stream, increment)) this.#resetFor(stream, FLOW_CONTROL_ERROR);
  }

  // Streams.

  #isIdle(streamId: number): boolean {
    return this.#isServer
      ? streamId > this.#streams.last || (streamId !== 0 && streamId % 2 === 0)
      : streamId >= this.#nextId || (streamId !== 0 && streamId % 2 === 0);
  }

  #begin(streamId: number): Http2Stream {
    const stream = new Http2Stream(streamId, this);
    stream.sendWindow = this.peer.initialWindow;
    this.#receiver.begin(stream);
    this.#streams.add(stream);
    return stream;
  }

  #onRemoteEnd(stream: Http2Stream, trailers: Http2Fields | null): void {
    if (stream.isClosed) return;
    if (stream.bodyLeft > 0) {
      // RFC 9113 section 8.1.1: less than its Content-Length says.
      this.#resetFor(stream, PROTOCOL_ERROR);
      return;
    }
    stream.remoteEnded = true;
    this.#receiver.end(stream, trailers);
    this.#closeWhenOver(stream);
  }

  #onLocalEnd(stream: Http2Stream): void {
    if (!this.#isServer) {
      this.#closeWhenOver(stream);
      return;
    }
    this.#resets.earn(1);
    // RFC 9113 section 8.1: the response is whole, and the rest of the request is not wanted.
    if (stream.remoteEnded) this.#close(stream);
    else this.reset(stream, NO_ERROR);
  }

  #closeWhenOver(stream: Http2Stream): void {
    if (stream.localEnded && stream.remoteEnded && !stream.keptEnd && !stream.isClosed) this.#close(stream);
  }

  #close(stream: Http2Stream): void {
    stream.isClosed = true;
    this.#streams.remove(stream);
    this.#sender.forget(stream);
    this.#receiver.forget(stream);
    this.#leaveWhenIdle();
  }

  /** The peer did what it must not on a stream: that one ends, and the peer has so many of them. */
  #resetFor(stream: Http2Stream, code: number): void {
    const { sink } = stream;
    this.reset(stream, code);
    sink.onReset(code, 'fault');
    this.#countReset();
  }

  #resetId(streamId: number, code: number): void {
    this.#writer.reset(streamId, code);
    this.#streams.rememberReset(streamId);
    this.#countReset();
  }

  /** Rapid reset (CVE-2023-44487), and the same with us made to send the resets (CVE-2025-8671). */
  #countReset(): void {
    if (!this.#resets.spend(1)) this.#fail(ENHANCE_YOUR_CALM, 'too many streams were reset');
  }

  #putUpWith(amount: number): boolean {
    if (this.#chatter.spend(amount)) return true;
    this.#fail(ENHANCE_YOUR_CALM, 'too many frames that bring nothing');
    return false;
  }

  // The end.

  /** The second GOAWAY: what has come until now is the last. */
  #closeDoor(): void {
    this.#lastCallMs = 0;
    this.#lastServed = this.#streams.last;
    this.#isLeaving = true;
    this.#writer.goaway(this.#lastServed, NO_ERROR);
    this.#leaveWhenIdle();
  }

  #leaveWhenIdle(): void {
    if (!this.#isLeaving || this.#isClosed || this.#streams.open.size > 0) return;
    // A server that has not closed its door waits for the client, who may have left a stream behind.
    this.#fail(NO_ERROR, '');
  }

  #fail(code: number, reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#reader.stop();
    this.#writer.goaway(this.#isServer ? this.#streams.last : 0, code);
    this.#dropStreams(code);
    this.#sink.onClosed(code, reason);
  }

  #dropStreams(code: number): void {
    for (const stream of this.#streams.open.values()) {
      const { sink } = stream;
      stream.isClosed = true;
      this.#sender.forget(stream);
      stream.kept = null;
      sink.onReset(code, 'connection');
    }
    this.#streams.open.clear();
  }
}
