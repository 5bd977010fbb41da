/** A decoder's dynamic table (RFC 7541 section 2.3.2 and 4): a ring that grows with what is put into it. */
import { TABLE_BYTES } from './settings.ts';

/** What an entry costs beyond its characters (RFC 7541 section 4.1). */
export const ENTRY_BYTES = 32;

const FIRST_CAPACITY = 16;

export class DynamicTable {
  /** By slot; `slotOf` finds the slot of an index. */
  names: string[] = [];
  values: string[] = [];
  kinds: Int32Array = new Int32Array(FIRST_CAPACITY);
  count = 0;
  /** Rises with every change: what was decoded under one version holds as long as it stays. */
  version = 0;
  #newest = FIRST_CAPACITY - 1;
  #bytes = 0;
  #limit = TABLE_BYTES;

  /** Slot of an index behind the static table's, 0 being the entry added last; -1 when there is none. */
  slotOf(index: number): number {
    return index < this.count ? (this.#newest - index) & (this.kinds.length - 1) : -1;
  }

  /** @param bytes not more than the limit that we have told the peer */
  resize(bytes: number): void {
    this.#limit = bytes;
    this.version++;
    this.#evict(0);
  }

  add(name: string, value: string, kind: number): void {
    const bytes = name.length + value.length + ENTRY_BYTES;
    this.version++;
    this.#evict(bytes);
    // RFC 7541 section 4.4: an entry larger than the table empties it, and is no error.
    if (bytes > this.#limit) return;
    if (this.count === this.kinds.length) this.#grow();
    this.#newest = (this.#newest + 1) & (this.kinds.length - 1);
    this.names[this.#newest] = name;
    this.values[this.#newest] = value;
    this.kinds[this.#newest] = kind;
    this.count++;
    this.#bytes += bytes;
  }

  /** Until there is room for so many bytes. */
  #evict(room: number): void {
    while (this.count > 0 && this.#bytes + room > this.#limit) {
      const oldest = this.slotOf(this.count - 1);
      this.#bytes -= (this.names[oldest] as string).length + (this.values[oldest] as string).length + ENTRY_BYTES;
      this.names[oldest] = '';
      this.values[oldest] = '';
      this.count--;
    }
  }

  #grow(): void {
    const names: string[] = [];
    const values: string[] = [];
    const kinds = new Int32Array(this.kinds.length * 2);
    for (let i = 0; i < this.count; i++) {
      const slot = this.slotOf(this.count - 1 - i);
      names.push(this.names[slot] as string);
      values.push(this.values[slot] as string);
      kinds[i] = this.kinds[slot] as number;
    }
    this.#newest = this.count - 1;
    this.names = names;
    this.values = values;
    this.kinds = kinds;
  }
}
