/** Fields to header blocks (RFC 7541). One a connection, since blocks build on those before. */
import { ENTRY_BYTES } from './dynamic-table.ts';
import { Encodings } from './encodings.ts';
import type { FieldBlock } from './field-block.ts';
import { huffmanEncode, huffmanLength } from './huffman.ts';
import { writeLatin1 } from './latin1.ts';
import { TABLE_BYTES } from './settings.ts';
import { STATIC_ENTRIES, STATIC_NAMES, STATIC_VALUES } from './static-table.ts';

/** Values of these are secrets: no table keeps them, so that nobody can guess them by lengths (RFC 7541 section 7.1.3). */
const SECRET: ReadonlySet<string> = new Set(['authorization', 'proxy-authorization', 'cookie', 'set-cookie']);

/** Values of these differ nearly each time: one is put into the table, for the name's sake. */
const VOLATILE: ReadonlySet<string> = new Set(['grpc-timeout']);

/** New values of a name that are put into the table before one of them has been used again. */
const TRIES = 8;
/** An entry takes at most this share of the table. */
const LARGEST_SHARE = 0.5;
/** What the integers of one field, and the size updates before a block, take at most. */
const FIELD_OVERHEAD = 12;
const BLOCK_OVERHEAD = 12;

/** What is known about one field name. */
interface Name {
  /** Index of the first entry of the static table with this name; 0: none. */
  readonly staticIndex: number;
  readonly staticValues: ReadonlyMap<string, number> | null;
  readonly isSecret: boolean;
  readonly isVolatile: boolean;
  /** By value, the serial number of its entry in the dynamic table. */
  readonly values: Map<string, number>;
  /** Serial number of the youngest entry with this name; 0: none. */
  youngest: number;
  /** How often a new value may still be put into the table. */
  tries: number;
  /** The last value that was not: seen twice in a row it is worth an entry. */
  lastLiteral: string;
}

const STATIC_INDEX: ReadonlyMap<string, number> = new Map(
  STATIC_NAMES.map((name, index): [string, number] => [name, index]).toReversed(),
);
const STATIC_VALUES_OF: ReadonlyMap<string, ReadonlyMap<string, number>> = staticValues();

function staticValues(): Map<string, Map<string, number>> {
  const all = new Map<string, Map<string, number>>();
  for (let index = 1; index <= STATIC_ENTRIES; index++) {
    const value = STATIC_VALUES[index] as string;
    if (value === '') continue;
    const name = STATIC_NAMES[index] as string;
    const values = all.get(name) ?? new Map<string, number>();
    all.set(name, values.set(value, index));
  }
  return all;
}

export class HpackEncoder {
  readonly #names = new Map<string, Name>();
  /** The entries of the dynamic table, oldest first, from #oldest on. */
  #entryNames: string[] = [];
  #entryValues: string[] = [];
  #oldest = 0;
  /** Entries ever added; serial numbers begin with 1. */
  #added = 0;
  #bytes = 0;
  #limit = TABLE_BYTES;
  /** The smallest limit since the last block, and whether the peer must be told. */
  #smallest = TABLE_BYTES;
  #isResized = false;
  /** Changes with every change of the dynamic table. */
  #version = 0;
  readonly #encodings: Encodings;

  /** @param kept blocks whose encodings are kept, a power of two */
  constructor(kept: number) {
    this.#encodings = new Encodings(kept);
  }

  /** The peer's SETTINGS_HEADER_TABLE_SIZE; @param smallest the least it has been since */
  resize(bytes: number, smallest: number): void {
    const limit = Math.min(bytes, TABLE_BYTES);
    const least = Math.min(smallest, limit);
    if (limit === this.#limit && least >= this.#limit) return;
    this.#smallest = Math.min(this.#smallest, least);
    this.#isResized = true;
    this.#version++;
    this.#limit = least;
    this.#evict(0);
    this.#limit = limit;
  }

  /** Bytes that a block takes at most. */
  bound({ base, characters, flat }: FieldBlock): number {
    const before = base === null ? BLOCK_OVERHEAD : this.bound(base);
    return before + characters + (flat.length >> 1) * FIELD_OVERHEAD;
  }

  /** Writes a block at bytes[at …), which must have room for its `bound`. Returns where it ends. */
  encode(block: FieldBlock, bytes: Buffer, at: number): number {
    if (block.base !== null) return this.#encodeFields(block, bytes, this.encode(block.base, bytes, at));
    const known = this.#encodings.of(block, this.#version);
    if (known !== null) {
      bytes.set(known, at);
      return at + known.length;
    }
    const version = this.#version;
    const isResized = this.#isResized;
    const end = this.#encodeFields(block, bytes, isResized ? this.#sizeUpdates(bytes, at) : at);
    if (block.isRepeated && !isResized && version === this.#version)
      this.#encodings.keep(block, version, Uint8Array.prototype.slice.call(bytes, at, end));
    block.isRepeated = true;
    return end;
  }

  #encodeFields({ flat, neverIndexed }: FieldBlock, bytes: Buffer, at: number): number {
    let p = at;
    for (let i = 0; i < flat.length; i += 2) {
      const name = flat[i] as string;
      const value = flat[i + 1] as string;
      const known = this.#names.get(name) ?? this.#learn(name);
      const index = known.staticValues?.get(value) ?? this.#indexOf(known, value);
      if (index !== 0) {
        p = writeInteger(bytes, p, index, 0x7f, 0x80);
        continue;
      }
      const nameIndex = this.#nameIndex(known);
      if (known.isSecret || neverIndexed?.includes(name) === true) p = writeInteger(bytes, p, nameIndex, 0x0f, 0x10);
      else if (this.#isWorthAnEntry(known, name, value)) {
        p = writeInteger(bytes, p, nameIndex, 0x3f, 0x40);
        this.#add(known, name, value);
      } else p = writeInteger(bytes, p, nameIndex, 0x0f, 0x00);
      if (nameIndex === 0) p = writeString(bytes, p, name);
      p = writeString(bytes, p, value);
    }
    return p;
  }

  #learn(name: string): Name {
    const known: Name = {
      staticIndex: STATIC_INDEX.get(name) ?? 0,
      staticValues: STATIC_VALUES_OF.get(name) ?? null,
      isSecret: SECRET.has(name),
      isVolatile: VOLATILE.has(name),
      values: new Map(),
      youngest: 0,
      tries: TRIES,
      lastLiteral: '',
    };
    // Others are remembered as long as they have an entry, so that made-up names do not pile up.
    if (known.staticIndex !== 0) this.#names.set(name, known);
    return known;
  }

  /** Index of an entry of the dynamic table; 0: none. */
  #indexOf(known: Name, value: string): number {
    if (known.youngest === 0) return 0;
    const serial = known.values.get(value);
    if (serial === undefined) return 0;
    known.tries = TRIES;
    return STATIC_ENTRIES + 1 + this.#added - serial;
  }

  #nameIndex(known: Name): number {
    if (known.staticIndex !== 0) return known.staticIndex;
    return known.youngest === 0 ? 0 : STATIC_ENTRIES + 1 + this.#added - known.youngest;
  }

  #isWorthAnEntry(known: Name, name: string, value: string): boolean {
    if (name.length + value.length + ENTRY_BYTES > this.#limit * LARGEST_SHARE) return false;
    if (known.isVolatile) return known.youngest === 0;
    if (known.tries > 0) {
      known.tries--;
      return true;
    }
    if (known.lastLiteral === value) return true;
    known.lastLiteral = value;
    return false;
  }

  #add(known: Name, name: string, value: string): void {
    const bytes = name.length + value.length + ENTRY_BYTES;
    this.#evict(bytes);
    this.#version++;
    this.#entryNames.push(name);
    this.#entryValues.push(value);
    this.#bytes += bytes;
    this.#added++;
    known.values.set(value, this.#added);
    known.youngest = this.#added;
    this.#names.set(name, known);
  }

  /** Until there is room for so many bytes. */
  #evict(room: number): void {
    while (this.#bytes + room > this.#limit && this.#oldest < this.#entryNames.length) {
      const name = this.#entryNames[this.#oldest] as string;
      const value = this.#entryValues[this.#oldest] as string;
      const serial = this.#added - (this.#entryNames.length - this.#oldest) + 1;
      this.#oldest++;
      this.#bytes -= name.length + value.length + ENTRY_BYTES;
      this.#forget(name, value, serial);
    }
    // The evicted leave the arrays now and then, in one piece.
    if (this.#oldest > 64 && this.#oldest * 2 > this.#entryNames.length) {
      this.#entryNames = this.#entryNames.slice(this.#oldest);
      this.#entryValues = this.#entryValues.slice(this.#oldest);
      this.#oldest = 0;
    }
  }

  #forget(name: string, value: string, serial: number): void {
    const known = this.#names.get(name);
    if (known === undefined) return;
    if (known.values.get(value) === serial) known.values.delete(value);
    if (known.youngest !== serial) return;
    known.youngest = 0;
    if (known.staticIndex === 0) this.#names.delete(name);
  }

  /** RFC 7541 section 4.2: the smallest size since the last block, then the one that holds. */
  #sizeUpdates(bytes: Buffer, at: number): number {
    this.#isResized = false;
    const smallest = this.#smallest;
    this.#smallest = this.#limit;
    const p = smallest < this.#limit ? writeInteger(bytes, at, smallest, 0x1f, 0x20) : at;
    return writeInteger(bytes, p, this.#limit, 0x1f, 0x20);
  }
}

/** RFC 7541 section 5.1, behind the given leading bits. */
function writeInteger(bytes: Uint8Array, at: number, value: number, mask: number, bits: number): number {
  if (value < mask) {
    bytes[at] = bits | value;
    return at + 1;
  }
  let p = at;
  bytes[p++] = bits | mask;
  let rest = value - mask;
  while (rest >= 0x80) {
    bytes[p++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[p++] = rest;
  return p;
}

/** RFC 7541 section 5.2: Huffman-coded where that is shorter. */
function writeString(bytes: Buffer, at: number, text: string): number {
  const coded = huffmanLength(text);
  if (coded < text.length) return huffmanEncode(text, bytes, writeInteger(bytes, at, coded, 0x7f, 0x80));
  return writeLatin1(bytes, writeInteger(bytes, at, text.length, 0x7f, 0x00), text);
}
