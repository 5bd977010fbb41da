import { describe, expect, test } from 'vitest';
import { Evidence, type SavedEvidence, type TestSettings } from '../../src/domain/evidence.ts';
import { SLOW_QUANTILES, slowBounds } from '../../src/domain/latency.ts';
import { FAULTS_ONLY, flush } from './flush.ts';

const ALL: TestSettings = { ...FAULTS_ONLY, streams: 'all', ceiling: { share: 0.25, alpha: 0.001 } };
const LN_THRESHOLD = Math.log(1000);

/** Evidence of a test of all streams in which nothing but this was counted. */
function evidenceAfter(add: (evidence: Evidence) => void, isStall = false): number {
  const evidence = new Evidence(ALL, 0);
  evidence.begin();
  add(evidence);
  return Math.exp(evidence.log(isStall));
}

describe('streams merged', () => {
  test('weigh 0.6, 0.2 and 0.2, and the slow ones share theirs', () => {
    const counts = flush(100_000, 90, 0, 5, 5);
    const fault = new Evidence({ ...FAULTS_ONLY }, 0);
    fault.addFaults(counts);
    const idle = 0.5;
    expect(evidenceAfter((evidence) => evidence.addFaults(counts))).toBeCloseTo(
      0.6 * Math.exp(fault.log()) + 0.4 * idle,
      6,
    );
    const slow = new Evidence({ ...FAULTS_ONLY, delta: 0.01 }, 0);
    slow.addFaults(counts);
    expect(evidenceAfter((evidence) => evidence.addSlow('slow90', counts), true)).toBeCloseTo(
      (0.2 / 3) * Math.exp(slow.log()) + (1 - 0.2 / 3) * idle,
      6,
    );
  });

  test('a bucket of slow responses at most doubles what they are worth, unless new has stopped', () => {
    const counts = flush(100_000, 90, 0, 0, 10);
    expect(evidenceAfter((evidence) => evidence.addSlow('slow90', counts))).toBeCloseTo(0.5 + (0.2 / 3) * 0.5, 6);
    expect(evidenceAfter((evidence) => evidence.addSlow('slow90', counts), true)).toBeGreaterThan(1000);
  });

  test('outcomes: each kind is ok to the other stream, and whoever left is in neither', () => {
    const evidence = new Evidence(ALL, 0);
    evidence.begin();
    evidence.addOutcomes(100_000, [900, 1, 20, 7], [80, 2, 18, 9]);
    expect(evidence.totals()).toEqual({ oldRequests: 921, oldFaults: 1, newRequests: 100, newFaults: 2 });
    const clientErrors = new Evidence(ALL, 0);
    clientErrors.begin();
    clientErrors.addOutcomes(100_000, [900, 0, 0, 0], [0, 0, 100, 0]);
    expect(clientErrors.log()).toBeGreaterThan(LN_THRESHOLD);
    expect(clientErrors.leading()).toEqual({
      kind: 'clientError',
      totals: { oldRequests: 900, oldFaults: 0, newRequests: 100, newFaults: 100 },
    });
  });

  test('what was ok when it was overdue, and failed in the end, is no second ok to the stream that looks for something else', () => {
    const evidence = new Evidence(ALL, 0);
    evidence.begin();
    // All of old's 600 requests time out late, and new is well: 66 draws at weight 10.
    evidence.addOutcomes(100_000, [600, 0, 0, 0, 0, 0, 0, 600, 0], [66, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect(evidence.totals()).toMatchObject({ oldFaults: 600, newRequests: 66 });
    expect(evidence.log()).toBeLessThan(0);
    const twice = new Evidence(ALL, 0);
    twice.begin();
    twice.addOutcomes(100_000, [600, 600, 0, 0], [66, 0, 0, 0]);
    expect(twice.log()).toBeGreaterThan(LN_THRESHOLD);
    const late = new Evidence(ALL, 0);
    late.begin();
    late.addOutcomes(100_000, [900, 0, 0, 0, 0, 0, 0, 0, 0], [100, 0, 0, 0, 0, 0, 0, 0, 100]);
    expect(late.log()).toBeGreaterThan(LN_THRESHOLD);
    expect(late.leading().kind).toBe('clientError');
  });

  test('a side that hangs is found by its slow stream alone', () => {
    const evidence = new Evidence(ALL, 0);
    evidence.begin();
    for (let i = 0; i < 20; i++) evidence.addSlow('slow99', flush(100_000, 9, 0, 0, 1));
    expect(evidence.log(true)).toBeGreaterThan(LN_THRESHOLD);
    expect(evidence.leading(true).kind).toBe('slow99');
  });

  test('all streams and ceilings come back from what was saved', () => {
    const evidence = new Evidence(ALL, 0);
    evidence.begin();
    evidence.addOutcomes(100_000, [900, 1, 20, 7], [80, 2, 18, 9]);
    evidence.addSlow('slow50', flush(100_000, 450, 450, 40, 60));
    evidence.advanceTo(1);
    const restored = Evidence.restore(ALL, JSON.parse(JSON.stringify(evidence.save())) as SavedEvidence);
    expect(restored.log()).toBe(evidence.log());
    expect(restored.ceilingLogs()).toEqual(evidence.ceilingLogs());
  });
});

test('slow is 1.25 times the bound of old, and at least 25 ms above it', () => {
  expect(SLOW_QUANTILES).toEqual({ slow50: 0.5, slow90: 0.9, slow99: 0.99 });
  const tolerance = { factor: 1.25, slackMs: 25 };
  expect(slowBounds(10, tolerance)).toEqual({ old: 10, new: 35 });
  expect(slowBounds(400, tolerance)).toEqual({ old: 400, new: 500 });
});
