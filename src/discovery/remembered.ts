/** A source that was away when the replica started: until it answers, what it said last before that is used, with an alarm that says so. */
import { diffEndpoints, patched } from '../domain/endpoints.ts';
import type { Endpoint } from '../domain/snapshot.ts';
import type { Discovery, DiscoveryHealth, DiscoveryWatcher } from './discovery.ts';

export interface RecalledEndpoints {
  readonly endpoints: readonly Endpoint[];
  /** When they were last known to be right, in milliseconds since 1970. */
  readonly at: number;
}

/** The last good endpoints of each source, over restarts. */
export interface EndpointMemory {
  recall(source: string): RecalledEndpoints | undefined;
  keep(source: string, endpoints: readonly Endpoint[]): void;
}

/** A source that does not even refuse is waited for so long. */
const PATIENCE_MS = 2_000;

export interface RememberedOptions {
  /** What the source is kept under. */
  readonly source: string;
  readonly memory: EndpointMemory;
  /** As the discovery's own. */
  readonly clock: () => number;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
}

export class Remembered implements Discovery {
  readonly #inner: Discovery;
  readonly #options: RememberedOptions;
  readonly #patience: NodeJS.Timeout;
  /** In use although the source has not answered. */
  #recalled: RecalledEndpoints | undefined;
  #endpoints: readonly Endpoint[] = [];
  #watcher: DiscoveryWatcher | undefined;

  constructor(inner: Discovery, options: RememberedOptions) {
    this.#inner = inner;
    this.#options = options;
    this.#patience = setTimeout(() => this.#recall(), PATIENCE_MS);
    this.#patience.unref();
    inner.watch({ onEndpoints: () => this.#follow(), onHealth: (health) => this.#onHealth(health) });
  }

  get endpoints(): readonly Endpoint[] {
    return this.#endpoints;
  }

  get health(): DiscoveryHealth {
    const { health } = this.#inner;
    const recalled = this.#recalled;
    if (health.synced || recalled === undefined) return health;
    const { clock, wall } = this.#options;
    const since = new Date(recalled.at).toISOString().replace('T', ' ').slice(0, 19);
    const alarm = `${health.alarm ?? 'its source has not answered yet'}; in use are the endpoints of before the start, of ${since}Z`;
    return { synced: true, alarm, confirmedAtMs: clock() - (wall() - recalled.at) };
  }

  #onHealth(health: DiscoveryHealth): void {
    if (health.synced) this.#follow();
    else if (health.alarm !== null && this.#recalled === undefined) return this.#recall();
    this.#watcher?.onHealth(this.health);
  }

  /** What the source says is what counts from now on. */
  #follow(): void {
    if (!this.#inner.health.synced && this.#inner.endpoints.length === 0) return;
    clearTimeout(this.#patience);
    this.#recalled = undefined;
    const { source, memory } = this.#options;
    if (this.#inner.health.synced) memory.keep(source, this.#inner.endpoints);
    this.#show(this.#inner.endpoints);
  }

  #recall(): void {
    clearTimeout(this.#patience);
    const { source, memory } = this.#options;
    const recalled = this.#inner.health.synced ? undefined : memory.recall(source);
    if (recalled !== undefined && recalled.endpoints.length > 0) {
      this.#recalled = recalled;
      this.#show(recalled.endpoints);
    }
    this.#watcher?.onHealth(this.health);
  }

  #show(endpoints: readonly Endpoint[]): void {
    const patch = diffEndpoints(this.#endpoints, endpoints);
    if (patch === null) return;
    this.#endpoints = patched(this.#endpoints, patch.removed, patch.added);
    this.#watcher?.onEndpoints(patch);
  }

  watch(watcher: DiscoveryWatcher): void {
    this.#watcher = watcher;
  }

  close(): void {
    clearTimeout(this.#patience);
    this.#watcher = undefined;
    this.#inner.close();
  }
}
