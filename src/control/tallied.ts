/** What workers have tallied of one route and the shared counters have not been told yet. */
import { latencyName, voteName } from '../domain/judgement.ts';
import { LATE_BIT, NO_KEY, sightingCells } from '../domain/sighting.ts';
import { FAMILIES } from '../domain/sticky-evidence.ts';
import { TALLY_CELLS, TALLY_NAMES } from '../domain/tally.ts';
import type { Sighting } from '../store/store.ts';

/** Of one era, as the counters are told it. */
export interface Batch {
  readonly era: number;
  readonly deltas: Record<string, number>;
  readonly sightings: Sighting[];
}

/** Sightings beyond are left out until the counters have taken those that wait. */
const MOST_SIGHTINGS = 20_000;

export class Tallied {
  #batches = new Map<number, Batch>();
  #latencies = new Map<number, number>();
  #sightings = 0;

  get isEmpty(): boolean {
    return this.#batches.size === 0;
  }

  /** @param cells block of an era that begins at `at` */
  addCells(era: number, cells: Float64Array, at: number): void {
    const { deltas } = this.#batch(era);
    for (let i = 0; i < TALLY_CELLS; i++) add(deltas, TALLY_NAMES[i] as string, cells[at + i] as number);
  }

  addLatency(bin: number, count: number): void {
    this.#latencies.set(bin, (this.#latencies.get(bin) ?? 0) + count);
  }

  /** A key is counted by what it is; whoever has none counts for itself. */
  addSighting(era: number, hash: number, code: number): void {
    const { deltas, sightings } = this.#batch(era);
    const cells = sightingCells(code);
    if (hash === NO_KEY) {
      for (const { prefix } of FAMILIES) for (const name of cells) add(deltas, prefix + name, 1);
    } else if (this.#sightings < MOST_SIGHTINGS) {
      this.#sightings += 1;
      sightings.push({ member: (code & LATE_BIT) === 0 ? String(hash) : `${hash} late`, cells });
    }
  }

  addVote(era: number, replica: string): void {
    add(this.#batch(era).deltas, voteName(replica), 1);
  }

  /** All of it, in order of era. */
  take(): Batch[] {
    if (this.isEmpty) return [];
    const batches = [...this.#batches.values()];
    if (batches.length > 1) batches.sort((a, b) => a.era - b.era);
    for (const [bin, count] of this.#latencies) add((batches.at(-1) as Batch).deltas, latencyName(bin), count);
    this.#latencies = new Map();
    this.#batches = new Map();
    this.#sightings = 0;
    return batches;
  }

  #batch(era: number): Batch {
    const known = this.#batches.get(era);
    if (known !== undefined) return known;
    const batch = { era, deltas: {}, sightings: [] };
    this.#batches.set(era, batch);
    return batch;
  }
}

function add(deltas: Record<string, number>, name: string, value: number): void {
  if (value > 0) deltas[name] = (deltas[name] ?? 0) + value;
}
