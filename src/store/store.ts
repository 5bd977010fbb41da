import type { Act, AuditEntry, Change, State } from '../domain/state.ts';
import type { Counters } from './counters.ts';

/** What became of a compare-and-set. */
export type CasResult =
  /** `warning`: why it may not survive a failover of the store, though it is acknowledged; absent: it does, or there is nobody to fail over to. */
  | { readonly kind: 'applied'; readonly entry: AuditEntry; readonly warning?: string | undefined }
  /** Some touched route had another revision than the writer expected; nothing was written. */
  | { readonly kind: 'stale'; readonly route: string; readonly expected: number; readonly actual: number }
  /** The store holds another epoch than the writer read; nothing was written. */
  | { readonly kind: 'foreignEpoch'; readonly epoch: string };

/** Whether the store answers, and what it said last when it does not. */
export type StoreHealth =
  | { readonly up: true }
  | { readonly up: false; readonly since: number; readonly reason: string };

/**
 * Where the fleet's state lives. Every implementation passes the same contract suite.
 * All methods but `close` reject with StoreUnavailable when the store does not answer; none leaves a change half done.
 */
export interface Store {
  /**
   * The current state; a store never used before initialises itself with a new epoch, revision 0 and no routes.
   * Rejects with StoreDiverged when that cannot be all: what is held does not follow from what was seen of it before.
   */
  load(): Promise<State>;
  /** As `load`, but takes whatever is held; from now on that is what others must follow from. Only a person may ask for it. */
  loadAnew(): Promise<State>;
  /**
   * Puts the state over whatever is held, under a new epoch that names the ones it ends, and a revision above all that were seen; routes
   * that the state does not have stay as they are. Only a person may ask for it. Durable when it resolves with the entry of the audit.
   */
  adopt(state: State, act: Act): Promise<AuditEntry>;
  /**
   * Compares the epoch and every touched route's revision, then writes all of the change, raises the global revision by one, stamps
   * the touched routes with it and appends to the audit; or does nothing. Durable when it resolves.
   */
  compareAndSet(change: Change): Promise<CasResult>;
  /**
   * Calls back with newer states (whoever wrote them), in order of revision, none twice: as soon as it is told of them, and at the latest
   * at the next `load`. Returns the unsubscribe function.
   */
  watch(onState: (state: State) => void): () => void;
  /** Newest first; at most `limit`, of one route if given, and older than revision `before` if given. */
  history(query: {
    readonly limit: number;
    readonly route?: string;
    readonly before?: number;
  }): Promise<readonly AuditEntry[]>;
  health(): StoreHealth;
  /** Milliseconds since 1970 by the store's clock, which all replicas share; as near as it is known, and never behind it. */
  now(): number;
  /** Where replicas tell each other how far they are; null in a store that only one can have open. */
  readonly fleet: Fleet | null;
  /** What all replicas count together, for the judge. */
  readonly counters: Counters;
  close(): Promise<void>;
}

/** What a replica says of itself. */
export interface ReplicaReport {
  readonly id: string;
  /** Of its admin port; null: it has none that others reach. */
  readonly address: string | null;
  /** Of the state that all its workers serve; empty and -1 when there is none. */
  readonly epoch: string;
  readonly revision: number;
}

export interface ReplicaSeen extends ReplicaReport {
  /** Milliseconds since it said so, by the store's clock. */
  readonly seenMs: number;
}

export interface Fleet {
  /** Says it, and returns what every living replica said last, this one included. One that says nothing for 5 s is not living. */
  report(report: ReplicaReport): Promise<readonly ReplicaSeen[]>;
  /** This replica is no longer one. */
  leave(id: string): Promise<void>;
  /** Calls back as soon as it is told of a report, or of a replica that leaves (null). Returns the unsubscribe function. */
  watch(onReport: (id: string, report: ReplicaReport | null) => void): () => void;
}

/** The store does not answer, or refuses. */
export class StoreUnavailable extends Error {
  override readonly name: string = 'StoreUnavailable';
}

/** The store answers, but what it holds does not follow from what was seen of it before: only a person can say what counts. */
export class StoreDiverged extends StoreUnavailable {
  override readonly name = 'StoreDiverged';
}

export type { Counters, RouteEvidence, Sighting } from './counters.ts';
export { BUCKET_MS } from './counters.ts';
export { MemoryCounters } from './memory-counters.ts';
