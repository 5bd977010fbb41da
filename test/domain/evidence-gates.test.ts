/** The gates of `npm run backtest:gates` in a short form: seeded, so that a failure is a change of the method and not bad luck. */
import { describe, expect, test, vi } from 'vitest';
import { Dice } from '../gates/dice.ts';
import { falseAlarms, KINDS, upperBound } from '../gates/false-alarms.ts';
import { CELLS, type Cell, informationLimit, LATE_CELLS, mostOfLimit, speedOf } from '../gates/speed.ts';

/** Simulations, which other work makes take longer. */
vi.setConfig({ testTimeout: 120_000 });

const SEED = 7;

describe('false alarms', () => {
  test('no more than alpha of new sides that are as bad as old are ever taken back', () => {
    const alpha = 0.01;
    const each = 400;
    let hits = 0;
    for (const kind of Object.keys(KINDS)) hits += falseAlarms(kind, each, 200_000, alpha, SEED);
    expect(upperBound(hits, each * Object.keys(KINDS).length)).toBeLessThanOrEqual(alpha);
  });
});

/** Expected requests, and so the time, spread over four orders of magnitude. */
const isShort = ({ research }: Cell) => research < 2500;

const named = (cells: readonly Cell[]) =>
  cells
    .filter(isShort)
    .map((cell) => [`${cell.newRate * 100} % failing at weight ${cell.weight * 100}`, cell] as const);

describe('requests to rollback', () => {
  test.each(named(CELLS))('%s: near the research page and the information limit', (_, cell) => {
    const { mean, standardError } = speedOf(cell, 400, 0, SEED);
    expect(Math.abs(mean - cell.research)).toBeLessThanOrEqual(0.1 * cell.research + 2 * standardError);
    expect(mean).toBeLessThanOrEqual(mostOfLimit(cell) * informationLimit(cell) + 2 * standardError);
  });

  test.each(named(LATE_CELLS))('%s, after 500,000 clean requests', (_, cell) => {
    const { mean, standardError } = speedOf(cell, 100, 500_000, SEED);
    expect(Math.abs(mean - cell.research)).toBeLessThanOrEqual(0.1 * cell.research + 2 * standardError);
  });
});

describe('the simulation itself', () => {
  test.each([
    [0.01, 0.5, 316],
    [0.1, 0.05, 751],
    [0.5, 1, 10],
    [0.99, 0.01, 103_144],
  ])('the information limit at weight %d, rate %d is the research page’s', (weight, newRate, limit) => {
    expect(informationLimit({ weight, newRate, research: 0 }) / limit).toBeCloseTo(1, 2);
  });

  test.each([
    [0, 0],
    [3, 0.3],
    [100, 0.02],
    [100, 0.5],
    [1000, 0.9],
  ])('%d throws at %d have the binomial mean and variance', (trials, probability) => {
    const dice = new Dice(SEED);
    const throws = 40_000;
    let [sum, squares] = [0, 0];
    for (let i = 0; i < throws; i++) {
      const off = dice.binomial(trials, probability) - trials * probability;
      sum += off;
      squares += off * off;
    }
    const variance = trials * probability * (1 - probability);
    expect(Math.abs(sum / throws)).toBeLessThanOrEqual(4 * Math.sqrt(variance / throws));
    expect(Math.abs(squares / throws - variance)).toBeLessThanOrEqual(0.05 * variance);
  });

  test('the upper bound of 0 of n is 1 - 0.05^(1/n)', () => {
    expect(upperBound(0, 1000)).toBeCloseTo(1 - 0.05 ** (1 / 1000), 7);
    expect(upperBound(12, 20_000)).toBeLessThan(0.001);
    expect(upperBound(13, 20_000)).toBeGreaterThan(0.001);
  });
});
