/** Why a route is taken back, and where the rollback is written. */
import { describe, expect, test } from 'vitest';
import type { RefusalCode } from '../../src/control/control.ts';
import type { Opinion } from '../../src/control/opinion.ts';
import { type Cause, causeOf, isMovable, type TakeBack, TakingBack } from '../../src/control/taking-back.ts';
import type { Written } from '../../src/control/writer.ts';
import type { Verdict } from '../../src/domain/verdict.ts';
import { JUDGE, routeState } from './plans.ts';

const COUNTS = { oldRequests: 9, oldFaults: 0, newRequests: 8, newFaults: 7 };
const VERDICT: Verdict = {
  kind: 'healthy',
  reason: 'new 7 of 8 failed',
  value: Number.POSITIVE_INFINITY,
  threshold: 1_000,
  log10: 400,
  guard: 'ceiling',
  counts: COUNTS,
};
const OPINION: Opinion = { ...VERDICT, verdict: 'breach', newRequests: 8 };
const CAUSE: Cause = { guard: 'comparison', reason: 'it is worse' };
const ROUTE = routeState(100_000, { testSince: 5 });

test.each<[Verdict['kind'], readonly string[], Partial<Cause> | null]>([
  ['healthy', [], null],
  ['inconclusive', ['r1'], null],
  ['inconclusive', ['r1', 'r2'], { guard: 'deadSide', reason: expect.stringMatching(/^2 replicas find .*: r1, r2$/) }],
  ['breach', [], { guard: 'ceiling', reason: VERDICT.reason }],
  // What is counted says more than that nothing is taken.
  ['breach', ['r1', 'r2'], { guard: 'ceiling', reason: VERDICT.reason }],
])('of what is %s, with votes of %j, the cause is %j', (kind, votes, cause) => {
  const found = causeOf({ ...VERDICT, kind }, votes);
  if (cause === null) expect(found).toBeNull();
  else expect(found).toMatchObject(cause);
});

test.each([
  [false, false, true],
  [true, false, false],
  [false, true, false],
])('a route that is frozen (%s) or only advised on (%s) is moved: %s', (frozen, adviseOnly, isMoved) => {
  expect(isMovable({ settings: { ...JUDGE, adviseOnly } }, { ...ROUTE, frozen })).toBe(isMoved);
});

/** What was asked to be written, and what was pinned. */
function open(answer: () => Promise<Written>) {
  const taken: (TakeBack & { testSince: number })[] = [];
  const pinned: (TakeBack & { testSince: number })[] = [];
  const takingBack = new TakingBack({
    takeBack: (_, testSince, act) => {
      taken.push({ testSince, ...act });
      return answer();
    },
    pin: (_, testSince, act) => void pinned.push({ testSince, ...act }),
    opinion: () => OPINION,
  });
  return { takingBack, taken, pinned };
}

const refused = (code: RefusalCode) => async (): Promise<Written> => ({ kind: 'refused', code, detail: '' });

describe('a rollback', () => {
  test('is written for the test that it is about, with who does it and what is thought at that time', async () => {
    const { takingBack, taken, pinned } = open(async () => ({ kind: 'unchanged' }));
    await takingBack.act('a', ROUTE, CAUSE);
    expect(taken).toEqual([
      {
        testSince: 5,
        actor: 'crossfade/judge',
        reason: 'it is worse',
        evidence: {
          verdict: 'breach',
          value: Number.MAX_VALUE,
          threshold: 1_000,
          reason: VERDICT.reason,
          newRequests: 8,
          counts: COUNTS,
        },
      },
    ]);
    expect(pinned).toEqual([]);
  });

  test.each<[RefusalCode, number]>([
    ['storeUnavailable', 1],
    ['storeDisputed', 1],
    // A refusal of the route itself holds for this replica too.
    ['noHealthyEndpoint', 0],
  ])('that is refused as %s is made by this replica alone: %d', async (code, pins) => {
    const { takingBack, taken, pinned } = open(refused(code));
    await takingBack.act('a', ROUTE, CAUSE);
    expect(taken).toHaveLength(1);
    expect(pinned).toEqual(taken.slice(0, pins));
  });

  test('is written once at a time for a route, and may be tried again after that, however it ended', async () => {
    const failures: ((error: Error) => void)[] = [];
    const { takingBack, taken } = open(() => new Promise((_, reject) => failures.push(reject)));
    const first = takingBack.act('a', ROUTE, CAUSE);
    await takingBack.act('a', ROUTE, CAUSE);
    expect(taken).toHaveLength(1);
    failures[0]?.(new Error('disk full'));
    await expect(first).rejects.toThrow('disk full');
    void takingBack.act('a', ROUTE, CAUSE);
    expect(taken).toHaveLength(2);
  });

  test('of one route does not wait for that of another', () => {
    const { takingBack, taken } = open(() => new Promise(() => {}));
    for (const route of ['a', 'b']) void takingBack.act(route, ROUTE, CAUSE);
    expect(taken).toHaveLength(2);
  });

  test('is not made where no test runs', async () => {
    const { takingBack, taken, pinned } = open(refused('storeUnavailable'));
    await takingBack.act('a', routeState(100_000), CAUSE);
    expect([taken, pinned]).toEqual([[], []]);
  });
});
