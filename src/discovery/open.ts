import type { Endpoint } from '../domain/snapshot.ts';
import type { Discovery } from './discovery.ts';
import { createStaticDiscovery } from './static.ts';

/** Where a backend's endpoints are known, as configured. */
export type DiscoverySource = { readonly kind: 'static'; readonly endpoints: readonly Endpoint[] };

export function openDiscovery(source: DiscoverySource): Discovery {
  return createStaticDiscovery(source.endpoints);
}
