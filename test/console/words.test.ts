import { expect, test } from 'vitest';
import { WORDS } from '../../src/console/words.ts';

test.each([
  [true, false, false, null, 'the store answers again', ''],
  // It answered all the while.
  [true, false, true, null, 'the dispute about what the store holds has ended', ''],
  [false, false, false, 'disk full', 'the store does not answer', 'disk full'],
  [false, true, false, 'it fell back', 'the store contradicts what is served', 'it fell back'],
])(
  'a store that is up (%s), in dispute (%s) or so no more (%s) is said to be that',
  (up, disputed, settled, reason, what, why) => {
    const event = { id: 1, at: 1, type: 'store', up, disputed, settled, reason };
    expect(WORDS['store']?.(event as never)).toMatchObject({ who: 'crossfade', what, why, kind: 'system' });
  },
);
