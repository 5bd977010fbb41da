/** What a worker has counted under one table and not sent yet. Only additions to typed arrays on the path of a request. */
import { cellCount, ROUTE_CELLS } from '../domain/counts.ts';
import type { RouteSpec } from '../domain/route.ts';
import { Tallies } from './tallies.ts';

export interface SparseCounts {
  readonly cells: Uint32Array;
  readonly values: Float64Array;
}

export class Counts {
  readonly generation: number;
  /** The row of requests that reached no route. */
  readonly unroutedRow: number;
  /** Requests under way that will still add to these counts. */
  inflight = 0;
  /** What the judge wants to know, which is more than sums. */
  readonly tallies: Tallies;
  readonly #cells: Float64Array;
  readonly #isDirty: Uint8Array;
  readonly #dirty: Int32Array;
  #dirtyCount = 0;

  /** @param onUrgent what was tallied for the judge should be sent without waiting for the beat */
  constructor(generation: number, specs: readonly Pick<RouteSpec, 'sticky'>[], onUrgent: () => void = () => {}) {
    const routes = specs.length;
    this.generation = generation;
    this.unroutedRow = routes;
    this.tallies = new Tallies(specs, onUrgent);
    this.#cells = new Float64Array(cellCount(routes));
    this.#isDirty = new Uint8Array(routes + 1);
    this.#dirty = new Int32Array(routes + 1);
  }

  get isDirty(): boolean {
    return this.#dirtyCount > 0;
  }

  add(row: number, cell: number, value: number): void {
    this.#cells[cell] = (this.#cells[cell] as number) + value;
    if (this.#isDirty[row] === 0) {
      this.#isDirty[row] = 1;
      this.#dirty[this.#dirtyCount++] = row;
    }
  }

  /** Takes out what has been added since the last call. */
  take(): SparseCounts {
    const indexes: number[] = [];
    const values: number[] = [];
    for (let i = 0; i < this.#dirtyCount; i++) {
      const row = this.#dirty[i] as number;
      this.#isDirty[row] = 0;
      const end = (row + 1) * ROUTE_CELLS;
      for (let cell = row * ROUTE_CELLS; cell < end; cell++) {
        const value = this.#cells[cell] as number;
        if (value === 0) continue;
        indexes.push(cell);
        values.push(value);
        this.#cells[cell] = 0;
      }
    }
    this.#dirtyCount = 0;
    return { cells: Uint32Array.from(indexes), values: Float64Array.from(values) };
  }
}
