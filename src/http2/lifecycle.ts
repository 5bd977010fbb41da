/**
 * What the parts of a connection share: its streams from their beginning to their end, and its own end. Decides what a fault costs, a stream or
 * the connection, and how many are put up with.
 */
import { UNKNOWN } from './body-length.ts';
import { Budget } from './budget.ts';
import { Departure } from './departure.ts';
import { CANCEL, ENHANCE_YOUR_CALM, NO_ERROR, PROTOCOL_ERROR, REFUSED_STREAM } from './error-code.ts';
import type { FieldBlock } from './field-block.ts';
import type { Http2Fields } from './fields.ts';
import { MAX_31_BITS } from './frame.ts';
import { FrameWriter } from './frame-writer.ts';
import type { HeadLimits } from './header-reader.ts';
import { Output } from './output.ts';
import { Receiver, type Windows } from './receiver.ts';
import { Sender } from './sender.ts';
import { PeerSettings } from './settings.ts';
import { type ConnectionSink, NO_SINK, type StreamSink } from './sinks.ts';
import { Http2Stream, type StreamCommands } from './stream.ts';
import { StreamTable } from './stream-table.ts';

export interface Http2Options extends HeadLimits, Windows {
  /** Streams that the peer may have open at a time; a client's peer opens none. */
  readonly maxConcurrentStreams: number;
  /** How long data may wait for the peer to take some before its stream is reset, in milliseconds; 0: for ever. */
  readonly stallMs: number;
}

/** Frames that cost work and bring nothing, put up with beyond what useful ones earn. */
const CHATTER = 1_000;
const CHATTER_PER_SECOND = 100;
/** Streams reset before their answer has begun, by the peer or for its fault. */
const RESETS_PER_SECOND = 100;
/** How long a request that will end soon may go on when its response is whole. */
const LINGER_MS = 3_000;

export class Lifecycle implements StreamCommands {
  readonly isServer: boolean;
  readonly options: Http2Options;
  readonly sink: ConnectionSink;
  readonly output: Output;
  readonly writer: FrameWriter;
  readonly receiver: Receiver;
  readonly sender: Sender;
  readonly peer = new PeerSettings();
  readonly streams = new StreamTable();
  readonly departure: Departure;
  readonly chatter = new Budget(CHATTER, CHATTER_PER_SECOND);
  /** The peer's first settings have come. */
  hasSettings = false;
  isClosed = false;
  /** The peer has ended its sending side, so that no window will ever be widened. */
  #isPeerDone = false;
  readonly #resets: Budget;
  readonly #onOver: () => void;
  /** Of the next stream that we open. */
  #nextId = 1;
  #nowMs = 0;
  /** Streams with a whole response whose requests are still coming. */
  #lingering: Http2Stream[] = [];

  /** @param onOver nothing more is to be read */
  constructor(role: 'server' | 'client', options: Http2Options, sink: ConnectionSink, onOver: () => void) {
    this.isServer = role === 'server';
    this.options = options;
    this.sink = sink;
    this.#onOver = onOver;
    this.#resets = new Budget(options.maxConcurrentStreams, RESETS_PER_SECOND);
    this.output = new Output(sink);
    this.writer = new FrameWriter(this.output, this.isServer);
    this.receiver = new Receiver(options, this.writer);
    this.sender = new Sender(this.output, this.writer, (stream) => this.#onLocalEnd(stream));
    this.departure = new Departure(this.isServer, this.writer, this.streams, () => this.fail(NO_ERROR, ''));
  }

  sweep(nowMs: number): void {
    const elapsedMs = this.#nowMs === 0 ? 0 : nowMs - this.#nowMs;
    this.#nowMs = nowMs;
    this.sender.nowMs = nowMs;
    this.receiver.nowMs = nowMs;
    this.chatter.passed(elapsedMs);
    this.#resets.passed(elapsedMs);
    if (this.isClosed) return;
    const { stallMs } = this.options;
    if (this.streams.open.size > 0 && (stallMs > 0 || this.#isPeerDone)) this.#giveUpWaiting(stallMs);
    if (this.#lingering.length > 0) this.#endLingering();
    this.departure.sweep(nowMs);
  }

  /** They have had a while to send what they had announced. */
  #endLingering(): void {
    this.#lingering = this.#lingering.filter((stream) => {
      if (stream.isClosed) return false;
      if (stream.lingersSinceMs === 0) stream.lingersSinceMs = this.#nowMs;
      const isOver = this.#nowMs - stream.lingersSinceMs >= LINGER_MS;
      if (isOver) this.reset(stream, NO_ERROR);
      return !isOver;
    });
  }

  /** On streams whose data the peer takes none of, or never will. */
  #giveUpWaiting(stallMs: number): void {
    for (const stream of this.#stillOpen()) {
      if (stallMs > 0 && this.sender.isStalled(stream, stallMs)) this.resetFor(stream, CANCEL);
      else if (this.#isPeerDone && this.sender.isShut(stream)) this.#cancel(stream);
    }
  }

  shutdown(): void {
    if (!this.isClosed) this.departure.begin(this.#nowMs);
  }

  // From the streams' owners.

  sendHead(stream: Http2Stream, block: FieldBlock, endsStream: boolean): void {
    const first = (block.base ?? block).flat[1] as string;
    if (!this.isServer) stream.answersHead = first === 'HEAD';
    else if (first.charCodeAt(0) !== 0x31) stream.hasResponse = true;
    this.sender.head(stream, block, endsStream);
  }

  sendData(stream: Http2Stream, bytes: Buffer, start: number, end: number): boolean {
    return this.sender.data(stream, bytes, start, end);
  }

  sendEnd(stream: Http2Stream, trailers: FieldBlock | null): void {
    this.sender.end(stream, trailers);
  }

  resume(stream: Http2Stream): void {
    if (stream.isClosed) return;
    this.receiver.release(stream);
    this.closeWhenOver(stream);
  }

  reset(stream: Http2Stream, code: number): void {
    if (stream.isClosed) return;
    if (!stream.isUnknown && !this.isClosed) {
      this.writer.reset(stream.id, code);
      this.streams.rememberReset(stream.id);
    }
    this.close(stream);
  }

  // Streams.

  /** Client role. Null: no stream can be had, now or any more. Heads must be sent in the order in which streams were opened. */
  open(sink: StreamSink): Http2Stream | null {
    if (this.departure.isLeaving || this.isClosed || this.#nextId > MAX_31_BITS) return null;
    if (this.streams.open.size >= this.peer.maxConcurrentStreams) return null;
    const stream = this.begin(this.#nextId);
    this.#nextId += 2;
    stream.sink = sink;
    stream.bodyLeft = UNKNOWN;
    stream.isUnknown = true;
    return stream;
  }

  begin(streamId: number): Http2Stream {
    const stream = new Http2Stream(streamId, this);
    stream.sendWindow = this.peer.initialWindow;
    this.receiver.begin(stream);
    this.streams.add(stream);
    return stream;
  }

  /** Whether the stream has never been opened. */
  isIdle(streamId: number): boolean {
    return this.isServer
      ? streamId > this.streams.last || (streamId !== 0 && streamId % 2 === 0)
      : streamId >= this.#nextId || (streamId !== 0 && streamId % 2 === 0);
  }

  onRemoteEnd(stream: Http2Stream, trailers: Http2Fields | null): void {
    if (stream.isClosed) return;
    if (stream.bodyLeft > 0) {
      // RFC 9113 section 8.1.1: less than its Content-Length says.
      this.resetFor(stream, PROTOCOL_ERROR);
      return;
    }
    stream.remoteEnded = true;
    this.receiver.end(stream, trailers);
    this.closeWhenOver(stream);
  }

  #onLocalEnd(stream: Http2Stream): void {
    if (!this.isServer) {
      this.closeWhenOver(stream);
      return;
    }
    this.#resets.earn(1);
    if (stream.remoteEnded) {
      this.close(stream);
    } else if (stream.bodyLeft > 0 && stream.bodyLeft <= this.receiver.room(stream)) {
      // Clients there are that lose the response when a reset comes while they send (curl 7.88). More than they may send already they would wait for in vain.
      stream.sink = NO_SINK;
      this.receiver.discard(stream);
      this.#lingering.push(stream);
    } else {
      // RFC 9113 section 8.1: the response is whole, and the rest of the request is not wanted.
      this.reset(stream, NO_ERROR);
    }
  }

  closeWhenOver(stream: Http2Stream): void {
    if (stream.localEnded && stream.remoteEnded && !stream.keptEnd && !stream.isClosed) this.close(stream);
  }

  close(stream: Http2Stream): void {
    stream.isClosed = true;
    this.streams.remove(stream);
    this.sender.forget(stream);
    this.receiver.forget(stream);
    this.departure.leaveWhenIdle();
  }

  /** One after the other, without those that somebody closes meanwhile. */
  *#stillOpen(): Generator<Http2Stream> {
    for (const stream of this.streams.open.list()) if (!stream.isClosed) yield stream;
  }

  /** Client role: what the server will not look at may be asked elsewhere. */
  giveUpAbove(lastStreamId: number): void {
    for (const stream of this.#stillOpen()) {
      if (stream.id <= lastStreamId) continue;
      const { sink } = stream;
      this.close(stream);
      sink.onReset(REFUSED_STREAM, 'peer');
    }
  }

  /** Server role: the client has ended its sending side. What it asked in full is answered, and the connection ends behind that. */
  onPeerEnd(): void {
    if (this.isClosed) return;
    this.#isPeerDone = true;
    for (const stream of this.#stillOpen()) if (!stream.remoteEnded) this.#cancel(stream);
    this.departure.leave();
    if (!this.isClosed) this.writer.goaway(this.streams.last, NO_ERROR);
  }

  /** The peer cannot bring it to its end. */
  #cancel(stream: Http2Stream): void {
    const { sink } = stream;
    this.reset(stream, CANCEL);
    sink.onReset(CANCEL, 'peer');
  }

  // Faults.

  /** The peer did what it must not on a stream: that one ends, and the peer has so many of them. */
  resetFor(stream: Http2Stream, code: number): void {
    const { sink } = stream;
    this.reset(stream, code);
    sink.onReset(code, 'fault');
    this.countReset();
  }

  /** The same for a stream that was not opened. */
  resetId(streamId: number, code: number): void {
    this.writer.reset(streamId, code);
    this.streams.rememberReset(streamId);
    this.countReset();
  }

  /** Rapid reset (CVE-2023-44487), and the same with us made to send the resets (CVE-2025-8671). */
  countReset(): void {
    if (!this.#resets.spend(1)) this.fail(ENHANCE_YOUR_CALM, 'too many streams were reset');
  }

  /** Something came that costs work and brings nothing. False: one too many, and the connection has ended. */
  putUpWith(amount: number): boolean {
    if (this.chatter.spend(amount)) return true;
    this.fail(ENHANCE_YOUR_CALM, 'too many frames that bring nothing');
    return false;
  }

  // The end.

  fail(code: number, reason: string): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#onOver();
    this.writer.goaway(this.isServer ? this.streams.last : 0, code);
    this.#dropStreams(code);
    this.sink.onClosed(code, reason);
  }

  /** The transport is gone: whatever runs is over. */
  detach(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#onOver();
    this.#dropStreams(CANCEL);
  }

  #dropStreams(code: number): void {
    for (const stream of this.#stillOpen()) {
      const { sink } = stream;
      this.sender.forget(stream);
      if (!this.isServer && stream.keptEnd) {
        // The whole response is here, and waits only for whoever reads it.
        stream.localEnded = true;
        continue;
      }
      stream.isClosed = true;
      stream.kept = null;
      sink.onReset(code, 'connection');
    }
    this.streams.open.clear();
  }
}
