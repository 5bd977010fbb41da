// @ts-check
/** Body lengths beside a number of bytes. */
export const CHUNKED = -1;
export const UNTIL_CLOSE = Infinity;
/** The head was an interim response (1xx): another head follows. */
export const INTERIM = -2;

const HEAD_LIMIT = 65_536;

/**
 * The length of the body that a head announces.
 * @param {string} head
 * @param {number} otherwise the length when it announces none
 */
export function announcedLength(head, otherwise) {
  const length = /\r\ncontent-length:[ \t]*(\d+)/i.exec(head);
  if (length !== null) return Number(length[1]);
  return /\r\ntransfer-encoding:[ \t]*chunked/i.test(head) ? CHUNKED : otherwise;
}

/**
 * Reads HTTP/1.1 messages off a connection: gives each head as text, skips the body, tells when the message is complete. It trusts
 * its peer; being strict is the proxy's work.
 */
export class MessageReader {
  #onHead;
  #onEnd;
  /** @type {'head' | 'body' | 'size' | 'chunk' | 'trailer'} */
  #state = 'head';
  #text = '';
  #left = 0;

  /**
   * @param {(head: string) => number} onHead answers with the body's length: bytes, CHUNKED, UNTIL_CLOSE or INTERIM
   * @param {() => void} onEnd the message is complete
   */
  constructor(onHead, onEnd) {
    this.#onHead = onHead;
    this.#onEnd = onEnd;
  }

  /**
   * @param {Buffer} bytes
   * @throws {Error} when the bytes are no HTTP
   */
  read(bytes) {
    let at = 0;
    while (at < bytes.length) {
      if (this.#state === 'head') at = this.#readHead(bytes, at);
      else if (this.#state === 'body' || this.#state === 'chunk') at = this.#skip(bytes, at);
      else at = this.#readLine(bytes, at);
    }
  }

  /** The connection closed: whether that was the end of a message (or between two) and not in the middle of one. */
  close() {
    const complete = this.#state === 'head' ? this.#text === '' : this.#left === UNTIL_CLOSE;
    if (this.#state === 'body' && complete) this.#finish();
    return complete;
  }

  /**
   * @param {Buffer} bytes
   * @param {number} at
   */
  #readHead(bytes, at) {
    const had = this.#text.length;
    this.#text += bytes.latin1Slice(at, Math.min(bytes.length, at + HEAD_LIMIT));
    const end = this.#text.indexOf('\r\n\r\n');
    if (end === -1) {
      if (this.#text.length > HEAD_LIMIT) throw new Error('the head does not end');
      return bytes.length;
    }
    const head = this.#text.slice(0, end + 2);
    this.#text = '';
    this.#startBody(this.#onHead(head));
    return at + end + 4 - had;
  }

  /** @param {number} length */
  #startBody(length) {
    this.#left = length;
    if (length === INTERIM) this.#state = 'head';
    else if (length === CHUNKED) this.#state = 'size';
    else if (length === 0) this.#finish();
    else this.#state = 'body';
  }

  /**
   * @param {Buffer} bytes
   * @param {number} at
   */
  #skip(bytes, at) {
    const count = Math.min(this.#left, bytes.length - at);
    this.#left -= count;
    if (this.#left === 0) {
      if (this.#state === 'chunk') this.#state = 'size';
      else this.#finish();
    }
    return at + count;
  }

  /**
   * A chunk's size line, or a trailer line.
   * @param {Buffer} bytes
   * @param {number} at
   */
  #readLine(bytes, at) {
    const newline = bytes.indexOf(10, at);
    const end = newline === -1 ? bytes.length : newline + 1;
    this.#text += bytes.latin1Slice(at, end);
    if (newline === -1) return end;
    const line = this.#text.trimEnd();
    this.#text = '';
    if (this.#state === 'trailer') {
      if (line === '') this.#finish();
      return end;
    }
    const size = Number.parseInt(line, 16);
    if (Number.isNaN(size)) throw new Error(`no chunk size: ${line.slice(0, 40)}`);
    this.#state = size === 0 ? 'trailer' : 'chunk';
    this.#left = size + 2;
    return end;
  }

  #finish() {
    this.#state = 'head';
    this.#left = 0;
    this.#onEnd();
  }
}
