import { expect, test } from 'vitest';
import { logEvent } from '../../src/control/event-log.ts';
import { createLogger } from '../../src/telemetry/log.ts';

test.each([
  [true, false, false, null, 30, 'the store answers'],
  // It answered all the while.
  [true, false, true, null, 30, 'the dispute about what the store holds has ended'],
  [false, false, false, 'disk full', 50, 'the store does not answer, what is known of it is served: disk full'],
  [
    false,
    true,
    false,
    'it fell back',
    50,
    'the store contradicts what is served, which is served on until somebody adopts: it fell back',
  ],
])(
  'a store that is up (%s), in dispute (%s) or so no more (%s) is said to be that',
  (up, disputed, settled, reason, level, msg) => {
    const lines: unknown[] = [];
    const logger = createLogger({}, { write: (line) => lines.push(JSON.parse(line)) });
    logEvent(logger, { id: 1, at: 1, type: 'store', up, disputed, settled, reason });
    expect(lines).toEqual([expect.objectContaining({ level, msg })]);
  },
);
