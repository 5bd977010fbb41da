/** The traffic of a route's sides: now, over time, and as it would be. */

/**
 * What a route has done in the last ten seconds: of the old side, then of the new one, requests, faults, p50 and p99 in milliseconds (null
 * without requests), requests under way.
 */
export type StatsRow = [
  oldRequests: number,
  oldFaults: number,
  oldP50: number | null,
  oldP99: number | null,
  oldInflight: number,
  newRequests: number,
  newFaults: number,
  newP50: number | null,
  newP99: number | null,
  newInflight: number,
];

/** A side over time, one value a slot. */
export interface SideSeries {
  requests: number[];
  faults: number[];
  /** Milliseconds, estimated from the duration buckets; null without requests. */
  p50: (number | null)[];
  p99: (number | null)[];
}

export interface SeriesView {
  route: string;
  /** The last five minutes by the second, the last hour by ten seconds. */
  rings: {
    /** That a slot spans. */
    seconds: number;
    /** When each slot ended, in milliseconds since 1970, oldest first. */
    at: number[];
    /** Percent. */
    weight: number[];
    old: SideSeries;
    new: SideSeries;
  }[];
}

/** What a change of weight would move. */
export interface PreviewView {
  /** Percent. */
  weight: { now: number; after: number };
  requestsPerSecond: { old: { now: number; after: number }; new: { now: number; after: number } };
  /** How many of the users would change sides, and what tells them apart; null: the route is not sticky. */
  users: { percent: number; by: string[] } | null;
  /** Of the new side. `connections`: most that all workers may open to its endpoints; 0: no limit. */
  headroom: { endpoints: number; connections: number; inflight: { now: number; after: number } };
}
