import { expect, test } from 'vitest';
import { chiSquare, slope } from './statistics.ts';

test('the slope of a line is its slope', () => {
  expect(slope([0, 1, 2, 3].map((x) => [x, 5 - 2 * x] as const))).toBeCloseTo(-2, 10);
});

test('chi-square against the table: 18.307 at 10 degrees leaves 5 percent', () => {
  const part = Math.sqrt(1.8307 * 25);
  const { chi2, degrees, p } = chiSquare(Array.from({ length: 10 }, () => ({ of: 100, toNew: 50 + part, share: 0.5 })));
  expect([chi2, degrees]).toEqual([expect.closeTo(18.307, 3), 10]);
  expect(p).toBeCloseTo(0.05, 2);
});
