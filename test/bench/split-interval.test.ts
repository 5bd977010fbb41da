import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitInterval } from '../../bench/cutover/split-interval.mjs';

/** The chance of each number of successes, by the recurrence from 0: exact enough for small n. */
function chances(n: number, share: number): number[] {
  const chance = [(1 - share) ** n];
  for (let k = 0; k < n; k += 1) chance.push(((chance[k] ?? 0) * (n - k) * share) / ((k + 1) * (1 - share)));
  return chance;
}

const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);

describe('splitInterval', () => {
  test('cuts off at most half of the allowed chance on each side, and one value more would be too much', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.double({ min: 0.001, max: 0.95, noNaN: true }), (n, share) => {
        const [lowest, highest] = splitInterval(n, share, 0.999);
        const chance = chances(n, share);
        const slack = 1e-12;
        expect(sum(chance.slice(0, lowest))).toBeLessThanOrEqual(0.0005 + slack);
        expect(sum(chance.slice(0, lowest + 1))).toBeGreaterThan(0.0005 - slack);
        expect(sum(chance.slice(highest + 1))).toBeLessThanOrEqual(0.0005 + slack);
        expect(sum(chance.slice(highest))).toBeGreaterThan(0.0005 - slack);
      }),
    );
  });

  test('of 100,000 requests at 5 percent, about 3.29 standard deviations', () => {
    const [lowest, highest] = splitInterval(100_000, 0.05, 0.999);
    const deviation = Math.sqrt(100_000 * 0.05 * 0.95);
    expect(Math.abs(5000 - lowest - 3.29 * deviation)).toBeLessThan(5);
    expect(Math.abs(highest - 5000 - 3.29 * deviation)).toBeLessThan(5);
  });

  test('nothing may differ at 0 and at 100 percent, and nothing can without requests', () => {
    expect(splitInterval(500, 0, 0.999)).toEqual([0, 0]);
    expect(splitInterval(500, 1, 0.999)).toEqual([500, 500]);
    expect(splitInterval(0, 0.5, 0.999)).toEqual([0, 0]);
  });
});
