/** Random histories of people, ramps and judges, as a store would apply them one by one. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type CutoverEvent, decide } from '../../src/domain/cutover.ts';
import { HOLD_CAUSES, waitingFor } from '../../src/domain/ramp.ts';
import type { RouteState } from '../../src/domain/state.ts';
import { auditEntryOf } from '../../src/store/records.ts';
import { routeState } from '../control/plans.ts';

const steps = fc
  .uniqueArray(fc.integer({ min: 1, max: 1_000_000 }), { minLength: 1, maxLength: 5 })
  .map((weights) => weights.toSorted((a, b) => a - b))
  .chain((weights) =>
    fc.tuple(
      ...weights.map((weightPpm) =>
        fc.record({
          weightPpm: fc.constant(weightPpm),
          holdMs: fc.constantFrom(0, 10, 1_000),
          gate: fc.constantFrom(
            null,
            { kind: 'approval' as const },
            { kind: 'newRequests' as const, newRequests: 100 },
          ),
        }),
      ),
    ),
  );
const evidence = fc.record({
  verdict: fc.constantFrom('healthy' as const, 'inconclusive' as const, 'breach' as const),
  reason: fc.constant('counts'),
  newRequests: fc.constantFrom(0, 99, 100),
});
const plain = <Kind extends string>(kind: Kind) => fc.record({ kind: fc.constant(kind), force: fc.boolean() });
const person = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), weightPpm: fc.integer({ min: 0, max: 1_000_000 }) }),
  fc.record({ kind: fc.constant('ramp' as const), steps, force: fc.boolean() }),
  plain('step' as const),
  plain('pause' as const),
  plain('resume' as const),
  plain('promote' as const),
  plain('freeze' as const),
  plain('unfreeze' as const),
);
const rollback = fc.record({ kind: fc.constant('rollback' as const), automatic: fc.boolean() });
const machine = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('advance' as const), step: fc.integer({ min: 0, max: 5 }), evidence }),
  },
  fc.record({
    kind: fc.constant('hold' as const),
    cause: fc.constantFrom(...HOLD_CAUSES),
    reason: fc.constant('why'),
  }),
  fc.record({ kind: fc.constant('release' as const) }),
);
/** An event, how long after the one before, and whether a person knows the revision. */
const happening = fc.record({
  event: fc.oneof(person, machine, rollback) as fc.Arbitrary<CutoverEvent>,
  afterMs: fc.constantFrom(0, 5, 500, 5_000, 50_000_000),
  isKnown: fc.boolean(),
});
const history = fc.array(happening, { maxLength: 40 });

interface Step {
  readonly before: RouteState;
  readonly event: CutoverEvent;
  readonly now: number;
  readonly after: RouteState;
}

function play(happenings: readonly (typeof happening extends fc.Arbitrary<infer T> ? T : never)[]): Step[] {
  let state = routeState(0, { revision: 1 });
  let now = 1_000_000;
  return happenings.map(({ event: wanted, afterMs, isKnown }) => {
    now += afterMs;
    const event = isKnown && !isMachine(wanted) ? { ...wanted, ifRevision: state.revision } : wanted;
    const before = state;
    const decision = decide(state, event, now);
    if (decision.kind === 'next') {
      state = { ...decision.next, revision: state.revision + 1, reason: '', actor: '', at: now };
    }
    return { before, event, now, after: state };
  });
}

const isMachine = ({ kind }: CutoverEvent): boolean => kind === 'advance' || kind === 'hold' || kind === 'release';
const runs = { numRuns: 2_000 };

test('nothing raises a weight but a person who names the revision, or a ramp whose gate has passed', () => {
  fc.assert(
    fc.property(history, (happenings) => {
      for (const { before, event, now, after } of play(happenings)) {
        if (after.weightPpm <= before.weightPpm) continue;
        expect(before.frozen).toBe(false);
        if (event.kind === 'advance') {
          expect(before.ramp && waitingFor(before.ramp, event.evidence, now)).toBeNull();
          expect(['ramping', 'held']).toContain(before.cutover);
          expect(after.weightPpm).toBe(before.ramp?.steps[event.step]?.weightPpm);
        } else {
          expect(['set', 'ramp', 'step', 'resume', 'promote']).toContain(event.kind);
          expect('ifRevision' in event && event.ifRevision).toBe(before.revision);
        }
      }
    }),
    runs,
  );
});

test('a rollback wins every race: whatever was decided on what it replaced is decided again, and stays at 0 without a person', () => {
  fc.assert(
    fc.property(history, rollback, fc.array(machine, { maxLength: 10 }), (happenings, back, events) => {
      const last = play(happenings).at(-1)?.after ?? routeState(500);
      const taken = decide(last, back, 2_000_000);
      let state = taken.kind === 'next' ? { ...last, ...taken.next, revision: last.revision + 1 } : last;
      expect(state).toMatchObject({ weightPpm: 0, cutover: 'rolledBack' });
      for (const event of events) {
        const decision = decide(state, event, 1_000_000_000_000);
        if (decision.kind === 'next') state = { ...state, ...decision.next };
      }
      expect(state).toMatchObject({ weightPpm: 0, cutover: 'rolledBack' });
    }),
    runs,
  );
});

test('replaying a history, written down and read again, gives the same state', () => {
  fc.assert(
    fc.property(history, (happenings) => {
      const played = play(happenings);
      expect(play(happenings)).toEqual(played);
      for (const { before, after } of played) {
        const routes = [{ route: 'a', before, after }];
        const entry = { revision: after.revision, at: 1, verb: 'set', actor: 'ann', reason: '', routes };
        const [read] = auditEntryOf(JSON.parse(JSON.stringify(entry))).routes;
        const { revision: _revision, reason: _reason, actor: _actor, at: _at, ...position } = after;
        expect(read?.after).toEqual(position);
      }
    }),
    { numRuns: 200 },
  );
});

test('a step is taken once, however many replicas find it due', () => {
  fc.assert(
    fc.property(history, (happenings) => {
      for (const { before, event, now, after } of play(happenings)) {
        if (event.kind !== 'advance' || after === before) continue;
        const again = decide(after, event, now + 1_000_000);
        expect(again.kind).toBe('unchanged');
      }
    }),
    runs,
  );
});
