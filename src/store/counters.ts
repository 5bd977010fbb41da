/**
 * Counts that all replicas share, for the judge: a route's requests and faults fall into buckets of time, by the store's clock; each
 * bucket is closed once, with a result that whoever judges next builds on. Every implementation passes the same contract suite.
 */
import type { BucketResult } from '../domain/bucket-result.ts';

/** What rose since the last time, by name: whole numbers from 0. */
export type Deltas = Readonly<Record<string, number>>;

/** One response of a sticky route's key. */
export interface Sighting {
  /** What is counted once in a window. */
  readonly member: string;
  /** Names that it adds one to, behind the prefix of each family in whose window the member is new. */
  readonly cells: readonly string[];
}

/** Members of a window; beyond, none is new. */
export const MOST_MEMBERS = 262_144;

export interface Bucket {
  /** Of the store's clock: buckets since 1970. */
  readonly index: number;
  /** The span of one weight that the counts were drawn in. */
  readonly era: number;
  readonly counts: Deltas;
}

export interface RouteEvidence {
  /** Of the store's clock now. Buckets below it can be closed. */
  readonly open: number;
  /** The bucket that was closed last, with its result; null when none was. */
  readonly closed: { readonly index: number; readonly result: BucketResult } | null;
  /** What was counted since, in order of index, then era. */
  readonly buckets: readonly Bucket[];
}

/** All methods reject with StoreUnavailable when the store does not answer; then nothing was counted or closed, or all of it was. */
export interface Counters {
  /** Adds to the bucket that is open by the store's clock, however old the deltas are; returns what there is then. */
  addCounts(route: string, era: number, deltas: Deltas, sightings?: readonly Sighting[]): Promise<RouteEvidence>;
  readEvidence(route: string): Promise<RouteEvidence>;
  /**
   * Closes a bucket and all before it, unless it is open still or closed already: the first result stays, and is what everyone is given.
   * The counts of closed buckets are gone.
   */
  close(route: string, index: number, result: BucketResult): Promise<RouteEvidence>;
}

/** Length of a bucket. */
export const BUCKET_MS = 1_000;
/** Evidence of a route that nobody adds to is forgotten after this long: a test takes a day. */
export const EVIDENCE_MS = 25 * 3_600_000;
/** Most cells of a route that are kept apart; when nobody closes buckets, counts beyond stay in the newest that has any. */
export const MOST_CELLS = 4_096;
