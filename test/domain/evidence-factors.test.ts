import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fillFactors, noFactors, wagersOf } from '../../src/domain/factors.ts';

const PPM = 1_000_000;
const WAGERS = wagersOf({ rho: 1, delta: 0 });

const unit = (min: number, max: number) => fc.double({ min, max, noNaN: true });
/** Of a comparison; and of a ceiling, whose line ends where both sides always fail. */
const tolerances = fc.oneof(
  fc.record({ rho: fc.oneof(fc.constant(1), unit(1, 4)), delta: fc.oneof(fc.constant(0), unit(0, 0.5)) }),
  unit(0.05, 0.9).map((ceiling) => ({ rho: 1 - ceiling, delta: ceiling })),
);
const oldRates = unit(Math.log(1e-5), Math.log(0.6)).map(Math.exp);
/** Also those that leave a side next to nothing. */
const weights = fc.oneof(
  unit(0.001, 0.999),
  fc.integer({ min: 1, max: 9 }).map((ppm) => ppm / PPM),
  fc.integer({ min: 1, max: 9 }).map((ppm) => 1 - ppm / PPM),
);

describe('what one response is worth', () => {
  const factors = noFactors(WAGERS);
  const expected = (k: number, weight: number, oldRate: number, newRate: number) => {
    const { newFault, newOk, oldFault, oldOk } = factors;
    const ofNew = newRate * Math.exp(newFault[k] as number) + (1 - newRate) * Math.exp(newOk[k] as number);
    const ofOld = oldRate * Math.exp(oldFault[k] as number) + (1 - oldRate) * Math.exp(oldOk[k] as number);
    return weight * ofNew + (1 - weight) * ofOld;
  };

  test('is 1 in the mean anywhere on the line, and never more below it', () => {
    fc.assert(
      fc.property(oldRates, weights, tolerances, unit(0, 1), unit(0, 1), (u, weight, { rho, delta }, place, below) => {
        fillFactors(factors, { rho, delta }, weight, u);
        const oldRate = (place * (1 - delta)) / rho;
        const line = rho * oldRate + delta;
        for (let k = 0; k < WAGERS; k++) {
          expect(Math.abs(expected(k, weight, oldRate, line) - 1)).toBeLessThanOrEqual(1e-9);
          expect(expected(k, weight, oldRate, line * below)).toBeLessThanOrEqual(1 + 1e-9);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('with delta 0 the line is met at the mean of the two rates', () => {
    fillFactors(factors, { rho: 1, delta: 0 }, 0.1, 0.001);
    const [k, u, v] = [4, 0.001, 0.121];
    const met = 0.1 * v + 0.9 * u;
    expect(factors.newFault[k]).toBeCloseTo(Math.log(v / met), 12);
    expect(factors.oldOk[k]).toBeCloseTo(Math.log((1 - u) / (1 - met)), 12);
  });

  test.each([0, 1])('nothing at weight %d, where one side draws nothing', (weight) => {
    fillFactors(factors, { rho: 1, delta: 0.001 }, weight, 0.001);
    expect(factors).toEqual(noFactors(WAGERS));
  });

  test('a wager that would have to be above all rates is not made', () => {
    fillFactors(factors, { rho: 2, delta: 0.4 }, 0.5, 0.6);
    expect(factors).toEqual(noFactors(WAGERS));
  });
});
