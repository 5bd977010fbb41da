import type { Discovery } from '../discovery/discovery.ts';
import { openDiscovery } from '../discovery/open.ts';
import type { Endpoint } from '../domain/snapshot.ts';
import type { Plan } from './plan.ts';

/** The live endpoints of a plan's backends, by index. */
export class Backends {
  readonly #discoveries: readonly Discovery[];

  /** @param onChange a backend has other endpoints than before; never called from within the constructor */
  constructor(plan: Plan, onChange: (backend: number) => void) {
    this.#discoveries = plan.backends.map(({ source }) => openDiscovery(source));
    for (const [backend, discovery] of this.#discoveries.entries()) discovery.watch(() => onChange(backend));
  }

  endpoints(backend: number): readonly Endpoint[] {
    return this.#discoveries[backend]?.endpoints ?? [];
  }

  close(): void {
    for (const discovery of this.#discoveries) discovery.close();
  }
}

/** `host:port`, an IPv6 address in brackets. */
export function formatEndpoint({ host, port }: Endpoint): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
