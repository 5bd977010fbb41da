/**
 * The chunked coding (RFC 9112 section 7.1), bytes in, ranges of data out. Chunk extensions are checked and dropped. One decoder serves
 * a connection, reset for each message.
 */
import { BACKSLASH, CR, EQUALS, HEX, LF, QUOTE, SEMICOLON, TOKEN, VALUE } from './chars.ts';

const SIZE_START = 0;
const SIZE = 1;
const EXTENSION_NAME_START = 2;
const EXTENSION_NAME = 3;
const EXTENSION_VALUE_START = 4;
const EXTENSION_TOKEN = 5;
const EXTENSION_QUOTED = 6;
const EXTENSION_ESCAPE = 7;
const EXTENSION_QUOTED_END = 8;
const SIZE_LF = 9;
const DATA = 10;
const DATA_CR = 11;
const DATA_LF = 12;
const TRAILERS = 13;

const MAX_SIZE_DIGITS = 13;
/** Bytes of size lines beyond their digits that one message may have in all: extensions are never needed, only abused. */
const MAX_EXTENSION_BYTES = 8192;

export type ChunkedStep =
  /** All bytes taken, more are needed. */
  | 'more'
  /** `dataStart` and `dataEnd` tell a range of data; call again for the rest. */
  | 'data'
  /** The last chunk is over: the trailer section begins at `at`. */
  | 'trailers'
  | 'malformed';

export class ChunkedDecoder {
  /** Where the next call goes on. */
  at = 0;
  dataStart = 0;
  dataEnd = 0;
  #state = SIZE_START;
  #size = 0;
  #digits = 0;
  #extensionBytes = 0;

  reset(): void {
    this.#state = SIZE_START;
    this.#extensionBytes = 0;
  }

  /** Decodes bytes[at, end) up to the next event. */
  step(bytes: Uint8Array, at: number, end: number): ChunkedStep {
    let p = at;
    while (p < end) {
      if (this.#state === DATA) return this.#data(p, end);
      if (!this.#advance(bytes[p] as number)) return 'malformed';
      p++;
      if (this.#state === TRAILERS) {
        this.at = p;
        return 'trailers';
      }
    }
    this.at = p;
    return 'more';
  }

  #data(at: number, end: number): ChunkedStep {
    const taken = Math.min(this.#size, end - at);
    this.#size -= taken;
    this.dataStart = at;
    this.dataEnd = at + taken;
    this.at = this.dataEnd;
    if (this.#size === 0) this.#state = DATA_CR;
    return 'data';
  }

  /** One byte outside of data; false when it may not stand there. */
  #advance(byte: number): boolean {
    switch (this.#state) {
      case SIZE_START:
        this.#size = 0;
        this.#digits = 0;
        this.#state = SIZE;
        return this.#digit(byte);
      case SIZE:
        if (byte === CR) this.#state = SIZE_LF;
        else if (byte === SEMICOLON) this.#state = EXTENSION_NAME_START;
        else return this.#digit(byte);
        return true;
      case SIZE_LF:
        this.#state = this.#size === 0 ? TRAILERS : DATA;
        return byte === LF;
      case DATA_CR:
        this.#state = DATA_LF;
        return byte === CR;
      case DATA_LF:
        this.#state = SIZE_START;
        return byte === LF;
      default:
        return this.#extension(byte);
    }
  }

  #digit(byte: number): boolean {
    const digit = (HEX[byte] as number) - 1;
    this.#size = this.#size * 16 + digit;
    return digit >= 0 && ++this.#digits <= MAX_SIZE_DIGITS;
  }

  #extension(byte: number): boolean {
    if (++this.#extensionBytes > MAX_EXTENSION_BYTES) return false;
    switch (this.#state) {
      case EXTENSION_NAME_START:
        this.#state = EXTENSION_NAME;
        return TOKEN[byte] === 1;
      case EXTENSION_NAME:
        if (byte === EQUALS) {
          this.#state = EXTENSION_VALUE_START;
          return true;
        }
        return TOKEN[byte] === 1 || this.#endExtension(byte);
      case EXTENSION_VALUE_START:
        this.#state = byte === QUOTE ? EXTENSION_QUOTED : EXTENSION_TOKEN;
        return byte === QUOTE || TOKEN[byte] === 1;
      case EXTENSION_TOKEN:
        return TOKEN[byte] === 1 || this.#endExtension(byte);
      case EXTENSION_QUOTED:
        if (byte === QUOTE) this.#state = EXTENSION_QUOTED_END;
        else if (byte === BACKSLASH) this.#state = EXTENSION_ESCAPE;
        return VALUE[byte] === 1;
      case EXTENSION_ESCAPE:
        this.#state = EXTENSION_QUOTED;
        return VALUE[byte] === 1;
      default:
        return this.#endExtension(byte);
    }
  }

  #endExtension(byte: number): boolean {
    if (byte === CR) this.#state = SIZE_LF;
    else if (byte === SEMICOLON) this.#state = EXTENSION_NAME_START;
    else return false;
    return true;
  }
}
