import { describe, expect, test } from 'vitest';
import type { EraCounts } from '../../src/domain/e-process.ts';
import { Evidence, type TestSettings } from '../../src/domain/evidence.ts';
import { Replay } from '../../src/domain/replay.ts';
import { lead, verdictOf } from '../../src/domain/verdict.ts';
import { Dice } from '../gates/dice.ts';
import { flush } from './flush.ts';

const SETTINGS: TestSettings = {
  alpha: 0.001,
  rho: 1,
  delta: 0.001,
  horizonBuckets: 86_400,
  streams: 'all',
  ceiling: { share: 0.25, alpha: 0.001 },
};

function evidenceOf(counts: EraCounts, settings: Partial<TestSettings> = {}): Evidence {
  const evidence = new Evidence({ ...SETTINGS, ...settings }, 0);
  evidence.begin();
  evidence.addFaults(counts);
  return evidence;
}

const judge = (counts: EraCounts, settings?: Partial<TestSettings>) => verdictOf(evidenceOf(counts, settings));

describe('the verdict', () => {
  test('breach, with the counts that it rests on', () => {
    const { kind, reason, value, threshold, log10 } = judge(flush(10_000, 20_422, 9, 198, 14));
    expect(kind).toBe('breach');
    expect(reason).toMatch(/^new 14 of 212 failed, old 9 of 20,431; evidence [\d,.e+]+ against 1,000$/);
    expect(value).toBeGreaterThanOrEqual(threshold);
    expect(threshold).toBe(1000);
    expect(log10).toBeCloseTo(Math.log10(value), 9);
  });

  test('healthy', () => {
    const { kind, reason } = judge(flush(100_000, 8991, 9, 999, 1));
    expect(kind).toBe('healthy');
    expect(reason).toMatch(/^new 1 of 1,000 failed, old 9 of 9,000; evidence (below )?0\.\d+ against 1,000$/);
  });

  test('inconclusive on too few requests of new', () => {
    expect(judge(flush(100_000, 891, 0, 99, 0))).toMatchObject({
      kind: 'inconclusive',
      reason: expect.stringMatching(/^new 0 of 99 failed, old 0 of 891: fewer than 100 requests to new; evidence /),
    });
    expect(judge(flush(100_000, 900, 0, 100, 0)).kind).toBe('healthy');
  });

  test.each([
    ['at weight 100', flush(1_000_000, 0, 0, 5000, 0)],
    ['when old was not drawn', flush(500_000, 0, 0, 100, 0)],
  ])('inconclusive without old requests to compare with, %s', (_, counts) => {
    expect(judge(counts)).toMatchObject({
      kind: 'inconclusive',
      reason: expect.stringContaining('no recent requests to old to compare with'),
    });
  });

  test('inconclusive when the last old request is long ago', () => {
    const evidence = evidenceOf(flush(990_000, 10, 0, 990, 0));
    expect(verdictOf(evidence).kind).toBe('healthy');
    evidence.advanceTo(600);
    expect(verdictOf(evidence).kind).toBe('inconclusive');
  });

  test('few requests are enough to speak against a side', () => {
    expect(judge(flush(10_000, 300, 0, 0, 4)).kind).toBe('breach');
  });

  test('both sides failing together is no breach', () => {
    expect(judge(flush(100_000, 600, 300, 67, 33)).kind).toBe('healthy');
  });

  test('each stream has its words', () => {
    const said = (kind: 'slow50' | 'slow90' | 'slow99') => {
      const evidence = evidenceOf(flush(100_000, 900, 0, 100, 0));
      evidence.addSlow(kind, flush(100_000, 900, 0, 0, 100));
      return verdictOf(evidence, 1, true).reason.split(';')[0];
    };
    expect(said('slow50')).toBe(
      "new 100 of 100 were slower than old's median, old 0 of 900, and none of the last was in time",
    );
    expect(said('slow90')).toContain("were slower than old's p90");
    expect(said('slow99')).toContain("were slower than old's p99");
    const evidence = evidenceOf(flush(100_000, 0, 0, 0, 0));
    evidence.addOutcomes(100_000, [900, 0, 3, 0], [0, 0, 100, 0]);
    expect(verdictOf(evidence).reason).toContain('new 100 of 100 were refused as client errors, old 3 of 903');
  });

  test('more than numbers can hold is still JSON', () => {
    const verdict = judge(flush(10_000, 1e6, 0, 0, 10_000));
    expect(verdict.kind).toBe('breach');
    expect(JSON.parse(JSON.stringify(verdict))).toEqual(verdict);
  });

  test('is led by what `lead` says', () => {
    for (const newFault of [0, 1, 2, 3, 4, 5, 6]) {
      const evidence = evidenceOf(flush(50_000, 380, 0, 20, newFault), { ceiling: null });
      expect(verdictOf(evidence).kind === 'breach').toBe(lead(evidence) >= 0);
    }
  });
});

/** Both sides fail at a rate, seen after each of so many flushes of 100 requests; the first that is a breach ends it. */
function failingTogether(dice: Dice, weight: number, rate: number, flushes: number): Evidence {
  const evidence = evidenceOf(flush(0, 19_980, 20, 0, 0));
  for (let i = 0; i < flushes; i++) {
    if (i % 10 === 0) evidence.advanceTo(1 + i / 10);
    const ofNew = dice.binomial(100, weight);
    const [oldFault, newFault] = [dice.binomial(100 - ofNew, rate), dice.binomial(ofNew, rate)];
    evidence.addFaults(flush(weight * 1_000_000, 100 - ofNew - oldFault, oldFault, ofNew - newFault, newFault));
    if (verdictOf(evidence).kind === 'breach') break;
  }
  return evidence;
}

const atFull = (newOk: number, newFault: number) => judge(flush(1_000_000, 0, 0, newOk, newFault));

describe('the ceiling', () => {
  test('fires at the seventh failure in a row, at weight 100, where nothing can be compared', () => {
    expect(atFull(0, 6).kind).toBe('inconclusive');
    expect(atFull(0, 7)).toMatchObject({
      kind: 'breach',
      reason: 'new 7 of 7 failed, old 0 of 0: new is above the ceiling of 25 percent; evidence 2,293 against 1,000',
    });
  });

  test('lets a fifth fail for ever, and half of all not for long', () => {
    expect(atFull(80_000, 20_000).kind).toBe('inconclusive');
    expect(atFull(40, 40).kind).toBe('breach');
  });

  test('is its own: with an alpha of its own, and none when there is none', () => {
    const counts = flush(1_000_000, 0, 0, 0, 7);
    expect(judge(counts, { ceiling: { share: 0.25, alpha: 0.0001 } }).kind).toBe('inconclusive');
    expect(judge(counts, { ceiling: null }).kind).toBe('inconclusive');
    expect(judge(counts, { ceiling: { share: 0.8, alpha: 0.001 } }).kind).toBe('inconclusive');
    expect(judge(flush(1_000_000, 0, 0, 0, 700), { ceiling: { share: 1, alpha: 0.001 } }).kind).toBe('inconclusive');
  });

  test('holds instead when old is above it as well', () => {
    const { kind, reason } = judge(flush(500_000, 400, 600, 400, 600));
    expect(kind).toBe('inconclusive');
    expect(reason).toContain('both sides are above the ceiling of 25 percent');
  });

  test('holds as well while it is not known yet whether old fails like new, of which it has far more to say', () => {
    const { kind, reason } = judge(flush(900_000, 4, 6, 36, 54));
    expect(kind).toBe('inconclusive');
    expect(reason).toContain('new is above the ceiling of 25 percent, and old may be as well');
  });

  test.each([0.5, 0.9, 0.99])('never takes back at weight %d what fails together with old, however often', (weight) => {
    const dice = new Dice(3);
    for (const rate of [0.3, 0.4, 0.5, 0.7, 1]) {
      for (let run = 0; run < 20; run++) {
        const evidence = failingTogether(dice, weight, rate, 40);
        expect(verdictOf(evidence).kind).not.toBe('breach');
      }
    }
  });

  test('takes new back where old is better, though a comparison would tolerate it', () => {
    const lax = { delta: 0.9 };
    expect(judge(flush(900_000, 20, 0, 0, 180), lax)).toMatchObject({ kind: 'breach', guard: 'ceiling' });
    expect(judge(flush(900_000, 0, 20, 0, 180), lax).kind).toBe('inconclusive');
  });

  test('acts without old where old has had nothing to say lately, below weight 100 too', () => {
    const evidence = evidenceOf(flush(0, 500, 0, 0, 0));
    evidence.advanceTo(1);
    evidence.addFaults(flush(999_990, 0, 0, 0, 7));
    expect(verdictOf(evidence).kind).not.toBe('breach');
    evidence.advanceTo(200);
    evidence.addFaults(flush(999_990, 0, 0, 0, 9));
    expect(verdictOf(evidence)).toMatchObject({ kind: 'breach', guard: 'ceiling' });
    const restored = Evidence.restore(SETTINGS, evidence.save());
    restored.addFaults(flush(999_990, 0, 0, 0, 9));
    expect(verdictOf(restored)).toMatchObject({ kind: 'breach', guard: 'ceiling' });
  });

  test('finds a fault that begins after a day of success', () => {
    const evidence = evidenceOf(flush(1_000_000, 0, 0, 1000, 0));
    for (let bucket = 1; bucket < 80_000; bucket++) {
      evidence.advanceTo(bucket);
      evidence.addFaults(flush(1_000_000, 0, 0, 1000, 0));
    }
    evidence.advanceTo(80_000);
    evidence.addFaults(flush(1_000_000, 0, 0, 0, 20));
    expect(verdictOf(evidence).kind).toBe('breach');
  });
});

/** Tells flushes of `counts`, 100 ms apart, until it fires. @returns how many */
function flushesToFire(replay: Replay, fromMs: number, counts: EraCounts): number {
  let flushes = 0;
  while (!replay.add(fromMs + 100 * flushes, counts)) flushes += 1;
  return flushes + 1;
}

describe('a replay', () => {
  const PLAIN = { alpha: 0.001, rho: 1, delta: 0.001, horizonBuckets: 86_400, bucketMs: 1000 };
  const HISTORY = flush(0, 19_980, 20, 0, 0);
  const BAD = flush(100_000, 9, 0, 0, 1);

  test('stops counting where it fires, and leaves history out', () => {
    const replay = new Replay(PLAIN, -1000);
    replay.add(-1000, HISTORY);
    const flushes = flushesToFire(replay, 0, BAD);
    const { tMs, requests, newRequests, newFaults, fired, log10Evidence } = replay.result();
    expect({ tMs, requests, newRequests, newFaults, fired }).toEqual({
      tMs: 100 * (flushes - 1),
      requests: 10 * flushes,
      newRequests: flushes,
      newFaults: flushes,
      fired: true,
    });
    expect(log10Evidence).toBeGreaterThanOrEqual(3);
    replay.add(90_000, BAD);
    expect(replay.result().requests).toBe(10 * flushes);
  });

  test('a weight that leaves 0 again begins a new test', () => {
    const replay = new Replay(PLAIN, 0);
    replay.add(0, flush(100_000, 9000, 9, 1000, 2));
    replay.add(1000, HISTORY);
    replay.add(2000, flush(100_000, 90, 0, 10, 0));
    expect(replay.result()).toMatchObject({
      requests: 10_111,
      reason: expect.stringMatching(/^new 0 of 10 failed, old 0 of 90:/),
    });
  });

  test('replicas that flush one after the other when the weight leaves 0 do not begin it again and again', () => {
    const replay = new Replay(PLAIN, 0);
    replay.add(0, HISTORY);
    for (const tMs of [1000, 1100, 1200]) {
      replay.add(tMs, flush(100_000, 90, 0, 10, 0));
      replay.add(tMs, flush(0, 100, 0, 0, 0));
    }
    replay.add(2000, flush(100_000, 90, 0, 10, 0));
    expect(replay.result().reason).toContain('new 0 of 40 failed, old 0 of 360');
  });

  test('nothing but history is no evidence', () => {
    const replay = new Replay(PLAIN, 0);
    replay.add(0, HISTORY);
    replay.add(500_000, HISTORY);
    expect(replay.result()).toMatchObject({ fired: false, tMs: 500_000, requests: 0, log10Evidence: -0.301 });
  });
});
