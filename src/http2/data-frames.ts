/** DATA frames (RFC 9113 section 6.1): whose they are, and whether their stream may carry them. */
import { UNKNOWN } from './body-length.ts';
import { FLOW_CONTROL_ERROR, PROTOCOL_ERROR, STREAM_CLOSED } from './error-code.ts';
import { END_STREAM } from './frame.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { Http2Stream } from './stream.ts';

/** What a frame of data makes up for of frames that bring nothing. */
const DATA_EARNS = 2;

export class DataFrames {
  readonly #life: Lifecycle;
  /** The stream of the frame that is being read; null: nobody wants it. */
  #stream: Http2Stream | null = null;
  #isEmpty = false;

  constructor(life: Lifecycle) {
    this.#life = life;
  }

  begin(streamId: number, length: number): void {
    const life = this.#life;
    this.#stream = null;
    this.#isEmpty = true;
    if (!life.receiver.take(length)) {
      life.fail(FLOW_CONTROL_ERROR, 'more data than the window of the connection allows');
      return;
    }
    const stream = life.streams.get(streamId);
    if (stream === null) {
      this.#strayData(streamId, length);
    } else if (stream.remoteEnded) {
      life.receiver.used(length);
      life.resetFor(stream, STREAM_CLOSED);
    } else if (!life.receiver.takeOn(stream, length)) {
      life.receiver.used(length);
      life.resetFor(stream, FLOW_CONTROL_ERROR);
    } else if (!life.isServer && !stream.hasResponse) {
      life.receiver.used(length);
      life.resetFor(stream, PROTOCOL_ERROR);
    } else {
      this.#stream = stream;
    }
  }

  /** DATA on a stream that is not open. */
  #strayData(streamId: number, length: number): void {
    const life = this.#life;
    if (streamId === 0 || life.isIdle(streamId)) life.fail(PROTOCOL_ERROR, 'DATA on a stream that was never opened');
    else if (life.isServer && !life.streams.wasReset(streamId)) {
      life.fail(STREAM_CLOSED, 'DATA on a stream that was over');
    } else life.receiver.used(length);
  }

  range(bytes: Buffer, at: number, end: number): void {
    const life = this.#life;
    const stream = this.#stream;
    if (stream === null) return;
    this.#isEmpty = false;
    if (stream.isClosed) {
      life.receiver.used(end - at);
      return;
    }
    if (stream.bodyLeft !== UNKNOWN) {
      stream.bodyLeft -= end - at;
      if (stream.bodyLeft < 0) {
        life.receiver.used(end - at);
        life.resetFor(stream, PROTOCOL_ERROR);
        return;
      }
    }
    life.receiver.data(stream, bytes, at, end);
  }

  end(flags: number, unused: number): void {
    const life = this.#life;
    const stream = this.#stream;
    this.#stream = null;
    if (stream === null || life.isClosed) return;
    if (unused > 0) life.receiver.usedOn(stream, unused);
    if (!this.#isEmpty) life.chatter.earn(DATA_EARNS);
    if ((flags & END_STREAM) !== 0) life.onRemoteEnd(stream, null);
    else if (this.#isEmpty) life.putUpWith(1);
  }
}
