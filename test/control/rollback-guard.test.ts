import { expect, test } from 'vitest';
import { rollbackRefusal, type Sides } from '../../src/control/rollback-guard.ts';
import { planOf, stateOf } from './plans.ts';

/** @param dead routes whose old side cannot take traffic */
function sidesOf(dead: readonly string[]): Sides {
  return {
    plan: planOf(['a', 'b']),
    sideProblem: ({ name }, side) => (side === 'old' && dead.includes(name) ? 'The old side is gone' : null),
  };
}

test('a rollback onto an old side without a healthy endpoint is refused, with the reason and the way out', () => {
  expect(rollbackRefusal(sidesOf(['b']), stateOf(1, { a: 5, b: 5 }), ['a', 'b'])).toEqual({
    kind: 'refused',
    code: 'noHealthyEndpoint',
    detail: 'Route b stays where it is. The old side is gone. It can be forced',
  });
});

test('routes that are not asked for, or at old already, stand in nobody’s way', () => {
  expect(rollbackRefusal(sidesOf(['b']), stateOf(1, { a: 5, b: 5 }), ['a'])).toBeNull();
  expect(rollbackRefusal(sidesOf(['b']), stateOf(1, { a: 5, b: 0 }), ['a', 'b'])).toBeNull();
  expect(rollbackRefusal(sidesOf(['b']), undefined, ['b'])).toBeNull();
});
