import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NEW, OLD, PPM, percentToPpm, ppmToPercent } from '../../src/domain/route.ts';
import { bucketOf, drawSide, murmur3, saltPrefix, sideOfBucket, utf8Bytes } from '../../src/domain/split.ts';

describe('MurmurHash3_x86_32 with seed 0', () => {
  test.each([
    ['', 0],
    ['a', 0x3c2569b2],
    ['ab', 0x9bbfd75f],
    ['abc', 0xb3dd93fa],
    ['abcd', 0x43ed676a],
    ['hello', 0x248bfa47],
    ['hello, world', 0x149bbb7f],
    ['The quick brown fox jumps over the lazy dog', 0x2e4ff723],
    ['über', 0xa006a72c],
  ])('of "%s"', (text, hash) => {
    expect(murmur3(utf8Bytes(text))).toBe(hash);
  });
});

describe('buckets, on which every version of every replica must agree', () => {
  test.each([
    ['search', 'user-1', 347_724],
    ['search', 'user-2', 796_924],
    ['playlist', 'user-1', 706_525],
    ['', '', 317_598],
    ['search', '', 264_689],
    ['röute', 'käy', 503_217],
    ['search', '10.0.0.7', 117_385],
    ['search', '2001:db8::1', 790_800],
    ['search', '0123456789abcdef0123456789abcdef', 272_177],
    ['s', '😀', 104_034],
  ])('of salt "%s" and key "%s"', (salt, key, bucket) => {
    expect(bucketOf(saltPrefix(salt), utf8Bytes(key))).toBe(bucket);
  });
});

const keys = fc.string({ unit: 'binary', maxLength: 40 });
const weights = fc.integer({ min: 0, max: PPM });

function sideOf(salt: string, key: string, weightPpm: number): number {
  return sideOfBucket(bucketOf(saltPrefix(salt), utf8Bytes(key)), weightPpm);
}

test('raising a weight moves no key from new to old', () => {
  fc.assert(
    fc.property(keys, keys, weights, weights, (salt, key, one, other) => {
      const [lower, higher] = one < other ? [one, other] : [other, one];
      if (sideOf(salt, key, lower) === NEW) expect(sideOf(salt, key, higher)).toBe(NEW);
    }),
  );
});

test('at 0 every key is on old, at 100 percent on new', () => {
  fc.assert(
    fc.property(keys, keys, (salt, key) => {
      expect([sideOf(salt, key, 0), sideOf(salt, key, PPM)]).toEqual([OLD, NEW]);
    }),
  );
});

test('one part per million more takes the keys of exactly one bucket along', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: PPM - 1 }), (bucket) => {
      expect([sideOfBucket(bucket, bucket), sideOfBucket(bucket, bucket + 1)]).toEqual([OLD, NEW]);
    }),
  );
});

/** Marsaglia's xorshift32: uniform in [0, 1), the same every time. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 4_294_967_296;
  };
}

/** Chi-square statistic of counts that should all be the same. */
function chiSquare(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

/** Above it lies one in 10,000 of truly uniform draws (chi-square, 99 degrees of freedom). */
const LIMIT_99 = 161.32;

describe.each([
  ['numbers', (i: number) => String(i)],
  ['addresses', (i: number) => `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`],
  ['user ids', (i: number) => `user-${i}@example.com`],
])('keys that are %s', (_kind, keyOf) => {
  test.each(['search', 'playlist', 'r'])('fall evenly into a hundred parts with salt "%s"', (salt) => {
    const counts = Array.from({ length: 100 }, () => 0);
    const prefix = saltPrefix(salt);
    for (let i = 0; i < 100_000; i++) {
      const part = Math.floor(bucketOf(prefix, keyOf(i)) / 10_000);
      counts[part] = (counts[part] as number) + 1;
    }
    expect(chiSquare(counts)).toBeLessThan(LIMIT_99);
  });
});

test('random keys fall evenly into a hundred parts', () => {
  const random = seeded(20_261_123);
  const counts = Array.from({ length: 100 }, () => 0);
  for (let i = 0; i < 100_000; i++) {
    const key = Array.from({ length: 8 }, () => String.fromCharCode(Math.floor(random() * 256))).join('');
    const part = Math.floor(bucketOf('salt\0', key) / 10_000);
    counts[part] = (counts[part] as number) + 1;
  }
  expect(chiSquare(counts)).toBeLessThan(LIMIT_99);
});

test('routes with different salts split the same keys independently', () => {
  const counts = [0, 0, 0, 0];
  for (let i = 0; i < 100_000; i++) {
    const at = 2 * sideOf('search', `user-${i}`, PPM / 2) + sideOf('playlist', `user-${i}`, PPM / 2);
    counts[at] = (counts[at] as number) + 1;
  }
  // One in 10,000, three degrees of freedom.
  expect(chiSquare(counts)).toBeLessThan(21.11);
});

test('draws without a key give new its share, and nothing at 0 and all at 100 percent', () => {
  const random = seeded(7);
  let onNew = 0;
  for (let i = 0; i < 100_000; i++) onNew += drawSide(random(), 50_000);
  expect(onNew / 100_000).toBeGreaterThan(0.0475);
  expect(onNew / 100_000).toBeLessThan(0.0525);
  expect([drawSide(0, 0), drawSide(1 - 2 ** -53, PPM)]).toEqual([OLD, NEW]);
});

test('percent and parts per million are each other’s inverse', () => {
  fc.assert(
    fc.property(weights, (ppm) => {
      expect(percentToPpm(ppmToPercent(ppm))).toBe(ppm);
    }),
  );
  expect([-0.0001, 100.0001, 0.00001, Number.NaN].map(percentToPpm)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});
