/** The Huffman code of string literals (RFC 7541 section 5.2 and appendix B). */

/** Bits of each byte's code, and of the end of string (256). The code is canonical: within a length codes rise with the symbols. */
// biome-ignore format: a table
const LENGTHS = Uint8Array.of(
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28,
  28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12,
  10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6,
  5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22,
  22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20,
  22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28,
  27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28,
  27, 27, 27, 27, 27, 26, 30,
);

const SYMBOLS = 257;
const END_OF_STRING = 256;
const LONGEST = 30;
/** Codes up to this long, nearly all that occur, are found by one look into a table. */
const SHORT = 8;

const CODES = new Uint32Array(SYMBOLS);
/** Symbols in the order of their codes. */
const ORDER = new Uint16Array(SYMBOLS);
/** By length: the first code, how many there are, and where they begin in ORDER. */
const FIRST_CODE = new Uint32Array(LONGEST + 1);
const COUNT = new Uint16Array(LONGEST + 1);
const FIRST_AT = new Uint16Array(LONGEST + 1);
/** By the next SHORT bits: symbol * 16 + length of its code, or 0. */
const BY_PREFIX = new Uint16Array(1 << SHORT);
fillTables();

function fillTables(): void {
  let code = 0;
  let at = 0;
  for (let length = 1; length <= LONGEST; length++) {
    code *= 2;
    FIRST_CODE[length] = code;
    FIRST_AT[length] = at;
    for (let symbol = 0; symbol < SYMBOLS; symbol++) {
      if (LENGTHS[symbol] !== length) continue;
      CODES[symbol] = code;
      ORDER[at++] = symbol;
      if (length <= SHORT)
        BY_PREFIX.fill(symbol * 16 + length, code << (SHORT - length), (code + 1) << (SHORT - length));
      code++;
    }
    COUNT[length] = at - (FIRST_AT[length] as number);
  }
}

/** Bytes that a text of one character a byte takes when coded. */
export function huffmanLength(text: string): number {
  let bits = 0;
  for (let i = 0; i < text.length; i++) bits += LENGTHS[text.charCodeAt(i)] as number;
  return (bits + 7) >>> 3;
}

/** Writes the coded text at bytes[at …), which must have room for it. Returns where it ends. */
export function huffmanEncode(text: string, bytes: Uint8Array, at: number): number {
  let p = at;
  let held = 0;
  let heldBits = 0;
  for (let i = 0; i < text.length; i++) {
    const symbol = text.charCodeAt(i);
    let length = LENGTHS[symbol] as number;
    const code = CODES[symbol] as number;
    // At most 7 bits are held, so that a code is taken in two parts when it is longer than what an integer has room for.
    if (length > 24) {
      held = (held << (length - 24)) | (code >>> 24);
      heldBits += length - 24;
      length = 24;
      for (; heldBits >= 8; heldBits -= 8) bytes[p++] = held >>> (heldBits - 8);
    }
    held = (held << length) | (code & ((1 << length) - 1));
    for (heldBits += length; heldBits >= 8; heldBits -= 8) bytes[p++] = held >>> (heldBits - 8);
  }
  if (heldBits > 0) bytes[p++] = (held << (8 - heldBits)) | (0xff >>> heldBits);
  return p;
}

/**
 * Decodes bytes[at, end) to out[0 …), which must have room for 8 bytes for each 5 of them. Returns how many there are, or -1 when the
 * bytes are no such code: what is left behind the last symbol must be less than a byte and all ones, and the end of string never occurs.
 */
export function huffmanDecode(bytes: Uint8Array, at: number, end: number, out: Uint8Array): number {
  let count = 0;
  let held = 0;
  let heldBits = 0;
  let p = at;
  for (;;) {
    while (heldBits < SHORT && p < end) {
      held = ((held << 8) | (bytes[p++] as number)) & 0xffffff;
      heldBits += 8;
    }
    if (heldBits === 0) return count;
    const prefix =
      heldBits >= SHORT
        ? (held >>> (heldBits - SHORT)) & 0xff
        : ((held << (SHORT - heldBits)) & 0xff) | (0xff >>> heldBits);
    const found = BY_PREFIX[prefix] as number;
    const length = found & 15;
    if (length !== 0 && length <= heldBits) {
      out[count++] = found >>> 4;
      heldBits -= length;
      continue;
    }
    if (p === end && heldBits < 8) return isPadding(held, heldBits) ? count : -1;
    // A long code: bit after bit.
    let code = (held >>> (heldBits - SHORT)) & 0xff;
    heldBits -= SHORT;
    let symbol = -1;
    for (let bits = SHORT + 1; bits <= LONGEST; bits++) {
      if (heldBits === 0) {
        if (p === end) return -1;
        held = bytes[p++] as number;
        heldBits = 8;
      }
      heldBits--;
      code = code * 2 + ((held >>> heldBits) & 1);
      const offset = code - (FIRST_CODE[bits] as number);
      if (offset >= 0 && offset < (COUNT[bits] as number)) {
        symbol = ORDER[(FIRST_AT[bits] as number) + offset] as number;
        break;
      }
    }
    if (symbol === -1 || symbol === END_OF_STRING) return -1;
    out[count++] = symbol;
  }
}

function isPadding(held: number, heldBits: number): boolean {
  const mask = (1 << heldBits) - 1;
  return (held & mask) === mask;
}
