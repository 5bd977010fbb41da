/** What is sent as one header block. Never changes, so that its encoding can be kept. */
export class FieldBlock {
  /** Names in lower case and values of one character a byte by turns; pseudo-fields first. */
  readonly flat: readonly string[];
  /** Names whose values no table may keep, or null. */
  readonly neverIndexed: readonly string[] | null;
  /** What the encoder keeps here: for whom, in which state of its table, and, once this has happened twice, the bytes. */
  encoder: object | null = null;
  encoderVersion = 0;
  encoded: Uint8Array | null = null;

  constructor(flat: readonly string[], neverIndexed: readonly string[] | null) {
    this.flat = flat;
    this.neverIndexed = neverIndexed;
  }
}
