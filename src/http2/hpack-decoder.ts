/** Header blocks to fields (RFC 7541). One a connection, since blocks build on those before. */
import { HTAB, LOWER_TOKEN, SP, VALUE } from './chars.ts';
import { DynamicTable } from './dynamic-table.ts';
import type { FieldSection } from './field-section.ts';
import { huffmanDecode } from './huffman.ts';
import { kindOfName, MALFORMED_NAME, MALFORMED_VALUE } from './known.ts';
import { latin1 } from './latin1.ts';
import { TABLE_BYTES } from './settings.ts';
import { STATIC_ENTRIES, STATIC_KINDS, STATIC_NAMES, STATIC_VALUES } from './static-table.ts';

/** Greatest integer taken: no index or length of a block that we accept comes near it. */
const MAX_INTEGER = 0x1fffff;

/** For the bytes of one Huffman-coded string; used up before the next is decoded. */
let scratch = Buffer.allocUnsafeSlow(4_096);

export class HpackDecoder {
  readonly #table = new DynamicTable();
  /** Where the last integer or string ended. */
  #at = 0;
  /** Whether the last string had characters that it must not have. */
  #isMalformed = false;

  /** Changes with every change of the dynamic table. */
  get version(): number {
    return this.#table.version;
  }

  /** Decodes the block at bytes[at, end) into the section. False: a compression error, after which the connection is of no use. */
  decode(bytes: Buffer, at: number, end: number, section: FieldSection): boolean {
    const table = this.#table;
    let mayResize = true;
    let p = at;
    while (p < end) {
      const first = bytes[p] as number;
      if (first >= 0x80) {
        mayResize = false;
        let index = first & 0x7f;
        if (index === 0x7f) {
          index = this.#integer(bytes, p, end, 0x7f);
          p = this.#at;
        } else {
          p++;
        }
        if (index <= STATIC_ENTRIES) {
          if (index <= 0) return false;
          section.add(STATIC_NAMES[index] as string, STATIC_VALUES[index] as string, STATIC_KINDS[index] as number);
        } else {
          const slot = table.slotOf(index - STATIC_ENTRIES - 1);
          if (slot === -1) return false;
          section.add(table.names[slot] as string, table.values[slot] as string, table.kinds[slot] as number);
        }
      } else if ((first & 0xe0) === 0x20) {
        const size = this.#integer(bytes, p, end, 0x1f);
        if (!mayResize || size < 0 || size > TABLE_BYTES) return false;
        table.resize(size);
        p = this.#at;
      } else {
        mayResize = false;
        if (!this.#literal(bytes, p, end, section)) return false;
        p = this.#at;
      }
    }
    return true;
  }

  /** RFC 7541 section 6.2: with incremental indexing, without, or never indexed. */
  #literal(bytes: Buffer, at: number, end: number, section: FieldSection): boolean {
    const table = this.#table;
    const first = bytes[at] as number;
    const isIndexed = first >= 0x40;
    const index = this.#integer(bytes, at, end, isIndexed ? 0x3f : 0x0f);
    let name: string;
    let kind: number;
    if (index < 0) return false;
    if (index === 0) {
      const literal = this.#string(bytes, this.#at, end, true);
      if (literal === undefined) return false;
      name = literal;
      kind = this.#isMalformed ? MALFORMED_NAME : kindOfName(name);
    } else if (index <= STATIC_ENTRIES) {
      name = STATIC_NAMES[index] as string;
      kind = STATIC_KINDS[index] as number;
    } else {
      const slot = table.slotOf(index - STATIC_ENTRIES - 1);
      if (slot === -1) return false;
      name = table.names[slot] as string;
      kind = (table.kinds[slot] as number) & ~MALFORMED_VALUE;
    }
    const value = this.#string(bytes, this.#at, end, false);
    if (value === undefined) return false;
    if (this.#isMalformed) kind |= MALFORMED_VALUE;
    if (isIndexed) table.add(name, value, kind);
    else if (first >= 0x10) section.markNeverIndexed(name);
    section.add(name, value, kind);
    return true;
  }

  /** RFC 7541 section 5.1. Returns the integer at bytes[at …), whose prefix has the bits of the mask, or -1. */
  #integer(bytes: Buffer, at: number, end: number, mask: number): number {
    let value = (bytes[at] as number) & mask;
    let p = at + 1;
    if (value === mask) {
      let shift = 0;
      for (;;) {
        if (p >= end || shift > 21) return -1;
        const byte = bytes[p++] as number;
        value += (byte & 0x7f) << shift;
        if (byte < 0x80) break;
        shift += 7;
      }
      if (value > MAX_INTEGER) return -1;
    }
    this.#at = p;
    return value;
  }

  /** RFC 7541 section 5.2. Undefined: the string reaches over the end, or is not Huffman code. */
  #string(bytes: Buffer, at: number, end: number, isName: boolean): string | undefined {
    if (at >= end) return undefined;
    const isCoded = (bytes[at] as number) >= 0x80;
    const length = this.#integer(bytes, at, end, 0x7f);
    const start = this.#at;
    if (length < 0 || length > end - start) return undefined;
    this.#at = start + length;
    if (!isCoded) return this.#text(bytes, start, start + length, isName);
    if (scratch.length * 5 < length * 8 + 5) scratch = Buffer.allocUnsafeSlow(length * 2);
    const count = huffmanDecode(bytes, start, start + length, scratch);
    return count === -1 ? undefined : this.#text(scratch, 0, count, isName);
  }

  #text(bytes: Buffer, start: number, end: number, isName: boolean): string {
    this.#isMalformed = isName ? !isFieldName(bytes, start, end) : !isFieldValue(bytes, start, end);
    return latin1(bytes, start, end);
  }
}

/** A lower-case token, or one behind a colon. */
function isFieldName(bytes: Uint8Array, start: number, end: number): boolean {
  let p = bytes[start] === 0x3a && start < end ? start + 1 : start;
  if (p === end) return false;
  while (p < end && LOWER_TOKEN[bytes[p] as number] === 1) p++;
  return p === end;
}

/** RFC 9113 section 8.2.1: no control, and no blank at either end. */
function isFieldValue(bytes: Uint8Array, start: number, end: number): boolean {
  if (start === end) return true;
  const first = bytes[start];
  const last = bytes[end - 1];
  if (first === SP || first === HTAB || last === SP || last === HTAB) return false;
  let p = start;
  while (p < end && VALUE[bytes[p] as number] === 1) p++;
  return p === end;
}
