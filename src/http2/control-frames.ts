/** Frames that say something of the connection or of how a stream goes on (RFC 9113 sections 6.3 to 6.9), and carry nothing of a message. */
import { FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, NO_ERROR, PROTOCOL_ERROR } from './error-code.ts';
import { ACK, readUint31, readUint32 } from './frame.ts';
import type { Lifecycle } from './lifecycle.ts';
import { SETTING_BYTES } from './settings.ts';

/** What a frame of data that was sent makes up for of frames that bring nothing. */
const DATA_EARNS = 2;
const SETTINGS_COST = 8;

const OUR_PING = Buffer.from('crossfad', 'latin1');

export class ControlFrames {
  readonly #life: Lifecycle;
  #awaitsPong = false;

  constructor(life: Lifecycle) {
    this.#life = life;
  }

  /** False: the last one has not been answered. */
  ping(): boolean {
    const life = this.#life;
    if (this.#awaitsPong || life.isClosed) return false;
    this.#awaitsPong = true;
    life.writer.ping(0, OUR_PING, 0);
    return true;
  }

  onPriority(streamId: number, bytes: Buffer, at: number, end: number): void {
    const life = this.#life;
    if (streamId === 0) {
      life.fail(PROTOCOL_ERROR, 'PRIORITY without a stream');
      return;
    }
    // RFC 9113 section 5.3.2: read and ignored, but for what it must never say.
    const stream = life.streams.get(streamId);
    const error = end - at !== 5 ? FRAME_SIZE_ERROR : readUint31(bytes, at) === streamId ? PROTOCOL_ERROR : NO_ERROR;
    if (error === NO_ERROR) life.putUpWith(1);
    else if (stream === null) life.fail(error, 'PRIORITY that makes no sense');
    else life.resetFor(stream, error);
  }

  onReset(streamId: number, bytes: Buffer, at: number, end: number): void {
    const life = this.#life;
    if (streamId === 0 || life.isIdle(streamId) || end - at !== 4) {
      life.fail(end - at === 4 ? PROTOCOL_ERROR : FRAME_SIZE_ERROR, 'RST_STREAM that makes no sense');
      return;
    }
    const stream = life.streams.get(streamId);
    const code = readUint32(bytes, at);
    if (stream === null) {
      life.putUpWith(1);
    } else if (!life.isServer && stream.remoteEnded && code === NO_ERROR) {
      // RFC 9113 section 8.1: the response is whole, and the rest of the request is not wanted.
      stream.localEnded = true;
      life.sender.forget(stream);
      life.closeWhenOver(stream);
    } else {
      const isEarly = life.isServer && !stream.hasResponse;
      const { sink } = stream;
      life.close(stream);
      sink.onReset(code, 'peer');
      if (isEarly) life.countReset();
    }
  }

  onSettings(flags: number, streamId: number, bytes: Buffer, at: number, end: number): void {
    const life = this.#life;
    const isAck = (flags & ACK) !== 0;
    const length = end - at;
    if (streamId !== 0 || length % SETTING_BYTES !== 0 || (isAck && length > 0)) {
      life.fail(streamId === 0 ? FRAME_SIZE_ERROR : PROTOCOL_ERROR, 'SETTINGS that make no sense');
      return;
    }
    if (isAck) {
      life.putUpWith(1);
      return;
    }
    if (!life.putUpWith(SETTINGS_COST + length / SETTING_BYTES)) return;
    life.hasSettings = true;
    const { peer } = this.#life;
    const windowBefore = peer.initialWindow;
    const error = peer.apply(bytes, at, end);
    if (error !== NO_ERROR || !life.sender.moveWindows(life.streams.open.list(), peer.initialWindow - windowBefore)) {
      life.fail(error === NO_ERROR ? FLOW_CONTROL_ERROR : error, 'SETTINGS with a value that is not allowed');
      return;
    }
    life.writer.encoder.resize(peer.tableBytes, peer.smallestTable);
    // What they allow comes behind it: peers hold us to the old ones until they see it (RFC 9113 section 6.5.3).
    life.writer.settingsAck();
    life.sender.pump();
    life.sink.onSettings();
  }

  onPing(flags: number, streamId: number, bytes: Buffer, at: number, end: number): void {
    const life = this.#life;
    if (streamId !== 0 || end - at !== 8) {
      life.fail(streamId === 0 ? FRAME_SIZE_ERROR : PROTOCOL_ERROR, 'PING that makes no sense');
      return;
    }
    if (!life.putUpWith(1)) return;
    if ((flags & ACK) === 0) life.writer.ping(ACK, bytes, at);
    else if (life.departure.isAnswer(bytes, at, end)) life.departure.leave();
    else if (this.#awaitsPong) {
      this.#awaitsPong = false;
      life.sink.onPong();
    }
  }

  onGoaway(streamId: number, bytes: Buffer, at: number, end: number): void {
    const life = this.#life;
    if (streamId !== 0 || end - at < 8) {
      life.fail(streamId === 0 ? FRAME_SIZE_ERROR : PROTOCOL_ERROR, 'GOAWAY that makes no sense');
      return;
    }
    // Before the streams that are given up, whose owners ask elsewhere at once.
    life.departure.isLeaving = true;
    life.sink.onGoaway(readUint32(bytes, at + 4));
    if (!life.isServer) life.giveUpAbove(readUint31(bytes, at));
    life.departure.leave();
  }

  onWindowUpdate(streamId: number, bytes: Buffer, at: number, end: number): void {
    const life = this.#life;
    if (end - at !== 4 || life.isIdle(streamId)) {
      life.fail(end - at === 4 ? PROTOCOL_ERROR : FRAME_SIZE_ERROR, 'WINDOW_UPDATE that makes no sense');
      return;
    }
    life.chatter.earn(life.sender.framesSent * DATA_EARNS);
    life.sender.framesSent = 0;
    if (!life.putUpWith(1)) return;
    const increment = readUint31(bytes, at);
    if (streamId === 0) {
      if (increment === 0) life.fail(PROTOCOL_ERROR, 'WINDOW_UPDATE of nothing');
      else if (!life.sender.widen(increment)) life.fail(FLOW_CONTROL_ERROR, 'a window larger than windows can be');
      return;
    }
    const stream = life.streams.get(streamId);
    if (stream === null) return;
    if (increment === 0) life.resetFor(stream, PROTOCOL_ERROR);
    else if (!life.sender.widenStream(stream, increment)) life.resetFor(stream, FLOW_CONTROL_ERROR);
  }
}
