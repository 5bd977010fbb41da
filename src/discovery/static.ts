import type { Endpoint } from '../domain/snapshot.ts';
import type { Discovery } from './discovery.ts';
import { LiveSet } from './live-set.ts';

/** Endpoints as configured; they never change, a new configuration makes a new discovery. */
export function createStaticDiscovery(endpoints: readonly Endpoint[], clock: () => number): Discovery {
  const set = new LiveSet(clock, () => {});
  set.put(endpoints);
  return set;
}
