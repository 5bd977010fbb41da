/** The latch: a route that was rolled back twice within a day is raised from 0 again only by force. */

/** A rollback that took a weight away. */
export interface RollbackMark {
  /** Milliseconds since 1970, by the store's clock. */
  readonly at: number;
  /** Not by a person. */
  readonly automatic: boolean;
}

const DAY_MS = 86_400_000;
const LATCHING = 2;

/** Rollbacks that are remembered: as many as latch. */
export function withRollback(marks: readonly RollbackMark[] = [], mark: RollbackMark): RollbackMark[] {
  return [...marks, mark].slice(-LATCHING);
}

/**
 * What a latched route refuses without force: after two rollbacks of any kind to resume or ramp; after two automatic ones to be raised at
 * all. A person who rolls back and then sets a weight knows what they do; one who overrules the judge twice a day is asked once more.
 */
export function latched(marks: readonly RollbackMark[] = [], now: number): 'resuming' | 'raising' | null {
  if (marks.length < LATCHING || marks.some(({ at }) => now - at >= DAY_MS)) return null;
  return marks.every(({ automatic }) => automatic) ? 'raising' : 'resuming';
}
