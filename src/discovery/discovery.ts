import type { Endpoint } from '../domain/snapshot.ts';

/** A backend's live endpoints, from wherever they are known. */
export interface Discovery {
  /** As last seen; empty until the source has answered. */
  readonly endpoints: readonly Endpoint[];
  /** Calls back after each change of `endpoints`, never before `watch` has returned. At most one watcher. */
  watch(onChange: (endpoints: readonly Endpoint[]) => void): void;
  /** Ends all watching; nothing is called back afterwards. */
  close(): void;
}
