import type { EndpointsPatch } from '../domain/endpoints.ts';
import type { Endpoint } from '../domain/snapshot.ts';

/** A backend's live endpoints, from wherever they are known. A source that does not answer never empties them: the last good ones stay. */
export interface Discovery {
  /** As last seen; empty until the source has answered. What stays keeps its order, what is new comes last. */
  readonly endpoints: readonly Endpoint[];
  readonly health: DiscoveryHealth;
  /** Tells of each change from now on, never before `watch` has returned. At most one watcher; a second takes the first one's place. */
  watch(watcher: DiscoveryWatcher): void;
  /** Ends all watching; nothing is called back afterwards. */
  close(): void;
}

export interface DiscoveryHealth {
  /** Whether the source has answered since the discovery was opened. */
  readonly synced: boolean;
  /** What is wrong, in one sentence; null: nothing. */
  readonly alarm: string | null;
  /** When the source last confirmed the endpoints, by the clock that the discovery was given; null: never yet. */
  readonly confirmedAtMs: number | null;
}

export interface DiscoveryWatcher {
  /** What has become of the endpoints that were there before. */
  onEndpoints(patch: EndpointsPatch): void;
  /** It is synced, or the alarm is another. */
  onHealth(health: DiscoveryHealth): void;
}

/** What every discovery is given. */
export interface DiscoveryTools {
  /** Milliseconds, only ever compared with each other. */
  readonly clock: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly env: Readonly<Record<string, string | undefined>>;
}
