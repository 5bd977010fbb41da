import type { Endpoint } from '../domain/snapshot.ts';
import type { Discovery } from './discovery.ts';

/** Endpoints as configured; they never change, a new configuration makes a new discovery. */
export function createStaticDiscovery(endpoints: readonly Endpoint[]): Discovery {
  return { endpoints, watch() {}, close() {} };
}
