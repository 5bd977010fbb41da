/** What a new side can carry, by the traffic that one of two replicas sees. */
import { expect, test } from 'vitest';
import { Headroom } from '../../src/control/headroom.ts';
import { Series } from '../../src/control/series.ts';
import { AT_REQUESTS, cellCount, cellsOf } from '../../src/domain/counts.ts';
import { planOf, stateOf } from './plans.ts';

const LIVING = [{ id: 'r1' }, { id: 'r2' }];

/** 100 requests a second and endpoint, of which there is one; `second` lets one pass, in which so many requests end. */
function open() {
  const plan = planOf(['a']);
  const backends = plan.backends.map((backend) => ({ ...backend, maxRequestsPerEndpoint: 100 }));
  const cells = new Float64Array(cellCount(1));
  const series = new Series({ routes: ['a'], cells, weightsPpm: () => [0] }, () => 1_000);
  const headroom = new Headroom({
    supervisor: {
      plan: { ...plan, backends },
      backends: {
        health: () => [
          {
            endpoint: { host: '127.0.0.1', port: 9102 },
            state: 'healthy',
            reason: '',
            since: 1,
            key: '127.0.0.1:9102',
          },
        ],
        endpoints: () => [],
        unsynced: () => [],
        sideProblem: () => null,
      },
    },
    replicas: { view: () => LIVING as never },
    local: { served: stateOf(1, { a: 0 }) },
    series,
  });
  const second = (requests: number): void => {
    (cells[cellsOf(0, 0) + AT_REQUESTS] as number) += requests;
    series.sample();
  };
  return { headroom, second };
}

test("a replica's first traffic is held against what the new side carries at its rate, not at a tenth of it", () => {
  const { headroom, second } = open();
  for (let i = 0; i < 3; i++) second(0);
  // Nothing is known of the rate, so nothing is in the way.
  expect(headroom.capacity('a', 1_000_000)).toBeNull();
  for (let i = 0; i < 15; i++) {
    second(100);
    expect(headroom.capacity('a', 1_000_000)).toContain('100% of the route are 200. At most 50% fits now');
    expect(headroom.capacity('a', 500_000)).toBeNull();
    expect(headroom.preview('a', 500_000)?.requestsPerSecond.new.after).toBe(50);
  }
});

test('a rate is a mean: what came within a second of the ten does not count as if it came in each', () => {
  const { headroom, second } = open();
  for (let i = 0; i < 10; i++) second(10);
  second(300);
  expect(headroom.capacity('a', 1_000_000)).toBeNull();
});
