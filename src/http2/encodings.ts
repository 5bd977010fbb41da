/** What one encoder made of blocks that come again, while its table stays as it is. */
import type { FieldBlock } from './field-block.ts';

interface Encoding {
  readonly block: FieldBlock;
  readonly version: number;
  readonly bytes: Uint8Array;
}

export class Encodings {
  /** Places by twos: a block has two, by its number. Made when the first is kept. */
  #kept: (Encoding | undefined)[] = [];
  readonly #places: number;

  /** @param places a power of two */
  constructor(places: number) {
    this.#places = places;
  }

  /** Of this version of the table; null: none is kept. */
  of(block: FieldBlock, version: number): Uint8Array | null {
    const place = block.id & (this.#places - 1);
    return bytesOf(this.#kept[place], block, version) ?? bytesOf(this.#kept[place ^ 1], block, version);
  }

  /** Takes the place of one of an older version, or of another that may come again. */
  keep(block: FieldBlock, version: number, bytes: Uint8Array): void {
    if (this.#kept.length === 0) this.#kept = Array.from({ length: this.#places });
    const place = block.id & (this.#places - 1);
    const there = this.#kept[place];
    const isFree = there === undefined || there.block === block || there.version !== version;
    this.#kept[isFree ? place : place ^ 1] = { block, version, bytes };
  }
}

function bytesOf(kept: Encoding | undefined, block: FieldBlock, version: number): Uint8Array | null {
  return kept !== undefined && kept.block === block && kept.version === version ? kept.bytes : null;
}
