import { CR, LF } from './chars.ts';

/**
 * Whether the beginning of a head or trailer section, bytes[at, end), can no longer become a valid one, so that a client that waits for
 * an answer to something that is not HTTP gets it at once. Bytes before `from` have been looked at.
 */
export function isHopeless(bytes: Uint8Array, at: number, end: number, from: number): boolean {
  for (let p = from; p < end; p++) {
    const byte = bytes[p] as number;
    const behindCr = p > at && bytes[p - 1] === CR;
    if (byte === 0 || (byte === LF) !== behindCr) return true;
  }
  return false;
}
