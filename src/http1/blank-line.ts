import { CR, LF } from './chars.ts';

/**
 * Where CR LF CR LF begins in bytes[from, end), or -1. Looks at one byte in four of a head that is a few hundred bytes long, which is done
 * before a call into native code has been prepared.
 */
export function findBlankLine(bytes: Uint8Array, from: number, end: number): number {
  let p = from + 3;
  while (p < end) {
    const byte = bytes[p];
    if (byte === LF) {
      if (bytes[p - 1] === CR && bytes[p - 2] === LF && bytes[p - 3] === CR) return p - 3;
      p += 2;
    } else if (byte === CR) {
      p += 1;
    } else {
      p += 4;
    }
  }
  return -1;
}
