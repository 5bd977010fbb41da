import type { AuditEntry, Change, State } from '../domain/state.ts';

/** What became of a compare-and-set. */
export type CasResult =
  | { readonly kind: 'applied'; readonly entry: AuditEntry }
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
  /** The current state; a store never used before initialises itself with a new epoch, revision 0 and no routes. */
  load(): Promise<State>;
  /**
   * Compares the epoch and every touched route's revision, then writes all of the change, raises the global revision by one, stamps
   * the touched routes with it and appends to the audit; or does nothing. Durable when it resolves.
   */
  compareAndSet(change: Change): Promise<CasResult>;
  /** Calls back with each newer state (whoever wrote it), in order of revision, none twice. Returns the unsubscribe function. */
  watch(onState: (state: State) => void): () => void;
  /** Newest first; at most `limit`, of one route if given, and older than revision `before` if given. */
  history(query: {
    readonly limit: number;
    readonly route?: string;
    readonly before?: number;
  }): Promise<readonly AuditEntry[]>;
  health(): StoreHealth;
  close(): Promise<void>;
}

export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}
