/** Frames to the output. */
import { copyBytes } from './copy.ts';
import type { FieldBlock } from './field-block.ts';
import {
  ACK,
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  FRAME_BYTES,
  FRAME_HEADER_BYTES,
  GOAWAY,
  HEADERS,
  PING,
  PREFACE,
  RST_STREAM,
  SETTINGS,
  WINDOW_UPDATE,
  writeFrameHeader,
  writeUint32,
} from './frame.ts';
import { HpackEncoder } from './hpack-encoder.ts';
import type { Output } from './output.ts';
import { SETTING_BYTES } from './settings.ts';

/** Header blocks whose encodings a connection keeps. There are many connections of clients, with few heads of responses each. */
const KEPT_RESPONSES = 16;
/** The few sessions to an endpoint carry the requests of all clients, which differ at least in where they come from. */
const KEPT_REQUESTS = 256;

export class FrameWriter {
  readonly encoder: HpackEncoder;
  readonly #output: Output;

  constructor(output: Output, isServer: boolean) {
    this.#output = output;
    this.encoder = new HpackEncoder(isServer ? KEPT_RESPONSES : KEPT_REQUESTS);
  }

  preface(): void {
    this.#output.reserve(PREFACE.length);
    this.#output.bytes.set(PREFACE, this.#output.length);
    this.#output.length += PREFACE.length;
  }

  /** @param pairs identifiers and values by turns */
  settings(pairs: readonly number[]): void {
    const output = this.#output;
    let p = this.#begin((pairs.length / 2) * SETTING_BYTES, SETTINGS, 0, 0);
    for (let i = 0; i < pairs.length; i += 2) {
      output.bytes[p] = 0;
      output.bytes[p + 1] = pairs[i] as number;
      writeUint32(output.bytes, p + 2, pairs[i + 1] as number);
      p += SETTING_BYTES;
    }
  }

  settingsAck(): void {
    this.#begin(0, SETTINGS, ACK, 0);
  }

  /** A ping of ours, or the answer to the peer's with the 8 bytes at bytes[at …). */
  ping(flags: number, bytes: Uint8Array, at: number): void {
    const p = this.#begin(8, PING, flags, 0);
    for (let i = 0; i < 8; i++) this.#output.bytes[p + i] = bytes[at + i] as number;
  }

  goaway(lastStreamId: number, code: number): void {
    const p = this.#begin(8, GOAWAY, 0, 0);
    writeUint32(this.#output.bytes, p, lastStreamId);
    writeUint32(this.#output.bytes, p + 4, code);
  }

  reset(streamId: number, code: number): void {
    const p = this.#begin(4, RST_STREAM, 0, streamId);
    writeUint32(this.#output.bytes, p, code);
  }

  windowUpdate(streamId: number, increment: number): void {
    const p = this.#begin(4, WINDOW_UPDATE, 0, streamId);
    writeUint32(this.#output.bytes, p, increment);
  }

  /** @param endFlag END_STREAM or 0 */
  headers(streamId: number, block: FieldBlock, endFlag: number): void {
    const bound = this.encoder.bound(block);
    if (bound > FRAME_BYTES) {
      this.#longHeaders(streamId, block, endFlag, bound);
      return;
    }
    const output = this.#output;
    output.reserve(FRAME_HEADER_BYTES + bound);
    const at = output.length;
    const end = this.encoder.encode(block, output.bytes, at + FRAME_HEADER_BYTES);
    writeFrameHeader(output.bytes, at, end - at - FRAME_HEADER_BYTES, HEADERS, END_HEADERS | endFlag, streamId);
    output.length = end;
  }

  #longHeaders(streamId: number, block: FieldBlock, endFlag: number, bound: number): void {
    const encoded = Buffer.allocUnsafe(bound);
    const length = this.encoder.encode(block, encoded, 0);
    for (let at = 0; at < length; at += FRAME_BYTES) {
      const end = Math.min(length, at + FRAME_BYTES);
      const flags = (at === 0 ? endFlag : 0) | (end === length ? END_HEADERS : 0);
      const p = this.#begin(end - at, at === 0 ? HEADERS : CONTINUATION, flags, streamId);
      encoded.copy(this.#output.bytes, p, at, end);
    }
  }

  /** One frame, at most FRAME_BYTES of data. */
  data(streamId: number, bytes: Buffer, start: number, end: number, endFlag: number): void {
    const output = this.#output;
    const p = this.#begin(end - start, DATA, endFlag, streamId);
    output.dataAt = p - FRAME_HEADER_BYTES;
    output.dataStreamId = streamId;
    copyBytes(bytes, start, end, output.bytes, p);
  }

  /** Ends a stream behind its data: in the last frame of it when that has not left yet. */
  endStream(streamId: number): void {
    const output = this.#output;
    if (output.dataAt !== -1 && output.dataStreamId === streamId) {
      output.bytes[output.dataAt + 4] = END_STREAM;
    } else {
      this.#begin(0, DATA, END_STREAM, streamId);
    }
  }

  /** Returns where the payload goes. */
  #begin(length: number, type: number, flags: number, streamId: number): number {
    const output = this.#output;
    output.reserve(FRAME_HEADER_BYTES + length);
    const at = output.length;
    writeFrameHeader(output.bytes, at, length, type, flags, streamId);
    output.length = at + FRAME_HEADER_BYTES + length;
    return at + FRAME_HEADER_BYTES;
  }
}
