/**
 * Choosing a side by weight. A key's bucket depends on nothing but the route's salt and the key, so that every worker and replica
 * agrees without asking, and raising a weight only ever moves keys from old to new.
 */
import { NEW, OLD, PPM, type SideIndex } from './route.ts';

/**
 * MurmurHash3_x86_32 (Appleby, smhasher) with seed 0 over a string of bytes, one character a byte. Unsigned.
 * @param bytes characters above 255 are a mistake of the caller's: take `utf8Bytes` first
 */
export function murmur3(bytes: string): number {
  const length = bytes.length;
  const body = length & ~3;
  let hash = 0;
  for (let i = 0; i < body; i += 4) {
    const block =
      bytes.charCodeAt(i) |
      (bytes.charCodeAt(i + 1) << 8) |
      (bytes.charCodeAt(i + 2) << 16) |
      (bytes.charCodeAt(i + 3) << 24);
    hash ^= scramble(block);
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  if (body < length) {
    let tail = 0;
    for (let i = length - 1; i >= body; i--) tail = (tail << 8) | bytes.charCodeAt(i);
    hash ^= scramble(tail);
  }
  hash ^= length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function scramble(block: number): number {
  const mixed = Math.imul(block, 0xcc9e2d51);
  return Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
}

/** The UTF-8 bytes of a text, one character a byte. Values read from a request's head have this form already. */
export function utf8Bytes(text: string): string {
  let bytes = '';
  for (const byte of new TextEncoder().encode(text)) bytes += String.fromCharCode(byte);
  return bytes;
}

/** What stands in front of each key of a route before hashing. */
export function saltPrefix(salt: string): string {
  return `${utf8Bytes(salt)}\0`;
}

/**
 * The key's place among a million: `floor(MurmurHash3_x86_32(utf8(salt + "\0" + key)) * 1,000,000 / 2^32)`.
 * @param prefix from `saltPrefix`
 * @param keyBytes the key's bytes, one character a byte
 */
export function bucketOf(prefix: string, keyBytes: string): number {
  return bucketOfHash(murmur3(prefix + keyBytes));
}

/** @param hash MurmurHash3 of prefix and key */
export function bucketOfHash(hash: number): number {
  return Math.floor((hash * PPM) / 4_294_967_296);
}

/** The side of a sticky request. Weight 0 sends every bucket to old, PPM every bucket to new. */
export function sideOfBucket(bucket: number, weightPpm: number): SideIndex {
  return bucket < weightPpm ? NEW : OLD;
}

/**
 * The side of a request without a key: drawn afresh, independently and uniformly, since the judge counts on it.
 * @param random uniform in [0, 1)
 */
export function drawSide(random: number, weightPpm: number): SideIndex {
  return random * PPM < weightPpm ? NEW : OLD;
}
