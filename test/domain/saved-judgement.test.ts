import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { BucketResult } from '../../src/domain/bucket-result.ts';
import { LATENCY_BINS } from '../../src/domain/latency-sketch.ts';
import { Results, restoreCounts, restoreLatencies, savedJudgement } from '../../src/domain/saved-judgement.ts';
import { openTrial } from '../../src/domain/trial.ts';

const SETTINGS = {
  alpha: 0.001,
  rho: 1,
  delta: 0.001,
  horizonBuckets: 86_400,
  streams: 'all',
  ceiling: null,
} as const;

/** A judgement in its test that began at 5. */
function lasting(latencies: Float64Array, votes: ReadonlyMap<string, number>, steps: ReadonlyMap<string, number>) {
  return { testSince: 5, trial: openTrial(false, SETTINGS, 9), latencies, votes, steps };
}

const NONE = lasting(new Float64Array(LATENCY_BINS), new Map(), new Map());

test('whoever has written a result and whoever reads its text go on from the same, whatever they had before', () => {
  const counts = fc.uniqueArray(fc.tuple(fc.string(), fc.nat()), { selector: ([name]) => name, maxLength: 5 });
  const bins = fc.array(fc.tuple(fc.nat(LATENCY_BINS - 1), fc.double({ min: 0, max: 1e6, noNaN: true })));
  fc.assert(
    fc.property(bins, counts, counts, (counted, votes, steps) => {
      const latencies = new Float64Array(LATENCY_BINS);
      for (const [bin, count] of counted) latencies[bin] = count;
      const saved = savedJudgement(lasting(latencies, new Map(votes), new Map(steps)));
      const read = new Results().read(9, JSON.stringify(saved));
      expect(read).toEqual(saved);
      const restored = new Float64Array(LATENCY_BINS).fill(7);
      restoreLatencies(restored, saved.latencies);
      // Nine places are kept, and less than a hundredth of a response is forgotten.
      latencies.forEach((count, bin) => {
        expect(Math.abs((restored[bin] as number) - count)).toBeLessThanOrEqual(count < 0.01 ? count : 1e-9);
      });
      const told = new Map([['of another test', 1]]);
      restoreCounts(told, saved.votes);
      expect(new Map(told)).toEqual(new Map(votes));
    }),
  );
});

/** Says a text, and how often it was asked for it. */
class Text implements BucketResult {
  asked = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    this.asked += 1;
    return this.#text;
  }
}

test("another's result is read from its text once, as long as it is the last", () => {
  const results = new Results();
  const text = new Text(JSON.stringify(savedJudgement(NONE)));
  const first = results.read(9, text);
  const { asked } = text;
  expect(results.read(9, text)).toBe(first);
  expect(text.asked).toBe(asked);
  expect([results.isKnown(9), results.isKnown(8)]).toEqual([true, false]);
});

test('what was written here is not read from its text when it has become the result for all; what another wrote is', () => {
  const results = new Results();
  const saved = savedJudgement(NONE);
  expect(results.read(9, results.write(saved))).toBe(saved);
  const other = { ...saved, testSince: 6 };
  results.write(saved);
  expect(results.read(10, JSON.stringify(other))).toEqual(other);
});

test.each(['from the future', '{"format":4}', '"3"'])('%s is of another version: nothing is gone on from', (text) => {
  expect(new Results().read(9, text)).toBeNull();
});
