/** A replica and its fleet as the control plane shows them. */
import type { AppliedView } from './route-view.ts';

export interface ReplicaView {
  id: string;
  /** `host:port` of its admin API; null when it has told none. */
  address: string | null;
  /** That all its workers serve; -1: none, or of another epoch than this replica's. */
  revision: number;
  /** Whether that is the newest that this replica knows of. */
  applied: boolean;
  /** Milliseconds since it said so, by the store's clock. */
  seenMs: number;
}

/** Where a backend's endpoints come from, and how well. */
export interface BackendView {
  name: string;
  /** static, dns, helios or kubernetes. */
  discovery: string;
  endpoints: number;
  /** Milliseconds since the source last confirmed them; null: it never has. */
  ageMs: number | null;
  /** What is wrong with the source, in one sentence; the last good endpoints are in use meanwhile. */
  alarm: string | null;
}

export interface StatusView {
  version: string;
  fleet: string;
  epoch: string;
  revision: number;
  /** Milliseconds since the state was last confirmed by the store. */
  stateAgeMs: number;
  /** `disputed`: it answers, but what does not follow from what is served; it is not up before somebody adopts. */
  store: { kind: string; up: boolean; disputed: boolean; reason: string | null };
  ready: boolean;
  /** Why not ready, or null. */
  notReady: string | null;
  workers: { pid: number; revision: number; ready: boolean }[];
  applied: AppliedView;
  /** The living replicas of the fleet, this one first. */
  replicas: ReplicaView[];
  /** In the configuration's order. */
  backends: BackendView[];
  /**
   * Null, or a line each: the store holds what does not follow from what is served, which `adopt` ends; the last state is not on disk;
   * the last reload of the configuration was refused; a backend's source does not answer, or not credibly.
   */
  alarm: string | null;
  routes: number;
}
