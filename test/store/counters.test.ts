import { expect, test } from 'vitest';
import { EVIDENCE_MS } from '../../src/store/counters.ts';
import { MemoryCounters } from '../../src/store/memory-counters.ts';
import { countersContract } from './counters-contract.ts';

countersContract('a fleet of one', async (bucketMs) => {
  const counters = new MemoryCounters(bucketMs, Date.now);
  return () => counters;
});

test('in a fleet of one, evidence that nobody adds to is forgotten', async () => {
  let now = 1_000_000;
  const counters = new MemoryCounters(1_000, () => now);
  await counters.addCounts('search', 1, { n: 1 });
  now += EVIDENCE_MS;
  expect((await counters.readEvidence('search')).buckets).toHaveLength(1);
  now += 1;
  expect((await counters.readEvidence('search')).buckets).toEqual([]);
});

test('a clock that was set back opens no bucket again', async () => {
  let now = 1_000_000;
  const counters = new MemoryCounters(1_000, () => now);
  await counters.addCounts('search', 1, { n: 1 });
  now += 5_000;
  await counters.close('search', 1_002, 'r');
  now = 0;
  expect((await counters.addCounts('search', 1, { n: 1 })).buckets).toEqual([
    { index: 1_003, era: 1, counts: { n: 1 } },
  ]);
});
