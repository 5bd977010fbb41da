import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EraCounts } from '../../src/domain/e-process.ts';
import { Evidence, type SavedEvidence } from '../../src/domain/evidence.ts';
import { FAULTS_ONLY, flush } from './flush.ts';
import { type ReferenceRow, referenceEvidence } from './reference-evidence.ts';

const PPM = 1_000_000;
const rhos = fc.oneof(fc.constant(1), fc.double({ min: 1, max: 4, noNaN: true }));

const rows = fc.array(
  fc.record({
    gap: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 4 })),
    weight: fc.constantFrom(0.01, 0.1, 0.5, 0.9),
    oldOk: fc.nat(500),
    oldFault: fc.nat(3),
    newOk: fc.nat(200),
    newFault: fc.nat(3),
  }),
  { minLength: 1, maxLength: 30 },
);

type Gapped = Omit<ReferenceRow, 'bucket'> & { readonly gap: number };

/** Buckets by the gaps to the row before. */
function placed(list: readonly Gapped[]): ReferenceRow[] {
  let bucket = 1;
  return list.map(({ gap, ...row }) => ({ ...row, bucket: (bucket += gap) }));
}

function feed(evidence: Evidence, list: readonly ReferenceRow[]): void {
  for (const row of list) {
    evidence.advanceTo(row.bucket);
    evidence.addFaults(countsOf(row));
  }
}

function countsOf({ weight, oldOk, oldFault, newOk, newFault }: ReferenceRow): EraCounts {
  return flush(Math.round(weight * PPM), oldOk, oldFault, newOk, newFault);
}

/** A test that begins in the first row's bucket, after a bucket of history. */
function begun(first: number, settings = FAULTS_ONLY): Evidence {
  const evidence = new Evidence(settings, first - 1);
  evidence.addFaults(flush(0, 19_980, 20, 0, 0));
  evidence.advanceTo(first);
  evidence.begin();
  return evidence;
}

const HISTORY = { requests: 20_000, faults: 20 };

describe('the evidence of a stream', () => {
  test('is what the formulas of the research page say, over eras, buckets and gaps', () => {
    fc.assert(
      fc.property(rows, rhos, fc.constantFrom(0, 0.001, 0.02), (list, rho, delta) => {
        const all = placed(list);
        const evidence = begun((all[0] as ReferenceRow).bucket, { ...FAULTS_ONLY, rho, delta });
        feed(evidence, all);
        const expected = referenceEvidence(all, rho, delta, FAULTS_ONLY.horizonBuckets, HISTORY);
        expect(Math.abs(evidence.log() - expected)).toBeLessThanOrEqual(1e-8 * Math.max(1, Math.abs(expected)));
      }),
    );
  });

  test('is exactly the same however a bucket is cut into flushes, in whatever order they come', () => {
    fc.assert(
      fc.property(rows, (list) => {
        const all = placed(list);
        const [whole, cut] = [begun(1), begun(1)];
        feed(whole, all);
        const ones = all.flatMap((row) => [
          { ...row, newOk: 0, newFault: 0, oldOk: 0 },
          { ...row, newOk: 0, newFault: 0, oldFault: 0 },
          { ...row, oldOk: 0, oldFault: 0, newFault: 0 },
          { ...row, oldOk: 0, oldFault: 0, newOk: 0 },
        ]);
        feed(cut, ones);
        expect(cut.log()).toBe(whole.log());
        expect(cut.save()).toEqual(whole.save());
      }),
    );
  });

  test('counts what comes late in the open bucket, and leaves closed ones as they are', () => {
    const [late, inTime] = [begun(1), begun(1)];
    for (const evidence of [late, inTime]) {
      evidence.addFaults(flush(100_000, 900, 1, 99, 0));
      evidence.advanceTo(2);
    }
    const closed = late.save();
    late.advanceTo(1);
    late.addFaults(flush(100_000, 0, 0, 0, 4));
    inTime.addFaults(flush(100_000, 0, 0, 0, 4));
    expect(late.save()).toEqual(closed);
    expect(late.log()).toBe(inTime.log());
    expect(late.totals()).toEqual({ oldRequests: 901, oldFaults: 1, newRequests: 103, newFaults: 4 });
  });

  test('a fault is worth most where new draws least', () => {
    const logs = [10_000, 100_000, 900_000].map((weightPpm) => {
      const evidence = begun(1);
      evidence.addFaults(flush(weightPpm, 0, 0, 0, 1));
      return evidence.log();
    });
    expect(logs).toEqual(logs.toSorted((a, b) => b - a));
    expect(new Set(logs).size).toBe(3);
  });

  test('empty buckets in one step are as many single ones', () => {
    const [steps, leap] = [begun(1), begun(1)];
    for (const evidence of [steps, leap]) evidence.addFaults(flush(100_000, 900, 1, 90, 5));
    for (let bucket = 2; bucket <= 40; bucket++) steps.advanceTo(bucket);
    leap.advanceTo(40);
    for (const evidence of [steps, leap]) evidence.addFaults(flush(100_000, 0, 0, 0, 1));
    expect(leap.log()).toBeCloseTo(steps.log(), 10);
    expect(leap.recentOldRequests()).toBeCloseTo(steps.recentOldRequests(), 6);
  });

  test('goes on from what was saved, elsewhere and after a restart', () => {
    fc.assert(
      fc.property(rows, rows, (before, after) => {
        const all = placed([...before, ...after.map((row, i) => (i === 0 ? { ...row, gap: 1 } : row))]);
        const stayed = begun(1);
        feed(stayed, all.slice(0, before.length));
        stayed.advanceTo((all[before.length] as ReferenceRow).bucket);
        const saved = JSON.parse(JSON.stringify(stayed.save())) as SavedEvidence;
        const restarted = Evidence.restore(FAULTS_ONLY, saved);
        for (const evidence of [stayed, restarted]) feed(evidence, all.slice(before.length));
        expect(restarted.log()).toBe(stayed.log());
        expect(restarted.totals()).toEqual(stayed.totals());
      }),
    );
  });

  test('the open bucket can be told as a whole again and again', () => {
    const evidence = begun(1);
    const saved = evidence.save();
    for (const newFault of [1, 2, 3]) {
      evidence.restore(saved);
      evidence.addFaults(flush(100_000, 90, 0, 7, newFault));
    }
    const once = begun(1);
    once.addFaults(flush(100_000, 90, 0, 7, 3));
    expect(evidence.log()).toBe(once.log());
    expect(evidence.totals()).toEqual(once.totals());
  });
});

describe('a test', () => {
  test('begins with half of all stakes, and history moves nothing but what is expected of old', () => {
    const evidence = begun(1);
    expect(evidence.log()).toBeCloseTo(Math.log(0.5), 12);
    evidence.addFaults(flush(0, 100, 90, 0, 0));
    expect(evidence.log()).toBeCloseTo(Math.log(0.5), 12);
    expect(evidence.totals()).toEqual({ oldRequests: 0, oldFaults: 0, newRequests: 0, newFaults: 0 });
  });

  test('does not run before it begins', () => {
    const evidence = new Evidence(FAULTS_ONLY, 0);
    evidence.advanceTo(5000);
    expect(evidence.log()).toBeCloseTo(Math.log(0.5), 12);
    expect(evidence.save().begun).toBeNull();
  });

  test('ends at its horizon; the next begins there, with what is known of old and nothing of new', () => {
    const evidence = begun(1, { ...FAULTS_ONLY, horizonBuckets: 10 });
    evidence.addFaults(flush(100_000, 900, 0, 0, 50));
    evidence.advanceTo(10);
    expect(evidence.log()).toBeGreaterThan(Math.log(1000));
    expect(evidence.save().begun).toBe(1);
    evidence.advanceTo(11);
    expect(evidence.log()).toBeCloseTo(Math.log(0.5), 12);
    expect(evidence.save().begun).toBe(11);
    expect(evidence.totals().newRequests).toBe(0);
    expect(evidence.recentOldRequests()).toBeGreaterThan(1000);
  });

  test('what was counted in its first bucket before it began is history', () => {
    const evidence = new Evidence(FAULTS_ONLY, 0);
    evidence.addFaults(flush(0, 5000, 5000, 0, 0));
    evidence.begin();
    evidence.addFaults(flush(500_000, 5, 5, 5, 5));
    expect(evidence.totals()).toEqual({ oldRequests: 10, oldFaults: 5, newRequests: 10, newFaults: 5 });
    expect(evidence.recentOldRequests()).toBe(10_010);
    const unprepared = new Evidence(FAULTS_ONLY, 0);
    unprepared.begin();
    unprepared.addFaults(flush(500_000, 5, 5, 5, 5));
    expect(evidence.log()).not.toBe(unprepared.log());
  });
});
