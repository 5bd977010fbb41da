import { type Fields, Rendering } from '../fields.ts';
import { COLON, CR, HTAB, LF, SP, TOKEN, VALUE } from './chars.ts';
import { KNOWN, knownName } from './known.ts';

/** Numbers kept for each field: name start and end, value start and end, known name. They stand behind the first index of each known name. */
const STRIDE = 5;
/** Fields for which there is room at first: most heads have fewer. */
const FEW = 16;
const NO_ROOM: Int32Array = new Int32Array(0);

export type ScanFault = 'malformed' | 'tooMany';

/**
 * The fields of one HTTP/1 head: its text and where each part begins and ends in it. Made once a connection and filled anew for each
 * message, so it holds good only until the next.
 */
export class Http1Fields implements Fields {
  /** The whole head, one character a byte. */
  text = '';
  count = 0;
  /** Set of known names that occur, and of those that occur more than once, as bits. */
  seen = 0;
  repeated = 0;
  /** Where the block of field lines ends in `text`: before the empty line. */
  blockEnd = 0;
  readonly sent = new Rendering();
  /** Grows with the heads that come: a connection that has seen none yet, or small ones only, costs no more than that. */
  #numbers: Int32Array = NO_ROOM;
  /** Fields for which there is room. */
  #room = 0;
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  #grow(): Int32Array {
    this.#room = Math.min(this.#limit, this.#room === 0 ? FEW : this.#room * 2);
    const numbers = new Int32Array(KNOWN + this.#room * STRIDE);
    numbers.set(this.#numbers);
    this.#numbers = numbers;
    return numbers;
  }

  /**
   * Scans the field lines at bytes[at, end), where `end` is behind the empty line, by RFC 9112 section 5 at its strictest: a token, a colon
   * right behind it, a value without controls, CRLF; no folding. `base` is the byte where `text` begins. Returns what is wrong, or null.
   */
  scan(bytes: Uint8Array, at: number, end: number, base: number): ScanFault | null {
    let numbers = this.#numbers;
    const stop = end - 2;
    let count = 0;
    let p = at;
    this.seen = 0;
    this.repeated = 0;
    this.sent.clear();
    while (p < stop) {
      if (count === this.#room) {
        if (count === this.#limit) return 'tooMany';
        numbers = this.#grow();
      }
      const nameStart = p;
      while (TOKEN[bytes[p] as number] === 1) p++;
      if (p === nameStart || bytes[p] !== COLON) return 'malformed';
      const nameEnd = p++;
      while (bytes[p] === SP || bytes[p] === HTAB) p++;
      const valueStart = p;
      while (VALUE[bytes[p] as number] === 1) p++;
      if (bytes[p] !== CR || bytes[p + 1] !== LF) return 'malformed';
      let valueEnd = p;
      while (valueEnd > valueStart && (bytes[valueEnd - 1] === SP || bytes[valueEnd - 1] === HTAB)) valueEnd--;
      p += 2;
      const known = knownName(bytes, nameStart, nameEnd);
      if (known !== 0) this.#note(known, count);
      const o = KNOWN + count * STRIDE;
      numbers[o] = nameStart - base;
      numbers[o + 1] = nameEnd - base;
      numbers[o + 2] = valueStart - base;
      numbers[o + 3] = valueEnd - base;
      numbers[o + 4] = known;
      count++;
    }
    this.count = count;
    this.blockEnd = stop - base;
    return p === stop ? null : 'malformed';
  }

  #note(known: number, index: number): void {
    const bit = 1 << known;
    if ((this.seen & bit) === 0) this.#numbers[known] = index;
    else this.repeated |= bit;
    this.seen |= bit;
  }

  has(known: number): boolean {
    return (this.seen & (1 << known)) !== 0;
  }

  isRepeated(known: number): boolean {
    return (this.repeated & (1 << known)) !== 0;
  }

  /** Value of the first field of a known name that occurs. */
  known(known: number): string {
    return this.value(this.#numbers[known] as number);
  }

  /** Whether the blanks behind the value of the first field of a known name that occurs have a tab among them. */
  hasTabBehind(known: number): boolean {
    let p = this.#numbers[KNOWN + (this.#numbers[known] as number) * STRIDE + 3] as number;
    while (this.text.charCodeAt(p) === SP) p++;
    return this.text.charCodeAt(p) === HTAB;
  }

  /** Known name of the field at an index, or OTHER. */
  knownAt(index: number): number {
    return this.#numbers[KNOWN + index * STRIDE + 4] as number;
  }

  name(index: number): string {
    const o = KNOWN + index * STRIDE;
    return this.text.substring(this.#numbers[o] as number, this.#numbers[o + 1]);
  }

  value(index: number): string {
    const o = KNOWN + index * STRIDE;
    return this.text.substring(this.#numbers[o + 2] as number, this.#numbers[o + 3]);
  }

  get(name: string): string | undefined {
    for (let i = 0; i < this.count; i++) if (this.#isNamed(i, name)) return this.value(i);
    return undefined;
  }

  visit(fn: (name: string, value: string) => void): void {
    for (let i = 0; i < this.count; i++) fn(this.name(i), this.value(i));
  }

  /**
   * The field lines as they came, without those of the known names in `dropped` (bits) and of the lower-case names in `droppedNames`.
   * Lines that stay beside each other are copied in one piece.
   */
  lines(dropped: number, droppedNames: readonly string[] | null): string {
    if ((this.seen & dropped) === 0 && droppedNames === null)
      return this.text.substring(this.#lineStart(0), this.blockEnd);
    let out = '';
    let kept = this.#lineStart(0);
    for (let i = 0; i < this.count; i++) {
      const known = this.#numbers[KNOWN + i * STRIDE + 4] as number;
      const drop =
        (known !== 0 && (dropped & (1 << known)) !== 0) || (droppedNames !== null && this.#isNamedAny(i, droppedNames));
      if (!drop) continue;
      const start = this.#lineStart(i);
      if (kept < start) out += this.text.substring(kept, start);
      kept = this.#lineStart(i + 1);
    }
    return kept < this.blockEnd ? out + this.text.substring(kept, this.blockEnd) : out;
  }

  #lineStart(index: number): number {
    return index < this.count ? (this.#numbers[KNOWN + index * STRIDE] as number) : this.blockEnd;
  }

  #isNamedAny(index: number, names: readonly string[]): boolean {
    for (const name of names) if (this.#isNamed(index, name)) return true;
    return false;
  }

  #isNamed(index: number, name: string): boolean {
    const start = this.#numbers[KNOWN + index * STRIDE] as number;
    const length = (this.#numbers[KNOWN + index * STRIDE + 1] as number) - start;
    if (length !== name.length) return false;
    for (let i = 0; i < length; i++) {
      const code = this.text.charCodeAt(start + i);
      const lower = code >= 0x41 && code <= 0x5a ? code + 0x20 : code;
      if (lower !== name.charCodeAt(i)) return false;
    }
    return true;
  }
}
