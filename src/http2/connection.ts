/**
 * One end of an HTTP/2 connection (RFC 9113) without the transport: bytes in, events out, bytes out. No socket, no clock. Whatever the peer
 * sends, nothing here throws.
 */
import { ControlFrames } from './control-frames.ts';
import { DataFrames } from './data-frames.ts';
import { PROTOCOL_ERROR } from './error-code.ts';
import {
  ACK,
  CONTINUATION,
  GOAWAY,
  HEADERS,
  PING,
  PRIORITY,
  PUSH_PROMISE,
  RST_STREAM,
  SETTINGS,
  WINDOW_UPDATE,
} from './frame.ts';
import { FrameReader, type FrameSink } from './frame-reader.ts';
import { HeaderBlocks } from './header-blocks.ts';
import { type Http2Options, Lifecycle } from './lifecycle.ts';
import {
  ENABLE_PUSH,
  INITIAL_WINDOW_SIZE,
  MAX_CONCURRENT_STREAMS,
  MAX_HEADER_LIST_SIZE,
  type PeerSettings,
} from './settings.ts';
import type { ConnectionSink, StreamSink } from './sinks.ts';
import type { Http2Stream } from './stream.ts';

export type { Http2Options } from './lifecycle.ts';

export class Http2Connection implements FrameSink {
  readonly #life: Lifecycle;
  readonly #reader: FrameReader;
  readonly #blocks: HeaderBlocks;
  readonly #data: DataFrames;
  readonly #control: ControlFrames;

  /** What opens the connection is pending at once. */
  constructor(role: 'server' | 'client', options: Http2Options, sink: ConnectionSink) {
    this.#life = new Lifecycle(role, options, sink, () => this.#reader.stop());
    this.#reader = new FrameReader(role === 'server', this);
    this.#blocks = new HeaderBlocks(this.#life);
    this.#data = new DataFrames(this.#life);
    this.#control = new ControlFrames(this.#life);
    this.#open(options);
  }

  #open({ initialWindow, headBytes, maxConcurrentStreams }: Http2Options): void {
    const { isServer, writer, receiver } = this.#life;
    if (!isServer) writer.preface();
    const settings = [INITIAL_WINDOW_SIZE, initialWindow, MAX_HEADER_LIST_SIZE, headBytes];
    if (isServer) settings.push(MAX_CONCURRENT_STREAMS, maxConcurrentStreams);
    else settings.push(ENABLE_PUSH, 0);
    writer.settings(settings);
    receiver.announce();
  }

  get peer(): PeerSettings {
    return this.#life.peer;
  }

  /** Whether the peer's first settings have come. */
  get hasSettings(): boolean {
    return this.#life.hasSettings;
  }

  /** Nothing more is read; what is pending may still be flushed. */
  get isClosed(): boolean {
    return this.#life.isClosed;
  }

  /** No stream can be opened any more. */
  get isLeaving(): boolean {
    return this.#life.departure.isLeaving || this.#life.isClosed;
  }

  get openStreams(): number {
    return this.#life.streams.open.size;
  }

  /** bytes[0, end) have come from the peer; they are the caller's again when the call returns. A client's begin with its preface. */
  feed(bytes: Buffer, end: number): void {
    this.#reader.feed(bytes, end);
  }

  /** What is pending goes to the sink. */
  flush(): void {
    this.#life.output.flush();
  }

  /** The transport can take no more for now. */
  block(): void {
    this.#life.output.isBlocked = true;
  }

  /** The transport can take more again. */
  onDrained(): void {
    this.#life.output.isBlocked = false;
    this.#life.sender.pump();
  }

  /** @param nowMs of a clock that only rises; to be called some ten times a second */
  sweep(nowMs: number): void {
    this.#life.sweep(nowMs);
  }

  /** Ends the connection in an orderly way (departure.ts). `onClosed` follows when the last stream has ended. */
  shutdown(): void {
    this.#life.shutdown();
  }

  /** Ends the connection and all its streams at once. */
  close(code: number): void {
    this.#life.fail(code, 'closed');
  }

  /** The transport is gone: whatever runs is over. */
  detach(): void {
    this.#life.detach();
  }

  /** Server role: the client has ended its sending side, and may still read. `onClosed` follows when what it asked in full has been answered. */
  onPeerEnd(): void {
    this.#life.onPeerEnd();
  }

  /** Client role. Null: no stream can be had, now or any more. Heads must be sent in the order in which streams were opened. */
  open(sink: StreamSink): Http2Stream | null {
    return this.#life.open(sink);
  }

  /** False: the last one has not been answered. */
  ping(): boolean {
    return this.#control.ping();
  }

  // From the frame reader.

  onFrameFault(code: number, reason: string): void {
    this.#life.fail(code, reason);
  }

  onDataFrame(streamId: number, length: number): void {
    if (this.#life.hasSettings && this.#blocks.awaited === 0) this.#data.begin(streamId, length);
    else this.#life.fail(PROTOCOL_ERROR, 'DATA where it must not stand');
  }

  onDataRange(bytes: Buffer, at: number, end: number): void {
    this.#data.range(bytes, at, end);
  }

  onDataFrameEnd(flags: number, unused: number): void {
    this.#data.end(flags, unused);
  }

  onFrame(type: number, flags: number, streamId: number, bytes: Buffer, at: number, end: number): void {
    const isFirst = !this.#life.hasSettings && (type !== SETTINGS || (flags & ACK) !== 0);
    const { awaited } = this.#blocks;
    if (isFirst || (awaited === 0 ? type === CONTINUATION : type !== CONTINUATION || streamId !== awaited)) {
      this.#life.fail(PROTOCOL_ERROR, 'a frame where it must not stand');
      return;
    }
    switch (type) {
      case HEADERS:
        this.#blocks.onHeaders(flags, streamId, bytes, at, end);
        break;
      case CONTINUATION:
        this.#blocks.onContinuation(flags, streamId, bytes, at, end);
        break;
      case PRIORITY:
        this.#control.onPriority(streamId, bytes, at, end);
        break;
      case RST_STREAM:
        this.#control.onReset(streamId, bytes, at, end);
        break;
      case SETTINGS:
        this.#control.onSettings(flags, streamId, bytes, at, end);
        break;
      case PUSH_PROMISE:
        this.#life.fail(PROTOCOL_ERROR, 'PUSH_PROMISE is not allowed');
        break;
      case PING:
        this.#control.onPing(flags, streamId, bytes, at, end);
        break;
      case GOAWAY:
        this.#control.onGoaway(streamId, bytes, at, end);
        break;
      case WINDOW_UPDATE:
        this.#control.onWindowUpdate(streamId, bytes, at, end);
        break;
      default:
        // RFC 9113 section 5.5: unknown frames are ignored.
        this.#life.putUpWith(1);
    }
  }
}
