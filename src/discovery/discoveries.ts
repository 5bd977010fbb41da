import type { DiscoverySource } from '../domain/source.ts';
import type { Discovery, DiscoveryTools } from './discovery.ts';
import { createDnsDiscovery } from './dns/source.ts';
import { createStaticDiscovery } from './static.ts';

/** Opens discoveries; what several of them can share is asked for once. */
export class Discoveries {
  readonly #tools: DiscoveryTools;

  constructor(tools: DiscoveryTools) {
    this.#tools = tools;
  }

  open(source: DiscoverySource): Discovery {
    switch (source.kind) {
      case 'static':
        return createStaticDiscovery(source.endpoints, this.#tools.clock);
      case 'dns':
        return createDnsDiscovery(source, this.#tools);
    }
  }
}
