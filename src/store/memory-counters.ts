import { type Bucket, type Counters, type Deltas, EVIDENCE_MS, MOST_CELLS, type RouteEvidence } from './counters.ts';

interface Kept {
  last: number;
  touchedAt: number;
  closed: RouteEvidence['closed'];
  buckets: (Bucket & { counts: Record<string, number> })[];
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

  async addCounts(route: string, era: number, deltas: Deltas): Promise<RouteEvidence> {
    const kept = this.#kept(route);
    const cells = kept.buckets.reduce((sum, { counts }) => sum + Object.keys(counts).length, 0);
    const index = kept.buckets.length > 0 && cells >= MOST_CELLS ? kept.last : this.#open(kept);
    let bucket = kept.buckets.find((each) => each.index === index && each.era === era);
    if (bucket === undefined) {
      bucket = { index, era, counts: {} };
      kept.buckets.push(bucket);
      kept.buckets.sort((a, b) => a.index - b.index || a.era - b.era);
    }
    for (const [name, delta] of Object.entries(deltas)) bucket.counts[name] = (bucket.counts[name] ?? 0) + delta;
    kept.last = index;
    return this.#touched(route, kept);
  }

  async readEvidence(route: string): Promise<RouteEvidence> {
    return this.#evidence(this.#kept(route));
  }

  async close(route: string, index: number, result: string): Promise<RouteEvidence> {
    const kept = this.#kept(route);
    if (index <= (kept.closed?.index ?? -1) || index >= this.#open(kept)) return this.#evidence(kept);
    kept.buckets = kept.buckets.filter((bucket) => bucket.index > index);
    kept.closed = { index, result };
    return this.#touched(route, kept);
  }

  #kept(route: string): Kept {
    const kept = this.#routes.get(route);
    const fresh = kept !== undefined && this.#clock() - kept.touchedAt <= EVIDENCE_MS;
    return fresh ? kept : { last: -1, touchedAt: 0, closed: null, buckets: [] };
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
    const buckets = kept.buckets.map(({ counts, ...bucket }) => ({ ...bucket, counts: { ...counts } }));
    return { open: this.#open(kept), closed: kept.closed, buckets };
  }
}
