/**
 * Slow responses come in crowds: a process that pauses makes all wait that it has. Here both sides answer alike, and now and then one of
 * them pauses, as a runtime with a collector does or a process on a busy machine.
 */
import { describe, expect, test } from 'vitest';
import { Evidence, type TestSettings } from '../../src/domain/evidence.ts';
import { Streak } from '../../src/domain/streak.ts';
import { SLOW_KINDS } from '../../src/domain/tally.ts';
import { Random } from '../fuzz/random.ts';

const SETTINGS: TestSettings = {
  alpha: 0.001,
  rho: 1,
  delta: 0.001,
  horizonBuckets: 86_400,
  streams: 'all',
  ceiling: null,
};
const LN_THRESHOLD = Math.log(1 / SETTINGS.alpha);
/** Share of responses above each bound while nobody pauses. */
const CALM = [0.5, 0.1, 0.01];
const STEP_MS = 10;
const FOLD_MS = 100;

interface Life {
  readonly rps: number;
  readonly weight: number;
  /** Between the ends and beginnings of a side's pauses, on average; Infinity: none. */
  readonly betweenMs: number;
  readonly pauseMs: { readonly mean: number; readonly most: number };
  /** From then on new answers nothing. */
  readonly hangsAtMs?: number;
  /** By so much is the share of new's responses larger that is slow. */
  readonly slower?: number;
  readonly untilMs: number;
}

/** @returns when the route was taken back, and whether the slow responses would have done so each by itself; null: never */
function live(life: Life, seed: number): { readonly backAtMs: number | null; readonly byEach: boolean } {
  const source = new Random(seed);
  const random = (): number => source.word() / 2 ** 32;
  const wait = (mean: number): number => (mean === Number.POSITIVE_INFINITY ? mean : -mean * Math.log(1 - random()));
  const evidence = new Evidence(SETTINGS, 0);
  evidence.begin();
  const streak = new Streak();
  const pausedUntil = [0, 0];
  const pausesAt = [wait(life.betweenMs), wait(life.betweenMs)];
  const counts = SLOW_KINDS.map(() => ({ ok: [0, 0], slow: [0, 0] }));
  let byEach = false;
  for (let ms = STEP_MS; ms <= life.untilMs; ms += STEP_MS) {
    for (const side of [0, 1]) {
      if (ms < (pausesAt[side] as number)) continue;
      const end = ms + Math.min(life.pauseMs.most, wait(life.pauseMs.mean));
      pausedUntil[side] = end;
      pausesAt[side] = end + wait(life.betweenMs);
    }
    if (ms >= (life.hangsAtMs ?? Number.POSITIVE_INFINITY)) pausedUntil[1] = Number.POSITIVE_INFINITY;
    for (let i = (life.rps * STEP_MS) / 1000; i > random(); i--) {
      const side = random() < life.weight ? 1 : 0;
      const place = random() - side * (life.slower ?? 0);
      for (const [k, { ok, slow }] of counts.entries()) {
        const isSlow = ms < (pausedUntil[side] as number) || place < (CALM[k] as number);
        const cells = isSlow ? slow : ok;
        cells[side] = (cells[side] as number) + 1;
      }
    }
    if (ms % FOLD_MS !== 0) continue;
    for (const [k, { ok, slow }] of counts.entries()) {
      const [[oldOk, newOk], [oldFault, newFault]] = [ok, slow] as [[number, number], [number, number]];
      evidence.addSlow(SLOW_KINDS[k] ?? 'slow50', {
        weightPpm: life.weight * 1e6,
        oldOk,
        oldFault,
        newOk,
        newFault,
      });
      ok.fill(0);
      slow.fill(0);
    }
    streak.observe(evidence.slowTotals(), ms);
    byEach ||= evidence.log(true) >= LN_THRESHOLD;
    if (evidence.log(streak.isStall) >= LN_THRESHOLD) return { backAtMs: ms, byEach };
    if (ms % 1000 === 0) evidence.advanceTo(ms / 1000);
  }
  return { backAtMs: null, byEach };
}

const NEVER = Number.POSITIVE_INFINITY;
const CALM_LIFE: Life = {
  rps: 1000,
  weight: 0.1,
  betweenMs: NEVER,
  pauseMs: { mean: 0, most: 0 },
  untilMs: 60_000,
};

describe('regression: pauses of either side took healthy routes back', () => {
  test.each([
    { rps: 1000, weight: 0.1, betweenMs: 10_000 },
    { rps: 400, weight: 0.5, betweenMs: 10_000 },
    { rps: 1000, weight: 0.9, betweenMs: 2_000 },
    { rps: 100, weight: 0.1, betweenMs: 10_000 },
  ])('$rps requests a second, weight $weight, a pause each $betweenMs ms', (life) => {
    const seeds = Array.from({ length: 4 }, (_, i) => i + 1);
    const lives = seeds.map((seed) => live({ ...life, pauseMs: { mean: 150, most: 700 }, untilMs: 600_000 }, seed));
    expect(lives.map(({ backAtMs }) => backAtMs)).toEqual(seeds.map(() => null));
    // Each response for itself would have done it: so it is known to have been a test.
    expect(lives.some(({ byEach }) => byEach)).toBe(true);
  });
});

describe('whoever is slower in truth', () => {
  test('and answers nothing in time is found within the second', () => {
    for (const seed of [1, 2, 3]) {
      const { backAtMs } = live({ ...CALM_LIFE, hangsAtMs: 20_000 }, seed);
      expect(backAtMs).toBeGreaterThan(20_700);
      expect(backAtMs).toBeLessThanOrEqual(21_100);
    }
  });

  test('in a fifth of its responses is found in half a minute', () => {
    for (const weight of [0.1, 0.5]) {
      for (const seed of [1, 2, 3]) {
        const { backAtMs } = live({ ...CALM_LIFE, weight, slower: 0.2 }, seed);
        expect(backAtMs).toBeLessThanOrEqual(31_000);
      }
    }
  });
});
