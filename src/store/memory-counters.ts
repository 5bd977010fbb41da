import type { BucketResult } from '../domain/bucket-result.ts';
import { FAMILIES } from '../domain/sticky-evidence.ts';
import {
  type Bucket,
  type Counters,
  type Deltas,
  EVIDENCE_MS,
  MOST_CELLS,
  MOST_MEMBERS,
  type RouteEvidence,
  type Sighting,
} from './counters.ts';

type Counts = Record<string, number>;

interface Kept {
  last: number;
  touchedAt: number;
  closed: RouteEvidence['closed'];
  /** Never changed: whoever was given them may keep them. */
  buckets: readonly Bucket[];
  /** Cells of all buckets. */
  cells: number;
  /** By family: the open window, and what was seen in it. */
  readonly seen: readonly { window: number; readonly members: Set<string> }[];
}

/** Of a fleet of one, whose state is in a file: a supervisor that is restarted begins its tests anew. */
export class MemoryCounters implements Counters {
  readonly #bucketMs: number;
  readonly #clock: () => number;
  readonly #routes = new Map<string, Kept>();

  /** @param clock milliseconds since 1970 */
  constructor(bucketMs: number, clock: () => number) {
    this.#bucketMs = bucketMs;
    this.#clock = clock;
  }

  async addCounts(
    route: string,
    era: number,
    deltas: Deltas,
    sightings: readonly Sighting[] = [],
  ): Promise<RouteEvidence> {
    const kept = this.#kept(route);
    const index = kept.buckets.length > 0 && kept.cells >= MOST_CELLS ? kept.last : this.#open(kept);
    const before = kept.buckets.find((each) => each.index === index && each.era === era);
    const counts: Counts = { ...before?.counts };
    for (const name of Object.keys(deltas)) add(counts, name, deltas[name] as number);
    if (sightings.length > 0) this.#see(kept, index, counts, sightings);
    const bucket = { index, era, counts };
    if (before === undefined) kept.buckets = inOrder([...kept.buckets, bucket]);
    else kept.buckets = kept.buckets.map((each) => (each === before ? bucket : each));
    kept.cells += Object.keys(counts).length - (before === undefined ? 0 : Object.keys(before.counts).length);
    kept.last = index;
    return this.#touched(route, kept);
  }

  #see({ seen }: Kept, index: number, counts: Counts, sightings: readonly Sighting[]): void {
    for (const [i, { buckets, prefix }] of FAMILIES.entries()) {
      const family = seen[i] as Kept['seen'][number];
      const window = Math.floor(index / buckets);
      if (window !== family.window) family.members.clear();
      family.window = window;
      for (const { member, cells } of sightings) {
        if (family.members.size >= MOST_MEMBERS || family.members.has(member)) continue;
        family.members.add(member);
        for (const name of cells) add(counts, prefix + name, 1);
      }
    }
  }

  async readEvidence(route: string): Promise<RouteEvidence> {
    return this.#evidence(this.#kept(route));
  }

  async close(route: string, index: number, result: BucketResult): Promise<RouteEvidence> {
    const kept = this.#kept(route);
    if (index <= (kept.closed?.index ?? -1) || index >= this.#open(kept)) return this.#evidence(kept);
    kept.buckets = kept.buckets.filter((bucket) => bucket.index > index);
    kept.cells = kept.buckets.reduce((sum, { counts }) => sum + Object.keys(counts).length, 0);
    kept.closed = { index, result };
    return this.#touched(route, kept);
  }

  #kept(route: string): Kept {
    const kept = this.#routes.get(route);
    const fresh = kept !== undefined && this.#clock() - kept.touchedAt <= EVIDENCE_MS;
    if (fresh) return kept;
    const seen = FAMILIES.map(() => ({ window: -1, members: new Set<string>() }));
    return { last: -1, touchedAt: 0, closed: null, buckets: [], cells: 0, seen };
  }

  #touched(route: string, kept: Kept): RouteEvidence {
    kept.touchedAt = this.#clock();
    this.#routes.set(route, kept);
    return this.#evidence(kept);
  }

  /** A clock that was set back opens no bucket again. */
  #open({ closed, last }: Kept): number {
    return Math.max(Math.floor(this.#clock() / this.#bucketMs), (closed?.index ?? -1) + 1, last);
  }

  #evidence(kept: Kept): RouteEvidence {
    return { open: this.#open(kept), closed: kept.closed, buckets: kept.buckets };
  }
}

function inOrder(buckets: Bucket[]): readonly Bucket[] {
  return buckets.length > 1 ? buckets.sort((a, b) => a.index - b.index || a.era - b.era) : buckets;
}

function add(counts: Counts, name: string, value: number): void {
  counts[name] = (counts[name] ?? 0) + value;
}
