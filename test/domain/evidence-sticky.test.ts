import { describe, expect, test, vi } from 'vitest';
import type { EraCounts } from '../../src/domain/e-process.ts';
import { Evidence, type TestSettings } from '../../src/domain/evidence.ts';
import { FAMILIES, type SavedStickyEvidence, StickyEvidence } from '../../src/domain/sticky-evidence.ts';
import { lead } from '../../src/domain/verdict.ts';
import { Dice } from '../gates/dice.ts';

/** Simulations, which other work makes take longer. */
vi.setConfig({ testTimeout: 120_000 });

const SETTINGS: TestSettings = {
  alpha: 0.001,
  rho: 1,
  delta: 0.001,
  horizonBuckets: 86_400,
  streams: 'fault',
  ceiling: null,
};
const BAD: EraCounts = { weightPpm: 100_000, oldOk: 90, oldFault: 0, newOk: 0, newFault: 10 };

/** Of the first family, in the window of this bucket of a test. */
function thresholdAt(bucket: number): number {
  const evidence = new StickyEvidence({ ...SETTINGS, alpha: 0.05 }, 0);
  evidence.begin();
  evidence.advanceTo(bucket);
  evidence.countsOf(0).addFaults(BAD);
  return evidence.verdict().threshold;
}

describe('windows', () => {
  test('share alpha, whatever their number', () => {
    const [{ buckets: short }] = FAMILIES;
    expect(thresholdAt(0)).toBeCloseTo(20 * 2 * (Math.PI ** 2 / 6), 9);
    let spent = 0;
    for (let window = 0; window < 200; window++) spent += 1 / thresholdAt(window * short);
    expect(spent).toBeGreaterThan(0.0248);
    expect(spent).toBeLessThan(0.025);
  });

  test('each is a test of its own: what was counted in one is history in the next', () => {
    const evidence = new StickyEvidence(SETTINGS, 30);
    evidence.begin();
    evidence.countsOf(0).addFaults(BAD);
    expect(evidence.verdict()).toMatchObject({
      kind: 'breach',
      reason: expect.stringContaining('new 10 of 10 failed'),
    });
    evidence.advanceTo(59);
    expect(evidence.verdict().kind).toBe('breach');
    evidence.advanceTo(60);
    expect(evidence.verdict()).toMatchObject({
      kind: 'inconclusive',
      reason: expect.stringContaining('new 0 of 0 failed'),
    });
  });

  test('the long one still counts when the short one has ended', () => {
    const evidence = new StickyEvidence(SETTINGS, 0);
    evidence.begin();
    evidence.countsOf(1).addFaults(BAD);
    evidence.advanceTo(599);
    expect(evidence.verdict().kind).toBe('breach');
    evidence.advanceTo(600);
    expect(evidence.verdict().kind).toBe('inconclusive');
  });

  test('a new test has all of alpha again', () => {
    const evidence = new StickyEvidence(SETTINGS, 0);
    evidence.begin();
    const { threshold } = evidence.verdict();
    evidence.advanceTo(6000);
    expect(evidence.verdict().threshold).toBeGreaterThan(threshold);
    evidence.begin();
    expect(evidence.verdict().threshold).toBe(threshold);
  });

  test('go on from what was saved', () => {
    const [stayed, restarted] = [new StickyEvidence(SETTINGS, 0), new StickyEvidence(SETTINGS, 0)];
    stayed.begin();
    for (let bucket = 1; bucket < 700; bucket += 50) {
      stayed.advanceTo(bucket);
      for (const family of [0, 1] as const) stayed.countsOf(family).addFaults({ ...BAD, newFault: 0, newOk: 10 });
    }
    stayed.advanceTo(700);
    restarted.restore(JSON.parse(JSON.stringify(stayed.save())) as SavedStickyEvidence);
    for (const evidence of [stayed, restarted]) {
      evidence.countsOf(1).addFaults({ ...BAD, newFault: 1 });
      evidence.advanceTo(720);
    }
    expect(restarted.verdict()).toEqual(stayed.verdict());
    expect(restarted.save()).toEqual(stayed.save());
  });
});

/** The research page's users: 20,000 keys, some far busier than others, of whom 2 in 100 fail 3 times in 10 wherever they are. */
const KEYS = 20_000;
const REQUESTS_A_WINDOW = 20_000;

function popularity(): Float64Array {
  const sums = new Float64Array(KEYS);
  let sum = 0;
  for (let key = 0; key < KEYS; key++) sums[key] = sum += (key + 1) ** -1.1;
  return sums.map((value) => value / sum);
}

function pick(sums: Float64Array, dice: Dice): number {
  const place = dice.uniform();
  let [low, high] = [0, KEYS - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sums[middle] as number) < place) low = middle + 1;
    else high = middle;
  }
  return low;
}

interface Fired {
  readonly naive: boolean;
  /** Window that the sticky evidence fired in. */
  readonly sticky: number | undefined;
}

/** @param brokenFrom window from which the new side also fails 5 in 100 of all requests */
function play(alpha: number, weight: number, windows: number, brokenFrom: number, seed: number): Fired {
  const dice = new Dice(seed);
  const sums = popularity();
  const isNew = Array.from({ length: KEYS }, () => dice.uniform() < weight);
  const isFailing = Array.from({ length: KEYS }, () => dice.uniform() < 0.02);
  const seen = FAMILIES.map(() => new Int32Array(KEYS).fill(-1));
  const naive = new Evidence({ ...SETTINGS, alpha }, 0);
  const sticky = new StickyEvidence({ ...SETTINGS, alpha }, 0);
  naive.begin();
  sticky.begin();
  const fired = { naive: false, sticky: undefined as number | undefined };
  for (let request = 0; request < windows * REQUESTS_A_WINDOW && fired.sticky === undefined; request++) {
    const window = Math.floor(request / REQUESTS_A_WINDOW);
    const bucket = Math.floor((request / REQUESTS_A_WINDOW) * FAMILIES[0].buckets);
    naive.advanceTo(bucket);
    sticky.advanceTo(bucket);
    const key = pick(sums, dice);
    const fails = (isFailing[key] as boolean) && dice.uniform() < 0.3;
    const isBroken = isNew[key] === true && window >= brokenFrom && dice.uniform() < 0.05;
    const counts = one(weight, isNew[key] as boolean, fails || isBroken);
    naive.addFaults(counts);
    for (const family of [0, 1] as const) {
      const familyWindow = Math.floor(bucket / FAMILIES[family].buckets);
      const keys = seen[family] as Int32Array;
      if (keys[key] === familyWindow) continue;
      keys[key] = familyWindow;
      sticky.countsOf(family).addFaults(counts);
    }
    if (counts.oldFault + counts.newFault === 0 && request % 100 !== 99) continue;
    fired.naive ||= lead(naive) >= 0;
    if (sticky.verdict().kind === 'breach') fired.sticky = window;
  }
  return fired;
}

function one(weight: number, isNew: boolean, isFault: boolean): EraCounts {
  return {
    weightPpm: weight * 1_000_000,
    oldOk: isNew || isFault ? 0 : 1,
    oldFault: !isNew && isFault ? 1 : 0,
    newOk: isNew && !isFault ? 1 : 0,
    newFault: isNew && isFault ? 1 : 0,
  };
}

describe('keys that stay on their side', () => {
  test.each([0.1, 0.5])(
    'at weight %d: no false alarm by users who fail everywhere, which plain counting gives',
    (weight) => {
      const runs = 30;
      let [naive, sticky] = [0, 0];
      for (let run = 0; run < runs; run++) {
        const fired = play(0.05, weight, 4, Number.POSITIVE_INFINITY, 100 + run);
        if (fired.naive) naive += 1;
        if (fired.sticky !== undefined) sticky += 1;
      }
      expect(naive).toBeGreaterThan(runs / 4);
      expect(sticky).toBeLessThanOrEqual(2);
    },
  );

  test.each([0.1, 0.5])('at weight %d: a fault that begins in the third window is found', (weight) => {
    for (let run = 0; run < 5; run++) {
      expect(play(0.001, weight, 8, 2, 200 + run).sticky).toBeGreaterThanOrEqual(2);
    }
  });
});
