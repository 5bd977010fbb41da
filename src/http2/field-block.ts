/** What an encoder made of a block in a state of its table. */
export interface Encoding {
  readonly encoder: object;
  version: number;
  /** Null until the same has been encoded twice. */
  bytes: Uint8Array | null;
}

/** Connections that the same block is sent on by turns. */
const MOST_ENCODINGS = 8;

/** What is sent as one header block. Never changes, so that its encodings can be kept. */
export class FieldBlock {
  /** Names in lower case and values of one character a byte by turns; pseudo-fields first. */
  readonly flat: readonly string[];
  /** Names whose values no table may keep, or null. */
  readonly neverIndexed: readonly string[] | null;
  /** What the block begins with, whose encodings are kept; null: nothing, and this block's own are. */
  readonly base: FieldBlock | null;
  #encodings: Encoding[] | null = null;
  #oldest = 0;
  #characters = -1;

  constructor(flat: readonly string[], neverIndexed: readonly string[] | null, base: FieldBlock | null = null) {
    this.flat = flat;
    this.neverIndexed = neverIndexed;
    this.base = base;
  }

  /** Characters of all names and values of `flat`. */
  get characters(): number {
    if (this.#characters === -1) {
      this.#characters = 0;
      for (let i = 0; i < this.flat.length; i++) this.#characters += (this.flat[i] as string).length;
    }
    return this.#characters;
  }

  encodingBy(encoder: object): Encoding | null {
    const encodings = this.#encodings;
    if (encodings === null) return null;
    for (let i = 0; i < encodings.length; i++) {
      const encoding = encodings[i] as Encoding;
      if (encoding.encoder === encoder) return encoding;
    }
    return null;
  }

  keepEncoding(encoding: Encoding): void {
    if (this.#encodings === null) {
      this.#encodings = [encoding];
    } else if (this.#encodings.length < MOST_ENCODINGS) {
      this.#encodings.push(encoding);
    } else {
      this.#encodings[this.#oldest] = encoding;
      this.#oldest = (this.#oldest + 1) % MOST_ENCODINGS;
    }
  }
}
