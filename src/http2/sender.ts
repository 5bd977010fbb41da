/** What goes out on the streams of a connection, within the windows that the peer gives (RFC 9113 section 5.2). */
import type { FieldBlock } from './field-block.ts';
import { END_STREAM, FRAME_BYTES, MAX_31_BITS } from './frame.ts';
import type { FrameWriter } from './frame-writer.ts';
import type { Output } from './output.ts';
import { DEFAULT_WINDOW } from './settings.ts';
import type { Http2Stream } from './stream.ts';

export class Sender {
  /** The sweep's clock. */
  nowMs = 0;
  /** DATA frames sent since somebody has set it to 0. */
  framesSent = 0;
  /** Of the connection. */
  #window = DEFAULT_WINDOW;
  readonly #output: Output;
  readonly #writer: FrameWriter;
  readonly #onEnded: (stream: Http2Stream) => void;
  /** Streams that have something to send and a window for it, in the order of their turns. */
  #ready: Http2Stream[] = [];
  #isPumping = false;

  /** @param onEnded our side of a stream is over */
  constructor(output: Output, writer: FrameWriter, onEnded: (stream: Http2Stream) => void) {
    this.#output = output;
    this.#writer = writer;
    this.#onEnded = onEnded;
  }

  head(stream: Http2Stream, block: FieldBlock, endsStream: boolean): void {
    if (stream.isClosed || stream.localEnded) return;
    stream.isUnknown = false;
    this.#writer.headers(stream.id, block, endsStream ? END_STREAM : 0);
    if (endsStream) this.#ended(stream);
  }

  /** False: wait for the sink's `onDrain`. */
  data(stream: Http2Stream, bytes: Buffer, start: number, end: number): boolean {
    if (stream.isClosed || stream.localEnded || start === end) return true;
    let sent = 0;
    if (stream.queue === null && !this.#output.isBlocked) {
      sent = this.#write(stream, bytes, start, end);
      if (start + sent === end && !this.#output.isBlocked) return true;
    }
    if (start + sent < end) this.#enqueue(stream, Buffer.from(bytes.subarray(start + sent, end)));
    stream.wantsDrain = true;
    this.#makeReady(stream);
    return false;
  }

  end(stream: Http2Stream, trailers: FieldBlock | null): void {
    if (stream.isClosed || stream.localEnded) return;
    if (stream.queue === null) {
      this.#finish(stream, trailers);
      return;
    }
    stream.queuedEnd = true;
    stream.queuedTrailers = trailers;
  }

  /** The peer's WINDOW_UPDATE for the connection. False: more than a window can be. */
  widen(increment: number): boolean {
    this.#window += increment;
    if (this.#window > MAX_31_BITS) return false;
    this.pump();
    return true;
  }

  /** The same for a stream. */
  widenStream(stream: Http2Stream, increment: number): boolean {
    stream.sendWindow += increment;
    if (stream.sendWindow > MAX_31_BITS) return false;
    if (stream.queue !== null && stream.sendWindow > 0) {
      this.#makeReady(stream);
      this.pump();
    }
    return true;
  }

  /** The peer's SETTINGS_INITIAL_WINDOW_SIZE has changed (RFC 9113 section 6.9.2); `pump` sends what that lets go. False: a window became too large. */
  moveWindows(streams: Iterable<Http2Stream>, by: number): boolean {
    if (by === 0) return true;
    for (const stream of streams) {
      stream.sendWindow += by;
      if (stream.sendWindow > MAX_31_BITS) return false;
      if (stream.queue !== null) this.#makeReady(stream);
    }
    return true;
  }

  /** Sends what waits, a frame a stream and turn, as far as the windows and the transport go. */
  pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    while (this.#ready.length > 0 && !this.#output.isBlocked) {
      const stream = this.#ready[0] as Http2Stream;
      if (stream.queue !== null && !stream.isClosed && this.#window <= 0) break;
      this.#ready.shift();
      stream.isReady = false;
      if (!stream.isClosed) this.#turn(stream);
    }
    this.#isPumping = false;
  }

  forget(stream: Http2Stream): void {
    stream.queue = null;
    stream.wantsDrain = false;
  }

  /** Whether data has waited at least so long for the peer to take some. */
  isStalled(stream: Http2Stream, forMs: number): boolean {
    return stream.queue !== null && this.nowMs - stream.movedMs >= forMs;
  }

  /** Whether data waits for the peer to widen a window. */
  isShut(stream: Http2Stream): boolean {
    return stream.queue !== null && (stream.sendWindow <= 0 || this.#window <= 0);
  }

  #turn(stream: Http2Stream): void {
    this.#sendQueued(stream);
    if (stream.queue !== null) {
      if (stream.sendWindow > 0) this.#makeReady(stream);
      return;
    }
    if (stream.queuedEnd) {
      this.#finish(stream, stream.queuedTrailers);
    } else if (stream.wantsDrain && !this.#output.isBlocked) {
      stream.wantsDrain = false;
      stream.sink.onDrain();
    } else if (stream.wantsDrain) {
      this.#makeReady(stream);
    }
  }

  #sendQueued(stream: Http2Stream): void {
    const queue = stream.queue;
    if (queue === null) return;
    const bytes = queue[0] as Buffer;
    const end = Math.min(bytes.length, stream.queuedAt + FRAME_BYTES);
    const sent = this.#write(stream, bytes, stream.queuedAt, end);
    if (sent > 0) stream.movedMs = this.nowMs;
    stream.queuedAt += sent;
    if (stream.queuedAt < bytes.length) return;
    stream.queuedAt = 0;
    if (queue.length === 1) stream.queue = null;
    else queue.shift();
  }

  /** As much of bytes[start, end) as may leave now. Returns how much that is. */
  #write(stream: Http2Stream, bytes: Buffer, start: number, end: number): number {
    let p = start;
    while (p < end && !this.#output.isBlocked) {
      const count = Math.min(end - p, stream.sendWindow, this.#window, FRAME_BYTES);
      if (count <= 0) break;
      this.#writer.data(stream.id, bytes, p, p + count, 0);
      this.framesSent++;
      stream.sendWindow -= count;
      this.#window -= count;
      p += count;
    }
    return p - start;
  }

  #enqueue(stream: Http2Stream, bytes: Buffer): void {
    if (stream.queue === null) {
      stream.queue = [bytes];
      stream.movedMs = this.nowMs;
    } else {
      stream.queue.push(bytes);
    }
  }

  /** Unless its own window is shut: then WINDOW_UPDATE brings it here. */
  #makeReady(stream: Http2Stream): void {
    if (stream.isReady || (stream.queue !== null && stream.sendWindow <= 0)) return;
    stream.isReady = true;
    this.#ready.push(stream);
  }

  #finish(stream: Http2Stream, trailers: FieldBlock | null): void {
    if (trailers === null) this.#writer.endStream(stream.id);
    else this.#writer.headers(stream.id, trailers, END_STREAM);
    this.#ended(stream);
  }

  #ended(stream: Http2Stream): void {
    stream.localEnded = true;
    this.#onEnded(stream);
  }
}
