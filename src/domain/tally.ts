/**
 * What a worker tallies of a route for the judge: in each era a block of cells for either side. Every judged request is one response in
 * `ok`, `fault` or `clientError`; if bounds for slowness were known it is also one in `timed`, and one in each `slow` whose bound it passed.
 * One that was overdue has been counted in `ok` and `timed`; what it proves in the end is one of the `late` kinds, each of which speaks in the
 * stream that looks for it and in no other: to the others it has been ok already, and twice ok would be one response more than was drawn.
 */
import type { SlowKind } from './evidence.ts';
import { SIDES } from './route.ts';

export const TALLY_KINDS = [
  'ok',
  'fault',
  'clientError',
  'timed',
  'slow50',
  'slow90',
  'slow99',
  'lateFault',
  'lateClientError',
  'lateSlow50',
  'lateSlow90',
  'lateSlow99',
] as const;
export const TALLY_SIDE_CELLS = TALLY_KINDS.length;
export const TALLY_CELLS = 2 * TALLY_SIDE_CELLS;

// Offsets within a side's block; the first three are outcomes, by their index.
export const AT_TIMED = 3;
export const AT_SLOW = 4;
export const AT_LATE_FAULT = 7;
export const AT_LATE_CLIENT_ERROR = 8;
export const AT_LATE_SLOW = 9;
/** In the order of their cells and of their bits. */
export const SLOW_KINDS: readonly SlowKind[] = ['slow50', 'slow90', 'slow99'];

/** By cell of a block, as the shared counters call it: `new.fault`. */
export const TALLY_NAMES: readonly string[] = SIDES.flatMap((side) => TALLY_KINDS.map((kind) => `${side}.${kind}`));

// What workers send, as numbers one behind the other.
/** Route, era, block of cells. */
export const TALLY_ROW = 2 + TALLY_CELLS;
/** Route, bin, count, of the old side's latencies. */
export const LATENCY_ROW = 3;
/** Route, era, hash of the key or NO_KEY, code (sighting.ts). */
export const SIGHTING_ROW = 4;
