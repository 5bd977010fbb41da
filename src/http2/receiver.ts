/** What comes in on the streams of a connection, and the windows that we give for it (RFC 9113 section 5.2). */

import type { Http2Fields } from './fields.ts';
import type { FrameWriter } from './frame-writer.ts';
import { DEFAULT_WINDOW } from './settings.ts';
import type { Http2Stream } from './stream.ts';

export interface Windows {
  /** Bytes that a stream may send before it hears of us, from DEFAULT_WINDOW on. */
  readonly initialWindow: number;
  /** Bytes that the window of a stream grows to when it is used up fast. */
  readonly maxWindow: number;
  /** Bytes that the peer may have on the way, and we keep for paused streams, on all streams together. */
  readonly connectionWindow: number;
}

/** A window of which half is used up within this time is doubled: it, and not the reader, is what holds the peer up. */
const FAST_MS = 200;

export class Receiver {
  /** The sweep's clock. */
  nowMs = 0;
  readonly #windows: Windows;
  readonly #writer: FrameWriter;
  /** Of the connection: bytes that the peer may still send, and bytes used up that it has not been told of. */
  #left: number;
  #used = 0;

  constructor(windows: Windows, writer: FrameWriter) {
    this.#windows = windows;
    this.#writer = writer;
    this.#left = windows.connectionWindow;
  }

  /** Widens the connection's window from what every connection begins with. */
  announce(): void {
    const more = this.#windows.connectionWindow - DEFAULT_WINDOW;
    if (more > 0) this.#writer.windowUpdate(0, more);
  }

  begin(stream: Http2Stream): void {
    stream.receiveWindow = this.#windows.initialWindow;
    stream.receiveLeft = this.#windows.initialWindow;
    stream.toldMs = this.nowMs;
  }

  /** A DATA frame of this length has come. False: the connection's window did not allow it. */
  take(length: number): boolean {
    this.#left -= length;
    return this.#left >= 0;
  }

  /** False: the stream's window did not allow it. */
  takeOn(stream: Http2Stream, length: number): boolean {
    stream.receiveLeft -= length;
    return stream.receiveLeft >= 0;
  }

  /** So many bytes need no more room on the connection. */
  used(bytes: number): void {
    this.#used += bytes;
    if (this.#used * 2 < this.#windows.connectionWindow) return;
    this.#writer.windowUpdate(0, this.#used);
    this.#left += this.#used;
    this.#used = 0;
  }

  /** So many bytes of a stream need no more room. */
  usedOn(stream: Http2Stream, bytes: number): void {
    this.used(bytes);
    stream.received += bytes;
    if (stream.received * 2 < stream.receiveWindow || stream.remoteEnded || stream.isClosed) return;
    let increment = stream.received;
    if (this.nowMs - stream.toldMs < FAST_MS && stream.receiveWindow < this.#windows.maxWindow) {
      const grown = Math.min(stream.receiveWindow * 2, this.#windows.maxWindow);
      increment += grown - stream.receiveWindow;
      stream.receiveWindow = grown;
    }
    this.#writer.windowUpdate(stream.id, increment);
    stream.receiveLeft += increment;
    stream.received = 0;
    stream.toldMs = this.nowMs;
  }

  /** Data for the stream's owner, or for later. */
  data(stream: Http2Stream, bytes: Buffer, start: number, end: number): void {
    if (stream.isPaused || stream.kept !== null) {
      const copy = Buffer.from(bytes.subarray(start, end));
      if (stream.kept === null) stream.kept = [copy];
      else stream.kept.push(copy);
      return;
    }
    stream.sink.onData(bytes, start, end);
    this.usedOn(stream, end - start);
  }

  /** Bytes that the peer may send without being told anything more. */
  room(stream: Http2Stream): number {
    return Math.min(stream.receiveLeft, this.#left);
  }

  /** Nobody wants what was kept, or what still comes. */
  discard(stream: Http2Stream): void {
    const kept = stream.kept ?? [];
    stream.kept = null;
    stream.isPaused = false;
    for (const { length } of kept) this.usedOn(stream, length);
  }

  /** The peer has ended its side, behind what is kept. */
  end(stream: Http2Stream, trailers: Http2Fields | null): void {
    if (stream.isPaused || stream.kept !== null) {
      stream.keptEnd = true;
      stream.keptTrailers = trailers;
    } else {
      stream.sink.onEnd(trailers);
    }
  }

  /** Hands over what was kept, until the owner pauses again. */
  release(stream: Http2Stream): void {
    while (stream.kept !== null && !stream.isPaused) {
      const bytes = stream.kept.shift() as Buffer;
      // While the last range is handed over there is nothing kept, but it must not be overtaken.
      stream.sink.onData(bytes, 0, bytes.length);
      if (stream.isClosed) {
        this.used(bytes.length);
        return;
      }
      // It may have been answered just now, and the rest discarded.
      if (stream.kept?.length === 0) stream.kept = null;
      this.usedOn(stream, bytes.length);
    }
    if (!stream.keptEnd || stream.isPaused) return;
    stream.keptEnd = false;
    stream.sink.onEnd(stream.keptTrailers);
  }

  /** Nobody wants what was kept. */
  forget(stream: Http2Stream): void {
    if (stream.kept !== null) for (const bytes of stream.kept) this.used(bytes.length);
    stream.kept = null;
    stream.keptEnd = false;
  }
}
