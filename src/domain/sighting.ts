/**
 * One response of a sticky route's key, to be counted if it is the key's first in a window. A code says what it proved; the shared
 * counters are told the cells that it adds to.
 */
import { OUTCOME_CANCELLED, type OutcomeIndex } from './outcome.ts';
import { SIDES, type SideIndex } from './route.ts';
import { SLOW_KINDS, TALLY_KINDS } from './tally.ts';

/** As a key's hash: the request had no key, and counts for itself. */
export const NO_KEY = -1;

const SIDE_BIT = 1;
const OUTCOME_SHIFT = 1;
const SLOW_SHIFT = 3;
const TIMED_BIT = 1 << 6;
/** It was counted before, when it was overdue; this is what it proved in the end. */
export const LATE_BIT = 1 << 7;

/** @param slow bits in the order of SLOW_KINDS */
export function sightingCode(side: SideIndex, outcome: OutcomeIndex, slow: number, isTimed: boolean): number {
  return side | (outcome << OUTCOME_SHIFT) | (slow << SLOW_SHIFT) | (isTimed ? TIMED_BIT : 0);
}

/** Names of the cells, as in TALLY_NAMES, that a sighting adds one to. */
export function sightingCells(code: number): string[] {
  const side = SIDES[code & SIDE_BIT] as string;
  const outcome = (code >> OUTCOME_SHIFT) & 3;
  const cells = outcome === OUTCOME_CANCELLED ? [] : [`${side}.${TALLY_KINDS[outcome]}`];
  if ((code & TIMED_BIT) !== 0) cells.push(`${side}.timed`);
  for (const [i, kind] of SLOW_KINDS.entries()) {
    if ((code & (1 << (SLOW_SHIFT + i))) !== 0) cells.push(`${side}.${kind}`);
  }
  return cells;
}
