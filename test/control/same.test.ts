import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { isSame } from '../../src/control/same.ts';

/** As it comes out of JSON, which has no negative zero. */
const value = fc.jsonValue().map((each) => JSON.parse(JSON.stringify(each)) as unknown);

test('values say the same when all that they are made of does', () => {
  fc.assert(
    fc.property(value, value, (one, other) => {
      expect(isSame(one, structuredClone(one))).toBe(true);
      expect(isSame(one, other)).toBe(isDeepStrictEqual(one, other));
    }),
  );
});

const of = (reasons: readonly string[], step?: number) => ({
  side: { ailing: reasons.map((reason) => ({ reason })) },
  ramp: step === undefined ? null : { step },
});

test.each([
  ['deep in a list', of(['hung'], 2)],
  ['a member less in a list', of([], 2)],
  ['a member more in a list', of(['refused', 'refused'], 2)],
  ['a number', of(['refused'], 3)],
  ['nothing where there was something', of(['refused'])],
  ['another member', { ...of(['refused'], 2), more: 1 }],
])('what differs within is seen: %s', (_, other) => {
  const one = of(['refused'], 2);
  expect([isSame(one, other), isSame(other, one), isSame(one, of(['refused'], 2))]).toEqual([false, false, true]);
});
