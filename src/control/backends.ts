import type { Discoveries } from '../discovery/discoveries.ts';
import type { Discovery, DiscoveryHealth } from '../discovery/discovery.ts';
import type { EndpointsPatch } from '../domain/endpoints.ts';
import type { Endpoint } from '../domain/snapshot.ts';
import type { DiscoverySource } from '../domain/source.ts';
import type { Plan } from './plan.ts';

interface Backend {
  readonly name: string;
  readonly source: DiscoverySource;
  readonly discovery: Discovery;
}

export interface BackendsWatcher {
  /** A backend has other endpoints than before. */
  onEndpoints(backend: number, patch: EndpointsPatch): void;
  /** A backend's source has answered for the first time, or has failed, or is well again. */
  onHealth(backend: number, health: DiscoveryHealth): void;
}

/** The live endpoints of a plan's backends, by index. */
export class Backends {
  readonly #backends: readonly Backend[];

  /**
   * @param before of the plan before, or none: a backend whose source is the same goes on as it is, the others end
   * @param watcher never called from within the constructor
   */
  constructor(plan: Plan, discoveries: Discoveries, before: Backends | undefined, watcher: BackendsWatcher) {
    const kept = new Map((before === undefined ? [] : before.#backends).map((backend) => [keyOf(backend), backend]));
    this.#backends = plan.backends.map(({ spec: { name }, source }) => {
      const known = kept.get(keyOf({ name, source }));
      kept.delete(keyOf({ name, source }));
      return known ?? { name, source, discovery: discoveries.open(source) };
    });
    for (const { discovery } of kept.values()) discovery.close();
    for (const [backend, { discovery }] of this.#backends.entries()) {
      discovery.watch({
        onEndpoints: (patch) => watcher.onEndpoints(backend, patch),
        onHealth: (health) => watcher.onHealth(backend, health),
      });
    }
  }

  endpoints(backend: number): readonly Endpoint[] {
    return this.#backends[backend]?.discovery.endpoints ?? [];
  }

  health(backend: number): DiscoveryHealth | undefined {
    return this.#backends[backend]?.discovery.health;
  }

  /** Names of those whose source has never answered. */
  unsynced(): string[] {
    return this.#backends.filter(({ discovery }) => !discovery.health.synced).map(({ name }) => name);
  }

  close(): void {
    for (const { discovery } of this.#backends) discovery.close();
  }
}

function keyOf({ name, source }: { readonly name: string; readonly source: DiscoverySource }): string {
  return JSON.stringify([name, source]);
}

/** `host:port`, an IPv6 address in brackets. */
export function formatEndpoint({ host, port }: Pick<Endpoint, 'host' | 'port'>): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
