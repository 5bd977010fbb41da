/**
 * What header blocks were decoded to: requests of one client are often alike to the byte, and mean the same as long as the dynamic table
 * stays as it is.
 */
const SLOTS = 8;
/** Longer blocks hold something that will not come again. */
const LONGEST = 96;

interface Entry<T> {
  readonly bytes: Uint8Array;
  readonly version: number;
  readonly value: T;
}

export class BlockMemo<T> {
  readonly #entries: (Entry<T> | undefined)[] = [];

  /** What the block at bytes[at, end) is under this version of the table, if that is known. */
  find(bytes: Uint8Array, at: number, end: number, version: number): T | undefined {
    const entry = this.#entries[slotOf(bytes, at, end)];
    if (entry === undefined || entry.version !== version) return undefined;
    const known = entry.bytes;
    const length = end - at;
    if (known.length !== length) return undefined;
    for (let i = 0; i < length; i++) if (known[i] !== bytes[at + i]) return undefined;
    return entry.value;
  }

  keep(bytes: Uint8Array, at: number, end: number, version: number, value: T): void {
    if (end - at > LONGEST) return;
    this.#entries[slotOf(bytes, at, end)] = { bytes: Uint8Array.prototype.slice.call(bytes, at, end), version, value };
  }
}

function slotOf(bytes: Uint8Array, at: number, end: number): number {
  return (end - at + (bytes[end - 1] as number) + (bytes[(at + end) >> 1] as number)) & (SLOTS - 1);
}
