import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CutoverEvent, decide as decideAt, undoRefusal } from '../../src/domain/cutover.ts';
import type { AuditEntry, Cutover, RoutePosition, RouteState } from '../../src/domain/state.ts';
import { routeState } from './plans.ts';

const CUTOVERS: Cutover[] = ['steady', 'ramping', 'paused', 'held', 'rolledBack', 'completed'];
const weight = fc.integer({ min: 0, max: 1_000_000 });
const position: fc.Arbitrary<RoutePosition> = fc.record({
  weightPpm: weight,
  cutover: fc.constantFrom(...CUTOVERS),
  frozen: fc.boolean(),
});
const state: fc.Arbitrary<RouteState> = fc
  .tuple(position, fc.integer({ min: 1, max: 3 }))
  .map(([where, revision]) => routeState(0, { ...where, revision }));
const request: fc.Arbitrary<CutoverEvent> = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), weightPpm: weight }),
  fc.record({ kind: fc.constantFrom('freeze' as const, 'unfreeze' as const) }),
  fc.record({ kind: fc.constant('rollback' as const), automatic: fc.boolean() }),
  fc.record({ kind: fc.constant('undo' as const), revision: fc.integer({ min: 1, max: 3 }), before: position }),
);
const ifRevision = fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined });

/** Where the route is afterwards. */
function after(from: RouteState, wanted: CutoverEvent, revision: number | undefined): RoutePosition {
  const decision = decideAt(from, { ...wanted, ifRevision: revision } as CutoverEvent, 1);
  return decision.kind === 'next' ? decision.next : from;
}

const decide = (from: RouteState, wanted: CutoverEvent, revision?: number) => {
  const decision = decideAt(from, { ...wanted, ifRevision: revision } as CutoverEvent, 1);
  return decision.kind === 'refused' ? decision.code : decision.kind === 'next' ? decision.next : decision.kind;
};

describe('set', () => {
  test.each([
    ['raising without a revision', routeState(100), 200, undefined, 'preconditionRequired'],
    ['raising with an old revision', routeState(100), 200, 6, 'stale'],
    ['lowering with an old revision', routeState(100), 50, 6, 'stale'],
    ['raising a frozen route', routeState(100, { frozen: true }), 200, 7, 'frozen'],
    ['raising a frozen route without a revision', routeState(100, { frozen: true }), 200, undefined, 'frozen'],
  ] as const)('%s is refused', (_name, from, weightPpm, revision, code) => {
    expect(decide(from, { kind: 'set', weightPpm }, revision)).toBe(code);
  });

  test.each([
    ['raising with the revision', 200, 7],
    ['lowering without a revision', 50, undefined],
    ['the same weight without a revision', 100, undefined],
  ])('%s is done, and the route is steady', (_name, weightPpm, revision) => {
    const from = routeState(100, { cutover: 'rolledBack' });
    expect(decide(from, { kind: 'set', weightPpm }, revision)).toEqual({ weightPpm, cutover: 'steady', frozen: false });
  });

  test('a frozen route may be lowered and stays frozen', () => {
    const lowered = decide(routeState(100, { frozen: true }), { kind: 'set', weightPpm: 10 });
    expect(lowered).toEqual({ weightPpm: 10, cutover: 'steady', frozen: true });
  });
});

describe('undo', () => {
  const before = { weightPpm: 500, cutover: 'steady', frozen: false } as const;

  test('restores what the change replaced', () => {
    expect(decide(routeState(100), { kind: 'undo', revision: 7, before })).toEqual(before);
  });

  test('is refused when the route has been changed since', () => {
    expect(decide(routeState(100), { kind: 'undo', revision: 6, before })).toBe('conflict');
  });

  test('does not raise a frozen route', () => {
    expect(decide(routeState(100, { frozen: true }), { kind: 'undo', revision: 7, before })).toBe('frozen');
  });

  test('a rollback and a first appearance cannot be undone, everything else can', () => {
    const entry = (verb: AuditEntry['verb'], replaced: RoutePosition | null): AuditEntry => {
      return {
        revision: 7,
        at: 1,
        verb,
        actor: 'ann',
        reason: '',
        routes: [{ route: 'a', before: replaced, after: before }],
      };
    };
    expect(undoRefusal(entry('rollback', before))).toContain('Undoing a rollback is refused');
    expect(undoRefusal(entry('init', null))).toContain('first appearance');
    expect(undoRefusal(entry('set', before))).toBeUndefined();
    expect(undoRefusal(entry('undo', before))).toBeUndefined();
  });
});

describe('whatever is asked', () => {
  test('a rollback ends at 0, rolled back, also when frozen', () => {
    fc.assert(
      fc.property(state, (from) => {
        const { weightPpm, cutover, frozen } = after(from, { kind: 'rollback', automatic: false }, undefined);
        expect({ weightPpm, cutover, frozen }).toEqual({ weightPpm: 0, cutover: 'rolledBack', frozen: from.frozen });
      }),
    );
  });

  test('nothing but a set with the right revision, or an undo of the last change, raises a weight', () => {
    fc.assert(
      fc.property(state, request, ifRevision, (from, wanted, revision) => {
        if (after(from, wanted, revision).weightPpm <= from.weightPpm) return;
        if (wanted.kind === 'undo') expect(wanted.revision).toBe(from.revision);
        else expect([wanted.kind, revision]).toEqual(['set', from.revision]);
      }),
    );
  });

  test('a frozen route never rises', () => {
    fc.assert(
      fc.property(state, request, ifRevision, (from, wanted, revision) => {
        const frozen = { ...from, frozen: true };
        expect(after(frozen, wanted, revision).weightPpm).toBeLessThanOrEqual(frozen.weightPpm);
      }),
    );
  });

  test('a wrong revision changes nothing', () => {
    fc.assert(
      fc.property(state, request, (from, wanted) => {
        expect(decide(from, wanted, from.revision + 1)).toBe('stale');
      }),
    );
  });
});
