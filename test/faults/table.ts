/** The table of `npm run faults`: a row a fault, with what it cost and what it may cost. */
import { appendFileSync } from 'node:fs';

/** Requests of all habits. */
export interface Counted {
  readonly sent: number;
  readonly answered: number;
  readonly failed: number;
  readonly seenTwice: number;
}

/** As printed by `run.mjs`, one JSON object a line. */
export interface Row extends Partial<Counted> {
  readonly fault: string;
  /** What was measured, in words; '' where the counts say all. */
  readonly figure: string;
  readonly limit: string;
}

/** Long form: as long, as many and as fast as in life. */
export const IS_LONG = process.env['CROSSFADE_FAULT_TABLE'] !== undefined;

export function addRow(row: Row): void {
  const { fault, sent, answered, failed, seenTwice, figure, limit } = row;
  const counts =
    sent === undefined ? '' : `sent ${sent}, answered ${answered}, failed ${failed}, seen twice ${seenTwice}; `;
  process.stdout.write(`${fault}: ${counts}${figure} (limit: ${limit})\n`);
  const file = process.env['CROSSFADE_FAULT_TABLE'];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(row)}\n`);
}

/** The value that this share of the values does not exceed, 0 for none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
