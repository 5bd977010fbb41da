import { diffEndpoints, patched } from '../domain/endpoints.ts';
import type { Endpoint } from '../domain/snapshot.ts';
import type { Discovery, DiscoveryHealth, DiscoveryWatcher } from './discovery.ts';

/** The last good endpoints and what is wrong at present: the part that all discoveries have in common. */
export class LiveSet implements Discovery {
  readonly #clock: () => number;
  readonly #onClose: () => void;
  #endpoints: readonly Endpoint[] = [];
  #health: DiscoveryHealth = { synced: false, alarm: null, confirmedAtMs: null };
  #watcher: DiscoveryWatcher | undefined;
  #isClosed = false;

  /** @param onClose called once, at `close` */
  constructor(clock: () => number, onClose: () => void) {
    this.#clock = clock;
    this.#onClose = onClose;
  }

  get endpoints(): readonly Endpoint[] {
    return this.#endpoints;
  }

  get health(): DiscoveryHealth {
    return this.#health;
  }

  /** The source says that these are the endpoints. */
  put(endpoints: readonly Endpoint[], alarm: string | null = null): void {
    if (this.#isClosed) return;
    const patch = diffEndpoints(this.#endpoints, endpoints);
    if (patch !== null) {
      this.#endpoints = patched(this.#endpoints, patch.removed, patch.added);
      this.#watcher?.onEndpoints(patch);
    }
    this.#tell({ synced: true, alarm, confirmedAtMs: this.#clock() });
  }

  /** The source says that nothing has changed. */
  confirm(): void {
    if (!this.#isClosed) this.#tell({ ...this.#health, confirmedAtMs: this.#clock() });
  }

  /** The source does not say, or not credibly; what was known stays. */
  fail(alarm: string): void {
    if (!this.#isClosed) this.#tell({ ...this.#health, alarm });
  }

  #tell(health: DiscoveryHealth): void {
    const before = this.#health;
    this.#health = health;
    if (before.synced !== health.synced || before.alarm !== health.alarm) this.#watcher?.onHealth(health);
  }

  watch(watcher: DiscoveryWatcher): void {
    this.#watcher = watcher;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#watcher = undefined;
    this.#onClose();
  }
}
