import { expect, test } from 'vitest';
import { capacityRefusal } from '../../src/domain/capacity.ts';

test('a weight is refused when its share is more than the ready endpoints carry, with the most that fits', () => {
  const route = { requestsPerSecond: 1_000, endpoints: 2, perEndpoint: 100 };
  expect(capacityRefusal({ ...route, weightPpm: 200_000 })).toBeNull();
  expect(capacityRefusal({ ...route, weightPpm: 500_000 })).toBe(
    "The new side's 2 ready endpoints carry 200 requests a second (maxRequestsPerEndpoint 100); 50% of the route are 500. At most 20% fits now",
  );
  expect(capacityRefusal({ ...route, weightPpm: 1, endpoints: 0 })).toContain('At most 0% fits now');
});

test('nothing said of capacity, or no traffic, refuses nothing', () => {
  expect(capacityRefusal({ requestsPerSecond: 1e6, endpoints: 1, perEndpoint: 0, weightPpm: 1_000_000 })).toBeNull();
  expect(capacityRefusal({ requestsPerSecond: 0, endpoints: 0, perEndpoint: 9, weightPpm: 1_000_000 })).toBeNull();
});
