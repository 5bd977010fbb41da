/** Counts what the proxy turned away by a limit or a rule of its own. */
import { AT_REJECTIONS, ROUTE_CELLS } from '../domain/counts.ts';
import { REJECTIONS } from '../domain/errors.ts';
import type { Counts } from './counts.ts';

const INDEX: ReadonlyMap<string, number> = new Map(REJECTIONS.map((reason, index) => [reason, index]));

/** @param reason an error code or `idle`; one that is no rejection is not counted */
export function countRejection(counts: Counts, reason: string): void {
  const index = INDEX.get(reason);
  const row = counts.unroutedRow;
  if (index !== undefined) counts.add(row, row * ROUTE_CELLS + AT_REJECTIONS + index, 1);
}
