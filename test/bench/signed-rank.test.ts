import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { middleOf } from '../../bench/signed-rank.mjs';

test('the interval holds the middle and moves along with what is measured', () => {
  const values = fc.array(fc.integer({ min: -1_000, max: 1_000 }), { minLength: 10, maxLength: 40 });
  fc.assert(
    fc.property(values, fc.integer({ min: -1_000, max: 1_000 }), (differences, shift) => {
      const { low, middle, high } = middleOf(differences);
      expect(low).toBeLessThanOrEqual(middle);
      expect(middle).toBeLessThanOrEqual(high);
      const shifted = middleOf(differences.map((each) => each + shift));
      expect(shifted).toEqual({ low: low + shift, middle: middle + shift, high: high + shift });
      const turned = middleOf(differences.map((each) => 0 - each));
      expect([turned.low + high, turned.middle + middle, turned.high + low]).toEqual([0, 0, 0]);
    }),
  );
});

test('one that is far off moves it no further than the next', () => {
  const calm = Array.from({ length: 40 }, (_, i) => Math.sin(i));
  const { middle, high } = middleOf([...calm.slice(1), 1_000]);
  expect(middle).toBeLessThan(middleOf(calm).high);
  expect(high).toBeLessThan(1);
});

test('about one interval of twenty misses what is true', () => {
  let seed = 1;
  const random = (): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  let missed = 0;
  for (let run = 0; run < 2_000; run++) {
    const { low, high } = middleOf(Array.from({ length: 20 }, () => random() - random()));
    if (low > 0 || high < 0) missed += 1;
  }
  expect(missed / 2_000).toBeGreaterThan(0.03);
  expect(missed / 2_000).toBeLessThan(0.07);
});
