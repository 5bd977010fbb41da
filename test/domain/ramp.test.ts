import { describe, expect, test } from 'vitest';
import { type CutoverEvent, decide } from '../../src/domain/cutover.ts';
import { planFault, type RampStep } from '../../src/domain/ramp.ts';
import { nextMove, type Obstacles, pendingOf } from '../../src/domain/ramp-move.ts';
import type { RouteState } from '../../src/domain/state.ts';
import { routeState } from '../control/plans.ts';

const APPROVAL = { kind: 'approval' } as const;
const step = (weightPpm: number, holdMs = 1_000, gate: RampStep['gate'] = null): RampStep => ({
  weightPpm,
  holdMs,
  gate,
});
const HEALTHY = { verdict: 'healthy', reason: 'new 0 of 200 failed', newRequests: 200 } as const;
const UNSURE = { verdict: 'inconclusive', reason: 'too few requests', newRequests: 3 } as const;
const BREACH = { verdict: 'breach', reason: 'new 14 of 212 failed', newRequests: 212 } as const;

/** The route after what has to succeed. */
function then(state: RouteState, event: CutoverEvent, now: number): RouteState {
  const known = event.kind === 'advance' || event.kind === 'hold' || event.kind === 'release';
  const decision = decide(state, known ? event : { ...event, ifRevision: state.revision }, now);
  if (decision.kind !== 'next') throw new Error(JSON.stringify(decision));
  return { ...decision.next, revision: state.revision + 1, reason: '', actor: '', at: now };
}

const ramping = (steps: readonly RampStep[], from = 0): RouteState =>
  then(routeState(from), { kind: 'ramp', steps }, 0);
const code = (state: RouteState, event: CutoverEvent, now = 0): string => {
  const decision = decide(state, event, now);
  return decision.kind === 'refused' ? decision.code : decision.kind;
};
const moveOf = (
  state: RouteState,
  evidence: Parameters<typeof nextMove>[1],
  now: number,
  obstacles: Partial<Obstacles> = {},
) => nextMove(state, evidence, { endpoints: null, capacity: null, ...obstacles }, now)?.event;
const waitingOf = (state: RouteState, now: number, obstacles: Partial<Obstacles> = {}) =>
  pendingOf(state, HEALTHY, { endpoints: null, capacity: null, ...obstacles }, now);

describe('a ramp', () => {
  test('begins at its first step, and not below where the route is', () => {
    expect(ramping([step(10), step(20)])).toMatchObject({
      weightPpm: 10,
      cutover: 'ramping',
      ramp: { step: 0, since: 0 },
    });
    expect(ramping([step(10), step(20), step(30)], 15)).toMatchObject({ weightPpm: 20, ramp: { step: 1 } });
    expect(code(routeState(50), { kind: 'ramp', steps: [step(10)], ifRevision: 7 })).toBe('conflict');
  });

  test('walks on when the hold is over and the verdict healthy, and is completed at its end', () => {
    let state = ramping([step(10), step(20), step(1_000_000, 0)]);
    expect(moveOf(state, HEALTHY, 999)).toBeUndefined();
    expect(moveOf(state, HEALTHY, 1_000)).toMatchObject({ kind: 'advance', step: 1 });
    state = then(state, { kind: 'advance', step: 1, evidence: HEALTHY }, 1_000);
    state = then(state, { kind: 'advance', step: 2, evidence: HEALTHY }, 2_000);
    expect(state).toMatchObject({ weightPpm: 1_000_000, cutover: 'completed' });
    expect(state.ramp).toBeUndefined();
  });

  test('that ends below 100 leaves the route steady, after the hold of its last step', () => {
    let state = ramping([step(10)]);
    expect(state.cutover).toBe('ramping');
    state = then(state, { kind: 'advance', step: 1, evidence: HEALTHY }, 1_000);
    expect(state).toMatchObject({ weightPpm: 10, cutover: 'steady' });
  });

  test('waits for so many requests of the new side', () => {
    const state = ramping([step(10, 0, { kind: 'newRequests', newRequests: 201 }), step(20)]);
    expect(moveOf(state, HEALTHY, 1e6)).toBeUndefined();
    expect(moveOf(state, { ...HEALTHY, newRequests: 201 }, 1e6)).toMatchObject({ kind: 'advance' });
  });

  test('is held for approval, and goes on by step or resume alone', () => {
    let state = ramping([step(10, 1_000, APPROVAL), step(20)]);
    expect(moveOf(state, UNSURE, 1_000)).toMatchObject({ kind: 'hold', cause: 'approval' });
    state = then(state, { kind: 'hold', cause: 'approval', reason: '' }, 1_000);
    expect(state.cutover).toBe('held');
    expect(moveOf(state, HEALTHY, 1e9)).toBeUndefined();
    expect(code(state, { kind: 'advance', step: 1, evidence: HEALTHY }, 1e9)).toBe('unchanged');
    expect(code(state, { kind: 'step' })).toBe('preconditionRequired');
    expect(then(state, { kind: 'step' }, 5)).toMatchObject({
      weightPpm: 20,
      cutover: 'ramping',
      ramp: { step: 1, since: 5 },
    });
    expect(then(state, { kind: 'resume' }, 5)).toMatchObject({ weightPpm: 20 });
  });

  test('without a verdict is held after a while, and goes on by itself when there is one', () => {
    let state = ramping([step(10), step(20)]);
    expect(moveOf(state, UNSURE, 5_000)).toBeUndefined();
    expect(moveOf(state, UNSURE, 6_000)).toMatchObject({ kind: 'hold', cause: 'verdict', reason: 'too few requests' });
    state = then(state, { kind: 'hold', cause: 'verdict', reason: '' }, 6_000);
    expect(moveOf(state, HEALTHY, 6_001)).toMatchObject({ kind: 'advance', step: 1 });
  });

  test('in breach that nobody takes back is held until a person says otherwise', () => {
    let state = ramping([step(10), step(20)]);
    expect(moveOf(state, BREACH, 1)).toMatchObject({ kind: 'hold', cause: 'breach' });
    state = then(state, { kind: 'hold', cause: 'breach', reason: '' }, 1);
    expect(moveOf(state, HEALTHY, 1e9)).toBeUndefined();
    expect(code(state, { kind: 'release' })).toBe('unchanged');
  });

  test('without endpoints is held at once, and its hold begins anew when they are back for five seconds', () => {
    let state = ramping([step(10), step(20)]);
    const none = { endpoints: 'none' };
    expect(waitingOf(state, 900, none)).toEqual({ for: 'endpoints', reason: 'none' });
    expect(moveOf(state, HEALTHY, 900, none)).toMatchObject({ kind: 'hold', cause: 'endpoints', reason: 'none' });
    state = then(state, { kind: 'hold', cause: 'endpoints', reason: 'none' }, 900);
    expect(moveOf(state, HEALTHY, 2_000, none)).toBeUndefined();
    expect(waitingOf(state, 2_500)).toEqual({ for: 'endpoints', reason: 'none' });
    // However long it was held: they have to stay.
    expect(moveOf(state, HEALTHY, 6_999, { endpointsAt: 2_000 })).toBeUndefined();
    expect(moveOf(state, HEALTHY, 5_899)).toBeUndefined();
    expect(moveOf(state, HEALTHY, 7_000, { endpointsAt: 2_000 })).toEqual({ kind: 'release' });
    state = then(state, { kind: 'release' }, 7_000);
    expect(state).toMatchObject({ cutover: 'ramping', ramp: { since: 7_000 } });
    expect(moveOf(state, HEALTHY, 7_999)).toBeUndefined();
    expect(moveOf(state, HEALTHY, 8_000)).toMatchObject({ kind: 'advance' });
  });

  test('that the new side could not carry is held after a while, and takes the step as soon as it can', () => {
    let state = ramping([step(10), step(20)]);
    const full = { capacity: 'At most 0.0015% fits now' };
    expect(waitingOf(state, 500, full)).toMatchObject({ for: 'hold' });
    expect(waitingOf(state, 1_000, full)).toEqual({ for: 'capacity', reason: full.capacity });
    expect(moveOf(state, HEALTHY, 5_999, full)).toBeUndefined();
    expect(moveOf(state, HEALTHY, 6_000, full)).toEqual({ kind: 'hold', cause: 'capacity', reason: full.capacity });
    state = then(state, { kind: 'hold', cause: 'capacity', reason: full.capacity }, 6_000);
    expect(state.cutover).toBe('held');
    expect(moveOf(state, HEALTHY, 1e9, full)).toBeUndefined();
    expect(waitingOf(state, 7_000, full)).toEqual({ for: 'capacity', reason: full.capacity });
    expect(moveOf(state, HEALTHY, 7_000)).toMatchObject({ kind: 'advance', step: 1 });
    expect(then(state, { kind: 'advance', step: 1, evidence: HEALTHY }, 7_000)).toMatchObject({
      weightPpm: 20,
      cutover: 'ramping',
      ramp: { step: 1, since: 7_000 },
    });
  });

  test('says only one thing that it is held for, and a person is waited for first', () => {
    const state = ramping([step(10, 0, APPROVAL), step(20)]);
    const held = then(state, { kind: 'hold', cause: 'approval', reason: 'ask' }, 1);
    const missing = { endpoints: 'none', capacity: 'full' };
    expect(moveOf(held, HEALTHY, 1e9, missing)).toBeUndefined();
    expect(waitingOf(held, 1e9, missing)).toEqual({ for: 'approval', reason: 'ask' });
    const unsure = then(ramping([step(10)]), { kind: 'hold', cause: 'verdict', reason: '' }, 1);
    expect(moveOf(unsure, HEALTHY, 1e9, missing)).toMatchObject({ cause: 'endpoints' });
    expect(moveOf(unsure, HEALTHY, 1e9, { capacity: 'full' })).toMatchObject({ cause: 'capacity' });
    const full = then(ramping([step(10)]), { kind: 'hold', cause: 'capacity', reason: '' }, 1);
    expect(moveOf(full, UNSURE, 1e9)).toMatchObject({ cause: 'verdict' });
    // The hold has begun anew meanwhile.
    expect(moveOf(full, HEALTHY, 10)).toEqual({ kind: 'release' });
  });

  test('paused stays where it is; step moves it on and leaves it paused; resume begins the hold anew', () => {
    let state = then(ramping([step(10), step(20), step(30)]), { kind: 'pause' }, 1);
    expect(moveOf(state, HEALTHY, 1e9)).toBeUndefined();
    // By a replica that has not seen the pause.
    expect(code(state, { kind: 'advance', step: 1, evidence: HEALTHY }, 1e9)).toBe('unchanged');
    state = then(state, { kind: 'step' }, 2);
    expect(state).toMatchObject({ weightPpm: 20, cutover: 'paused' });
    state = then(state, { kind: 'resume' }, 50_000);
    expect(state).toMatchObject({ cutover: 'ramping', ramp: { since: 50_000 } });
  });

  test('frozen does not go on', () => {
    const state = then(ramping([step(10), step(20)]), { kind: 'freeze' }, 1);
    expect(moveOf(state, HEALTHY, 1e9)).toBeUndefined();
    expect(code(state, { kind: 'step', ifRevision: state.revision })).toBe('frozen');
  });

  test('taken back begins at its first step when it is resumed', () => {
    let state = then(ramping([step(10), step(20)]), { kind: 'advance', step: 1, evidence: HEALTHY }, 1_000);
    state = then(state, { kind: 'rollback', automatic: true }, 1_500);
    expect(state).toMatchObject({ weightPpm: 0, cutover: 'rolledBack', from: 20 });
    expect(then(state, { kind: 'resume' }, 2_000)).toMatchObject({
      weightPpm: 10,
      cutover: 'ramping',
      ramp: { step: 0 },
    });
  });

  test.each([
    ['nothing', [], 'needs a step'],
    ['a step that does not rise', [step(10), step(10)], 'step 2 must be above 0.001%'],
    ['weight 0', [step(0)], 'step 1 must be above 0%'],
  ] as const)('of %s is no plan', (_name, steps, fault) => {
    expect(planFault(steps)).toContain(fault);
  });
});

const back = (state: RouteState, automatic: boolean, now: number): RouteState =>
  then(state, { kind: 'rollback', automatic }, now);

function twice(automatic: boolean): RouteState {
  const again = then(back(routeState(250), automatic, 1), { kind: 'resume' }, 2);
  return back(again, automatic, 86_400_000);
}

describe('after a rollback', () => {
  test('without a ramp resume goes back to where the route was', () => {
    const state = back(routeState(250), false, 1);
    expect(then(state, { kind: 'resume' }, 2)).toMatchObject({ weightPpm: 250, cutover: 'steady' });
    expect(code(state, { kind: 'resume' })).toBe('preconditionRequired');
  });

  test('the second within a day latches: resume needs force, a weight set by hand after two of the judge too', () => {
    const resume = { kind: 'resume', ifRevision: 10 } as const;
    const set = { kind: 'set', weightPpm: 10, ifRevision: 10 } as const;
    const now = 86_400_000;
    expect(twice(true).revision).toBe(10);
    expect(code(twice(true), resume, now)).toBe('latched');
    expect(code(twice(true), set, now)).toBe('latched');
    expect(code(twice(false), resume, now)).toBe('latched');
    expect(code(twice(false), set, now)).toBe('next');
    expect(code(twice(true), { ...resume, force: true }, now)).toBe('next');
    expect(code(twice(true), resume, now + 1)).toBe('next');
  });
});
