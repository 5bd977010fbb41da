// @ts-check
// As much of HTTP/2 (RFC 9113) as an origin and a load of our own need, that must cost less than what they measure: frames are
// framed, field sections are written without compression and never read. They trust their peer.

export const DATA = 0;
export const HEADERS = 1;
export const RST_STREAM = 3;
export const SETTINGS = 4;
export const PING = 6;
export const GOAWAY = 7;
export const WINDOW_UPDATE = 8;

export const END_STREAM = 1;
export const ACK = 1;
export const END_HEADERS = 4;
const PADDED = 8;

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
const HEAD_BYTES = 9;

/**
 * @param {number} type
 * @param {number} flags
 * @param {number} stream
 * @param {Uint8Array} payload
 */
export function frame(type, flags, stream, payload) {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(stream, 5);
  bytes.set(payload, HEAD_BYTES);
  return bytes;
}

/** @param {string} text */
const literal = (text) => Buffer.concat([Buffer.of(text.length), Buffer.from(text, 'latin1')]);

/**
 * Fields as literals without indexing and without Huffman coding (RFC 7541 section 6.2.2): right whatever was sent before.
 * @param {readonly (readonly [name: string, value: string])[]} fields names in lower case, each text shorter than 127 bytes
 */
export function fieldSection(fields) {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.of(0), literal(name), literal(value)]));
}

/** Windows as wide as they go, so that neither side ever waits for small messages. */
const WIDE = 0x7fff_ffff;

/** The first SETTINGS, and the connection's window opened to the same width. @param {number} streams that the peer may open */
export function opening(streams) {
  const settings = Buffer.alloc(18);
  // ENABLE_PUSH 0, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE.
  settings.writeUInt16BE(2, 0);
  settings.writeUInt16BE(3, 6);
  settings.writeUInt32BE(streams, 8);
  settings.writeUInt16BE(4, 12);
  settings.writeUInt32BE(WIDE, 14);
  return Buffer.concat([frame(SETTINGS, 0, 0, settings), windowUpdate(0, WIDE - 65_535)]);
}

/**
 * @param {number} stream
 * @param {number} bytes
 */
export function windowUpdate(stream, bytes) {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(bytes);
  return frame(WINDOW_UPDATE, 0, stream, payload);
}

export const SETTINGS_ACK = frame(SETTINGS, ACK, 0, Buffer.alloc(0));

/**
 * What comes of a connection's frames; the payload is good during the call only.
 * @callback OnFrame
 * @param {number} type
 * @param {number} flags
 * @param {number} stream
 * @param {Buffer} bytes
 * @param {number} start of the payload, past its padding's length
 * @param {number} end
 * @returns {void}
 */

/** Cuts a connection's bytes into frames. */
export class FrameReader {
  #onFrame;
  /** Bytes at the start that are no frame: the client's preface. */
  #skip;
  #rest = Buffer.alloc(0);

  /**
   * @param {OnFrame} onFrame
   * @param {number} skip
   */
  constructor(onFrame, skip = 0) {
    this.#onFrame = onFrame;
    this.#skip = skip;
  }

  /** @param {Buffer} bytes */
  read(bytes) {
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    let at = Math.min(this.#skip, all.length);
    this.#skip -= at;
    while (all.length - at >= HEAD_BYTES) {
      const end = at + HEAD_BYTES + all.readUIntBE(at, 3);
      if (end > all.length) break;
      const flags = all[at + 4] ?? 0;
      const type = all[at + 3] ?? 0;
      const isPadded = (flags & PADDED) !== 0 && (type === DATA || type === HEADERS);
      const start = at + HEAD_BYTES;
      const padding = isPadded ? 1 + (all[start] ?? 0) : 0;
      const from = isPadded ? start + 1 : start;
      this.#onFrame(type, flags, all.readUInt32BE(at + 5) & WIDE, all, from, end - padding + (isPadded ? 1 : 0));
      at = end;
    }
    // Sockets reuse their buffer.
    this.#rest = at === all.length ? Buffer.alloc(0) : Buffer.from(all.subarray(at));
  }
}
