import { createHash } from 'node:crypto';
import type { DiscoverySource, HeliosSource } from '../domain/source.ts';
import type { Discovery, DiscoveryTools } from './discovery.ts';
import { createResolver } from './dns/resolver.ts';
import { createDnsDiscovery } from './dns/source.ts';
import { HeliosMasters } from './helios/masters.ts';
import { HeliosPoller } from './helios/poller.ts';
import { Cluster } from './kubernetes/cluster.ts';
import { createKubernetesDiscovery } from './kubernetes/source.ts';
import { type EndpointMemory, Remembered } from './remembered.ts';
import { createStaticDiscovery } from './static.ts';

const WATCH = { leastWatchS: 240, silentMs: 80_000 };
/** Of a service's two watches. */
const SECOND_AFTER_MS = 1_000;
const LEAST_AWAY_MS = 200;
const AWAY_MS_A_WATCH = 5;
const MOST_AWAY_MS = 2_000;

interface SharedPoller {
  readonly poller: HeliosPoller;
  readonly end: () => void;
  users: number;
}

/** Opens discoveries; what several of them want of one Helios is asked for together. */
export interface DiscoveriesTools extends DiscoveryTools {
  /** Absent: a source that is away at the start has no endpoints. `wall`: milliseconds since 1970. */
  readonly last?: { readonly memory: EndpointMemory; readonly wall: () => number };
}

export class Discoveries {
  readonly #tools: DiscoveriesTools;
  readonly #pollers = new Map<string, SharedPoller>();
  /** Of Kubernetes, that were ever opened. */
  #watches = 0;

  constructor(tools: DiscoveriesTools) {
    this.#tools = tools;
  }

  open(source: DiscoverySource): Discovery {
    if (source.kind === 'static') return createStaticDiscovery(source.endpoints, this.#tools.clock);
    const { last, clock } = this.#tools;
    const discovery = this.#watch(source);
    return last === undefined ? discovery : new Remembered(discovery, { source: nameOf(source), clock, ...last });
  }

  #watch(source: Exclude<DiscoverySource, { kind: 'static' }>): Discovery {
    switch (source.kind) {
      case 'dns':
        return createDnsDiscovery(source, this.#tools);
      case 'helios':
        return this.#openHelios(source);
      case 'kubernetes':
        this.#watches++;
        return createKubernetesDiscovery(source, new Cluster(source.cluster, this.#tools), this.#tools, {
          ...WATCH,
          guard: { secondAfterMs: SECOND_AFTER_MS, lookMs: source.lookMs },
          // Many services' attempts together stay within what costs little.
          longestAwayMs: () => Math.min(Math.max(LEAST_AWAY_MS, AWAY_MS_A_WATCH * this.#watches), MOST_AWAY_MS),
        });
    }
  }

  #openHelios(source: HeliosSource): Discovery {
    const { master, intervalMs, tls } = source;
    const key = JSON.stringify([master, intervalMs, tls]);
    const shared = this.#pollers.get(key) ?? this.#createPoller(source);
    this.#pollers.set(key, shared);
    shared.users++;
    return shared.poller.follow(source.select, () => {
      if (--shared.users > 0) return;
      shared.end();
      this.#pollers.delete(key);
    });
  }

  #createPoller(source: HeliosSource): SharedPoller {
    const over = new AbortController();
    const masters = new HeliosMasters(source, createResolver([]), this.#tools.clock, over.signal);
    const end = (): void => {
      over.abort();
      masters.close();
    };
    return { poller: new HeliosPoller(masters, source.intervalMs, this.#tools, over.signal), end, users: 0 };
  }
}

/** What a source is kept under, without anything that may be secret. */
function nameOf(source: DiscoverySource): string {
  return createHash('sha256').update(JSON.stringify(source)).digest('hex');
}
