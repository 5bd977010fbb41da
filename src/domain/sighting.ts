/**
 * One response of a sticky route's key, to be counted if it is the key's first in a window. A code says what it proved; the shared
 * counters are told the cells that it adds to.
 */
import { OUTCOME_CANCELLED, OUTCOME_CLIENT_ERROR, OUTCOME_FAULT, type OutcomeIndex } from './outcome.ts';
import { SIDES, type SideIndex } from './route.ts';
import { AT_LATE_SLOW, AT_SLOW, SLOW_KINDS, TALLY_KINDS } from './tally.ts';

/** As a key's hash: the request had no key, and counts for itself. */
export const NO_KEY = -1;

const SIDE_BIT = 1;
const OUTCOME_SHIFT = 1;
const SLOW_SHIFT = 3;
const TIMED_BIT = 1 << 6;
/** It was counted before, when it was overdue; this is what it proved in the end. */
export const LATE_BIT = 1 << 7;

const LATE_KINDS: ReadonlyMap<number, string> = new Map([
  [OUTCOME_FAULT, 'lateFault'],
  [OUTCOME_CLIENT_ERROR, 'lateClientError'],
]);

/** @param slow bits in the order of SLOW_KINDS */
export function sightingCode(side: SideIndex, outcome: OutcomeIndex, slow: number, isTimed: boolean): number {
  return side | (outcome << OUTCOME_SHIFT) | (slow << SLOW_SHIFT) | (isTimed ? TIMED_BIT : 0);
}

/** Names of the cells, as in TALLY_NAMES, that a sighting adds one to. */
export function sightingCells(code: number): string[] {
  const side = SIDES[code & SIDE_BIT] as string;
  const outcome = (code >> OUTCOME_SHIFT) & 3;
  const isLate = (code & LATE_BIT) !== 0;
  const proved = isLate ? LATE_KINDS.get(outcome) : TALLY_KINDS[outcome];
  const cells = outcome === OUTCOME_CANCELLED ? [] : [`${side}.${proved}`];
  if ((code & TIMED_BIT) !== 0) cells.push(`${side}.timed`);
  const firstSlow = isLate ? AT_LATE_SLOW : AT_SLOW;
  for (let i = 0; i < SLOW_KINDS.length; i++) {
    if ((code & (1 << (SLOW_SHIFT + i))) !== 0) cells.push(`${side}.${TALLY_KINDS[firstSlow + i]}`);
  }
  return cells;
}
