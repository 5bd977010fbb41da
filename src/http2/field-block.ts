let made = 0;

/** What is sent as one header block. Never changes, so that its encodings can be kept. */
export class FieldBlock {
  /** Tells it from others. */
  readonly id: number;
  /** Names in lower case and values of one character a byte by turns; pseudo-fields first. */
  readonly flat: readonly string[];
  /** Names whose values no table may keep, or null. */
  readonly neverIndexed: readonly string[] | null;
  /** What the block begins with, whose encodings are kept; null: nothing, and this block's own are. */
  readonly base: FieldBlock | null;
  /** It has been sent before: its encodings are worth keeping. */
  isRepeated = false;
  #characters = -1;

  constructor(flat: readonly string[], neverIndexed: readonly string[] | null, base: FieldBlock | null = null) {
    this.id = made++ & 0x3fffffff;
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
}
