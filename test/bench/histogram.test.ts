import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Histogram } from '../../bench/histogram.mjs';

const microseconds = fc.oneof(
  fc.integer({ min: 0, max: 300 }),
  fc.integer({ min: 0, max: 10_000_000 }),
  fc.integer({ min: 0, max: 0xffffffff }),
);

/** The definition that the histogram approximates: the smallest value that at least this share does not exceed. */
function nearestRank(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1] ?? Number.NaN;
}

describe('Histogram', () => {
  test('every quantile is within 1/256 of the exact one, and values below 256 are exact', () => {
    fc.assert(
      fc.property(
        fc.array(microseconds, { minLength: 1, maxLength: 300 }),
        fc.double({ min: 0.001, max: 1, noNaN: true }),
        (values, share) => {
          const histogram = new Histogram();
          for (const value of values) histogram.record(value);
          const exact = nearestRank(values, share);
          const error = Math.abs(histogram.quantile(share) - exact);
          expect(error).toBeLessThanOrEqual(exact < 256 ? 0 : exact / 256);
          expect(histogram.count).toBe(values.length);
          expect([histogram.min, histogram.max]).toEqual([nearestRank(values, 0.000001), nearestRank(values, 1)]);
        },
      ),
    );
  });

  test('adding one to another is recording its values', () => {
    fc.assert(
      fc.property(fc.array(microseconds), fc.array(microseconds), (ours, theirs) => {
        const [one, other, both] = [new Histogram(), new Histogram(), new Histogram()];
        for (const value of ours) one.record(value);
        for (const value of theirs) other.record(value);
        for (const value of [...ours, ...theirs]) both.record(value);
        one.add(other);
        expect(one).toEqual(both);
        for (const share of [0.5, 0.99, 1]) expect(one.quantile(share)).toBe(both.quantile(share));
      }),
    );
  });

  test('what is longer than the largest value counts as the largest', () => {
    const histogram = new Histogram();
    histogram.record(2 ** 40);
    expect(histogram.quantile(0.5)).toBe(0xffffffff);
    expect(histogram.count).toBe(1);
  });

  test('has no quantile before the first value', () => {
    expect(new Histogram().quantile(0.5)).toBeNaN();
  });
});
