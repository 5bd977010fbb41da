/** What shared counters must do, whatever holds them: the suite that each implementation's own test runs. */
import { describe, expect, test } from 'vitest';
import type { Counters, RouteEvidence } from '../../src/store/counters.ts';
import { until } from '../supervisor/until.ts';

/** Sums over all buckets that are not closed. */
function totals({ buckets }: RouteEvidence): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { counts } of buckets) {
    for (const [name, count] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + count;
  }
  return sums;
}

const seen = (member: string, ...cells: string[]) => ({ member, cells });

/** @param open counters of one fleet, each call for another replica, with buckets of so many milliseconds */
export function countersContract(name: string, open: (bucketMs: number) => Promise<() => Counters>): void {
  describe(`counters contract: ${name}`, () => {
    /** A bucket that nobody outlives, and one that is over at once. */
    const [LONG_MS, SHORT_MS] = [86_400_000, 20];

    test('a route without counts has none, and no bucket is closed', async () => {
      const counters = (await open(LONG_MS))();
      expect(await counters.readEvidence('search')).toEqual({ open: expect.any(Number), closed: null, buckets: [] });
    });

    test('counts of all replicas add up in the open bucket, apart by route and era', async () => {
      const replica = await open(LONG_MS);
      const [a, b] = [replica(), replica()];
      await a.addCounts('search', 1, { newRequests: 5, newFaults: 1 });
      await b.addCounts('search', 1, { newRequests: 7 });
      await a.addCounts('search', 2, { newRequests: 1 });
      const shown = await b.addCounts('other', 1, { newRequests: 100 });
      expect(shown.buckets.map(({ counts }) => counts)).toEqual([{ newRequests: 100 }]);
      const { open: index, buckets } = await b.readEvidence('search');
      expect(buckets).toEqual([
        { index, era: 1, counts: { newRequests: 12, newFaults: 1 } },
        { index, era: 2, counts: { newRequests: 1 } },
      ]);
    });

    test('1,000 additions of ten replicas at once: none is lost', async () => {
      const replica = await open(SHORT_MS);
      const replicas = Array.from({ length: 10 }, replica);
      await Promise.all(
        replicas.flatMap((each) => Array.from({ length: 100 }, () => each.addCounts('search', 1, { n: 1 }))),
      );
      expect(totals(await replica().readEvidence('search'))).toEqual({ n: 1_000 });
    });

    test('an open bucket cannot be closed', async () => {
      const counters = (await open(LONG_MS))();
      const { open: index } = await counters.addCounts('search', 1, { n: 1 });
      expect(await counters.close('search', index, 'too early')).toMatchObject({ closed: null, buckets: [{ index }] });
    });

    test('a bucket is closed once: the first result stays, and is given to everyone', async () => {
      const replica = await open(SHORT_MS);
      const replicas = Array.from({ length: 5 }, replica);
      const first = (await replica().addCounts('search', 1, { n: 1 })).buckets[0]?.index as number;
      await until('the end of the bucket', async () => (await replica().readEvidence('search')).open > first);
      const results = await Promise.all(replicas.map((each, i) => each.close('search', first, `result ${i}`)));
      const closed = results.map((each) => each.closed);
      expect(new Set(closed.map((each) => each?.result)).size).toBe(1);
      expect(closed[0]).toEqual({ index: first, result: expect.stringMatching(/^result \d$/) });
      expect((await replica().readEvidence('search')).buckets).toEqual([]);
      expect((await replica().close('search', first - 1, 'late')).closed).toEqual(closed[0]);
    });

    test('counts that come late fall into the open bucket, not into one that is closed', async () => {
      const counters = (await open(SHORT_MS))();
      const first = (await counters.addCounts('search', 1, { n: 1 })).buckets[0]?.index as number;
      await until('the end of the bucket', async () => (await counters.readEvidence('search')).open > first);
      await counters.close('search', first, 'r');
      const { buckets } = await counters.addCounts('search', 1, { n: 2 });
      expect(buckets.map(({ counts }) => counts)).toEqual([{ n: 2 }]);
      expect(buckets[0]?.index).toBeGreaterThan(first);
    });

    test('closing one closes all before it and leaves those after it', async () => {
      const counters = (await open(SHORT_MS))();
      const indexes: number[] = [];
      while (indexes.length < 3) {
        const before = await counters.readEvidence('search');
        const newest = (await counters.addCounts('search', 1, { n: 1 })).buckets.at(-1)?.index as number;
        if (!indexes.includes(newest)) indexes.push(newest);
        await until('the next bucket', async () => (await counters.readEvidence('search')).open > before.open);
      }
      const { closed, buckets } = await counters.close('search', indexes[1] as number, 'r');
      expect(closed).toEqual({ index: indexes[1], result: 'r' });
      expect(buckets.map(({ index }) => index)).toEqual([indexes[2]]);
    });

    test('a key counts once in a window of each length, whichever replica sees it', async () => {
      const replica = await open(LONG_MS);
      const [a, b] = [replica(), replica()];
      await a.addCounts('search', 1, { n: 1 }, [seen('x', 'new.ok'), seen('y', 'new.ok', 'new.timed')]);
      await b.addCounts('search', 1, {}, [seen('x', 'new.fault'), seen('z', 'old.fault'), seen('z', 'old.ok')]);
      await b.addCounts('other', 1, {}, [seen('x', 'new.fault')]);
      const counts = { 'new.ok': 2, 'new.timed': 1, 'old.fault': 1 };
      const expected = ['w0.', 'w1.'].flatMap((prefix) =>
        Object.entries(counts).map(([name, count]) => [prefix + name, count] as const),
      );
      expect(totals(await a.readEvidence('search'))).toEqual({ n: 1, ...Object.fromEntries(expected) });
    });

    test('a key counts again in the next window', async () => {
      const counters = (await open(SHORT_MS))();
      const key = [{ member: 'x', cells: ['new.ok'] }];
      const { open: first } = await counters.addCounts('search', 1, {}, key);
      await until('the next short window', async () => {
        const { open: now } = await counters.readEvidence('search');
        return Math.floor(now / 60) > Math.floor(first / 60);
      });
      const { 'w0.new.ok': short = 0, 'w1.new.ok': long = 0 } = totals(await counters.addCounts('search', 1, {}, key));
      expect([short, long >= 1 && long <= 2]).toEqual([2, true]);
    });

    test('when nobody closes, memory is bounded and no count is lost', async () => {
      const counters = (await open(LONG_MS))();
      for (let from = 0; from < 6_000; from += 500) {
        await counters.addCounts('search', 1, Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`n${i}`, 1])));
        await counters.addCounts('search', from, { n: 1 });
      }
      const sums = totals(await counters.readEvidence('search'));
      expect([sums['n0'], sums['n']]).toEqual([12, 12]);
    });
  });
}
