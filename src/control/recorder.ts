/**
 * Sums what workers count: the upward half of the seam. One row a route name, for as long as the supervisor lives, so that totals survive
 * a new table and late messages of an older one find their place. Gauges (requests under way) are also kept by worker, to be
 * taken off when it dies.
 */
import {
  AT_ATTEMPTS,
  AT_GRPC,
  AT_INFLIGHT,
  AT_REQUESTS,
  cellCount,
  cellsOf,
  ROUTE_CELLS,
  SIDE_CELLS,
} from '../domain/counts.ts';
import { OUTCOME_FAULT } from '../domain/outcome.ts';
import type { SideIndex } from '../domain/route.ts';
import type { CountsMessage } from '../seam.ts';

export interface SideCounts {
  /** Answered requests. */
  readonly requests: number;
  /** Attempts that proved a fault of the side. */
  readonly faults: number;
}

export class Recorder {
  #totals = new Float64Array(0);
  /** Row by route name; null stands for requests that reached no route. */
  readonly #rows = new Map<string | null, number>();
  /** By generation: the row of each of its route indexes, the last for requests without a route. */
  readonly #rowsOf = new Map<number, Int32Array>();
  #newest = new Int32Array(0);
  /** By worker: what it holds of each gauge, by cell. */
  readonly #gauges = new Map<number, Map<number, number>>();

  /** Announces a table before its first counts. From now on `totals` follows this order. */
  table(generation: number, names: readonly string[]): void {
    const rows = Int32Array.from([...names, null], (name) => this.#rowOf(name));
    const same = rows.length === this.#newest.length && rows.every((row, i) => row === this.#newest[i]);
    if (!same) this.#newest = rows;
    this.#rowsOf.set(generation, this.#newest);
    const grown = new Float64Array(this.#rows.size * ROUTE_CELLS);
    grown.set(this.#totals);
    this.#totals = grown;
  }

  #rowOf(name: string | null): number {
    const row = this.#rows.get(name) ?? this.#rows.size;
    this.#rows.set(name, row);
    return row;
  }

  /** Adds a worker's message; one of a generation that was never announced is dropped. */
  add(worker: number, message: CountsMessage): void {
    const rows = this.#rowsOf.get(message.generation);
    if (rows === undefined) return;
    for (const [i, cell] of message.cells.entries()) {
      const row = rows[Math.floor(cell / ROUTE_CELLS)];
      if (row === undefined) continue;
      const value = message.values[i] as number;
      const own = row * ROUTE_CELLS + (cell % ROUTE_CELLS);
      this.#add(own, value);
      if (own % SIDE_CELLS === AT_INFLIGHT) this.#hold(worker, own, value);
    }
  }

  #add(cell: number, value: number): void {
    this.#totals[cell] = (this.#totals[cell] as number) + value;
  }

  #hold(worker: number, cell: number, value: number): void {
    const gauges = this.#gauges.get(worker) ?? new Map<number, number>();
    gauges.set(cell, (gauges.get(cell) ?? 0) + value);
    this.#gauges.set(worker, gauges);
  }

  /** The worker is gone, and so are the requests it had under way. */
  forget(worker: number): void {
    for (const [cell, value] of this.#gauges.get(worker) ?? []) this.#add(cell, -value);
    this.#gauges.delete(worker);
  }

  /** Sums since the start, in the newest table's order (layout in domain/counts.ts). To be read at once, not kept. */
  totals(): Float64Array {
    const length = cellCount(this.#newest.length - 1);
    if (this.#newest.every((row, i) => row === i)) return this.#totals.subarray(0, length);
    const ordered = new Float64Array(length);
    for (const [i, row] of this.#newest.entries()) {
      ordered.set(this.#totals.subarray(row * ROUTE_CELLS, (row + 1) * ROUTE_CELLS), i * ROUTE_CELLS);
    }
    return ordered;
  }

  /** A route's sums for people; zeros for a name never heard of. */
  side(name: string, side: SideIndex): SideCounts {
    const row = this.#rows.get(name);
    if (row === undefined) return { requests: 0, faults: 0 };
    const at = cellsOf(row, side);
    let requests = 0;
    for (let cell = at + AT_REQUESTS; cell < at + AT_GRPC; cell++) requests += this.#totals[cell] as number;
    return { requests, faults: this.#totals[at + AT_ATTEMPTS + OUTCOME_FAULT] as number };
  }
}
