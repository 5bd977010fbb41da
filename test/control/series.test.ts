import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { previewOf } from '../../src/control/preview.ts';
import { Series } from '../../src/control/series.ts';
import { AT_ATTEMPTS, AT_DURATION, AT_INFLIGHT, AT_REQUESTS, cellCount, cellsOf } from '../../src/domain/counts.ts';
import { OUTCOME_FAULT } from '../../src/domain/outcome.ts';
import { bucketQuantile } from '../../src/domain/quantile.ts';

/** Sums of routes as workers would have them, and a clock of seconds. */
class World {
  routes: readonly string[] = ['search', 'cart'];
  cells = new Float64Array(cellCount(2));
  weights = [0, 0];
  now = 1_000_000;
  readonly series = new Series(this, () => this.now);

  weightsPpm = () => this.weights;

  /** Requests of a duration bucket (1: 5 to 10 ms), within the next second. */
  count(row: number, side: number, requests: number, { bucket = 1, faults = 0 } = {}): void {
    const at = cellsOf(row, side);
    (this.cells[at + AT_REQUESTS + 2] as number) += requests;
    (this.cells[at + AT_DURATION + bucket] as number) += requests;
    (this.cells[at + AT_ATTEMPTS + OUTCOME_FAULT] as number) += faults;
  }

  second(): void {
    this.now += 1000;
    this.series.sample();
  }
}

describe('the last ten seconds', () => {
  test('are counts and quantiles of both sides', () => {
    const world = new World();
    world.second();
    world.count(0, 0, 100);
    world.count(0, 1, 10, { bucket: 3, faults: 2 });
    world.cells[cellsOf(0, 1) + AT_INFLIGHT] = 3;
    world.second();
    expect(world.series.row('search')).toEqual([100, 0, 7.5, 10, 0, 10, 2, 37.5, 49.8, 3]);
    expect(world.series.row('cart')).toEqual([0, 0, null, null, 0, 0, 0, null, null, 0]);
    for (let i = 0; i < 9; i++) world.second();
    expect(world.series.row('search')[0]).toBe(100);
    world.second();
    expect(world.series.row('search')[0]).toBe(0);
  });

  test('begin with the first table, however long a start takes', () => {
    const world = new World();
    const { cells } = world;
    world.cells = new Float64Array(0);
    world.second();
    expect(world.series.row('search')).toEqual([0, 0, null, null, 0, 0, 0, null, null, 0]);
    world.cells = cells;
    world.second();
    world.count(0, 0, 7);
    world.second();
    expect(world.series.row('search').slice(0, 2)).toEqual([7, 0]);
  });

  test('leave out what was counted before anybody looked', () => {
    const world = new World();
    world.count(0, 0, 5_000);
    world.second();
    expect(world.series.row('search')[0]).toBe(0);
  });

  test('are numbers however long a slow start took to lay out the counts', () => {
    const world = new World();
    const { cells } = world;
    world.cells = new Float64Array(0);
    world.second();
    world.cells = cells;
    world.second();
    world.count(0, 0, 7);
    world.second();
    expect(world.series.row('search')).toEqual([7, 0, 7.5, 10, 0, 0, 0, null, null, 0]);
  });

  test('are right after rests of any length, in which nothing is taken down', () => {
    const spell = fc.record({
      rest: fc.integer({ min: 0, max: 30 }),
      requests: fc.nat(9),
      faults: fc.nat(9),
      bucket: fc.nat(12),
    });
    fc.assert(
      fc.property(fc.array(spell, { maxLength: 12 }), (spells) => {
        const world = new World();
        world.second();
        const seconds: { requests: number; faults: number }[] = [];
        const second = (one: { requests: number; faults: number }): void => {
          seconds.push(one);
          world.second();
          const last = seconds.slice(-10);
          const sum = (of: 'requests' | 'faults'): number => last.reduce((all, each) => all + each[of], 0);
          const row = world.series.row('cart');
          expect([row[5], row[6], row[8] === null]).toEqual([sum('requests'), sum('faults'), sum('requests') === 0]);
        };
        for (const { rest, ...one } of spells) {
          for (let i = 0; i < rest; i++) second({ requests: 0, faults: 0 });
          world.count(1, 1, one.requests, one);
          second(one);
        }
      }),
    );
  });

  test('are seconds since traffic began in them, and one while there was none', () => {
    const world = new World();
    const second = (requests: number): number => {
      world.count(0, 1, requests);
      world.second();
      return world.series.seconds('search');
    };
    expect(world.series.seconds('search')).toBe(1);
    // Rests of the supervisor and the route alike.
    expect([0, 0, 0].map(second)).toEqual([1, 1, 1]);
    expect(Array.from({ length: 12 }, () => second(7))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 10]);
    // A pause within them is a part of the mean.
    expect([0, 0, 7].map(second)).toEqual([10, 10, 10]);
    expect(Array.from({ length: 11 }, () => second(0)).at(-1)).toBe(1);
    expect([7, 0, 7].map(second)).toEqual([1, 2, 3]);
  });

  test('of a route that nobody knows are nothing', () => {
    expect(new World().series.row('nobody')).toEqual([0, 0, null, null, 0, 0, 0, null, null, 0]);
  });
});

describe('the last hour', () => {
  test('is kept by the second and by ten seconds, oldest first', () => {
    const world = new World();
    for (let i = 0; i < 4_000; i++) {
      world.count(0, 0, 7);
      world.weights[0] = i < 2_000 ? 0 : 250_000;
      world.second();
    }
    const view = world.series.of('search');
    expect(view?.rings.map(({ seconds, at }) => [seconds, at.length])).toEqual([
      [1, 300],
      [10, 360],
    ]);
    const [fine, coarse] = view?.rings ?? [];
    expect(fine?.at.at(-1)).toBe(world.now);
    expect(fine?.at.every((at, i) => i === 0 || at - (fine.at[i - 1] as number) === 1000)).toBe(true);
    expect(new Set(fine?.old.requests)).toEqual(new Set([7]));
    expect(new Set(coarse?.old.requests)).toEqual(new Set([70]));
    expect(coarse?.at.every((at, i) => i === 0 || at - (coarse.at[i - 1] as number) === 10_000)).toBe(true);
    expect([coarse?.weight[0], coarse?.weight.at(-1)]).toEqual([0, 25]);
    expect(new Set(coarse?.new.p99)).toEqual(new Set([null]));
  });

  test('outlives a new table, in another order and without some routes', () => {
    const world = new World();
    world.second();
    world.count(1, 0, 9);
    world.second();
    world.routes = ['cart', 'added'];
    world.cells = new Float64Array(cellCount(2));
    world.count(0, 0, 9);
    world.second();
    expect(world.series.of('cart')?.rings[0]?.old.requests).toEqual([0, 9, 0]);
    expect(world.series.of('search')).toBeUndefined();
    expect(world.series.row('added')[0]).toBe(0);
    world.count(1, 1, 4);
    world.second();
    expect(world.series.row('added')[5]).toBe(4);
  });

  test('is kept of 2,000 routes at most', () => {
    const world = new World();
    world.routes = Array.from({ length: 2_001 }, (_, i) => `route-${i}`);
    world.cells = new Float64Array(cellCount(2_001));
    world.weights = world.routes.map(() => 0);
    world.second();
    for (let row = 0; row < 2_001; row++) world.count(row, 0, 1);
    world.second();
    expect(world.series.of('route-1999')?.rings[0]?.old.requests).toEqual([0, 1]);
    expect(world.series.of('route-2000')?.rings[0]?.old.requests).toEqual([0, 0]);
    expect(world.series.row('route-2000')[0]).toBe(1);
  });
});

describe('a quantile of buckets', () => {
  test('is read off as Prometheus does', () => {
    const counts = Array.from({ length: 15 }, () => 0);
    expect(bucketQuantile(counts, 0.5)).toBeNaN();
    counts[0] = 50;
    counts[1] = 50;
    expect(bucketQuantile(counts, 0.5)).toBeCloseTo(5);
    expect(bucketQuantile(counts, 0.99)).toBeCloseTo(9.9);
    counts[14] = 1_000;
    expect(bucketQuantile(counts, 0.99)).toBe(10_000);
  });
});

describe('a preview', () => {
  const spec = {
    name: 'search',
    match: {},
    old: 0,
    new: 1,
    sticky: [{ kind: 'header', name: 'x-user-id' }, { kind: 'generate' }],
    salt: 'search',
    timeouts: { connectMs: 1, requestHeadMs: 1, responseHeadMs: 1, idleMs: 1, totalMs: 0 },
    rescue: { budget: 0.2, toNew: false, bodyBytes: 65_536 },
  } as const;
  const base = { spec, seconds: 10, endpoints: 2, connections: 64 };

  test('says what moves', () => {
    const preview = previewOf({
      ...base,
      weightPpm: { now: 100_000, after: 500_000 },
      stats: [900, 0, 10, 20, 18, 100, 0, 10, 20, 3],
    });
    expect(preview).toEqual({
      weight: { now: 10, after: 50 },
      requestsPerSecond: { old: { now: 90, after: 50 }, new: { now: 10, after: 50 } },
      users: { percent: 40, by: ['header x-user-id', 'a cookie of their own'] },
      headroom: { endpoints: 2, connections: 64, inflight: { now: 3, after: 15 } },
    });
  });

  test('goes by the old side where the new one has done nothing yet, and by nobody where users are not told apart', () => {
    const preview = previewOf({
      ...base,
      spec: { ...spec, sticky: [] },
      weightPpm: { now: 0, after: 50_000 },
      stats: [1_000, 0, 10, 20, 30, 0, 0, null, null, 0],
    });
    expect(preview.users).toBeNull();
    expect(preview.headroom.inflight).toEqual({ now: 0, after: 2 });
  });
});
