import { expect, test } from 'vitest';
import { WORDS } from '../../src/console/words.ts';

test.each([
  [true, false, null, 'the store answers again', ''],
  [false, false, 'disk full', 'the store does not answer', 'disk full'],
  [false, true, 'it fell back', 'the store contradicts what is served', 'it fell back'],
])('a store that is up (%s) or in dispute (%s) is said to be that', (up, disputed, reason, what, why) => {
  const event = { id: 1, at: 1, type: 'store', up, disputed, reason };
  expect(WORDS['store']?.(event as never)).toMatchObject({ who: 'crossfade', what, why, kind: 'system' });
});
