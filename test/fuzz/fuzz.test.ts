import { describe, expect, test } from 'vitest';
import { sized } from '../size.ts';
import { campaign } from './campaign.ts';
import { framesSubject } from './frames-subject.ts';
import { requestSubject, responseSubject } from './subjects.ts';

const CASES = sized(100_000, 10_000);
const SEQUENCES = sized(20_000, 2_000);
/** The codec keeps nothing from one connection to the next; the engine's own tables may grow a little. */
const MOST_GROWTH_BYTES = 16 << 20;

describe('against llhttp through node:http, cut anywhere', () => {
  for (const subject of [requestSubject(), responseSubject()]) {
    test(`${CASES} cases of ${subject.name}: nothing taken that it refuses, nothing framed otherwise`, {
      timeout: 240_000,
    }, async () => {
      const { met, failures, grownBytes } = await campaign(subject, CASES, 1);
      expect(failures).toEqual([]);
      expect(met.size).toBeGreaterThan(10);
      expect(grownBytes).toBeLessThan(MOST_GROWTH_BYTES);
    });
  }
});

describe('frames of HTTP/2, some of them not what they should be', () => {
  test.each(['server', 'client'] as const)(
    `${SEQUENCES} sequences for a %s: nothing throws, whatever the cuts nothing changes`,
    {
      timeout: 240_000,
    },
    async (role) => {
      const { failures, grownBytes } = await campaign(framesSubject(role), SEQUENCES, 1);
      expect(failures).toEqual([]);
      expect(grownBytes).toBeLessThan(MOST_GROWTH_BYTES);
    },
  );
});
