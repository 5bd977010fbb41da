/** What closed buckets left of a judgement: how it is written down for all replicas, and read again by each. */
import { type BucketResult, OwnResult } from './bucket-result.ts';
import { LATENCY_BINS } from './latency-sketch.ts';
import { rounded, roundedTrial } from './rounded.ts';
import type { SavedTrial, Trial } from './trial.ts';

export interface SavedJudgement {
  readonly format: 3;
  /** -1: none has begun. */
  readonly testSince: number;
  readonly trial: SavedTrial;
  /** Counts by bin, in turn. */
  readonly latencies: readonly number[];
  /** Bucket of its last vote, by replica. */
  readonly votes: Readonly<Record<string, number>>;
  /** The new side's responses, by the weight that they were drawn with. */
  readonly steps: Readonly<Record<string, number>>;
}

/** What of a judgement goes on from bucket to bucket. */
interface Lasting {
  readonly testSince: number;
  readonly trial: Trial;
  readonly latencies: Float64Array;
  readonly votes: ReadonlyMap<string, number>;
  readonly steps: ReadonlyMap<string, number>;
}

/** Less than this of a bin is forgotten. */
const LEAST_COUNT = 0.01;

export function savedJudgement({ testSince, trial, latencies, votes, steps }: Lasting): SavedJudgement {
  return {
    format: 3,
    testSince,
    trial: roundedTrial(trial.save()),
    latencies: savedLatencies(latencies),
    votes: Object.fromEntries(votes),
    steps: Object.fromEntries(steps),
  };
}

function savedLatencies(latencies: Float64Array): number[] {
  const saved: number[] = [];
  for (let bin = 0; bin < LATENCY_BINS; bin++) {
    const count = latencies[bin] as number;
    if (count >= LEAST_COUNT) saved.push(bin, rounded(count));
  }
  return saved;
}

/** In place of what was there. */
export function restoreLatencies(latencies: Float64Array, saved: readonly number[]): void {
  latencies.fill(0);
  for (let i = 0; i < saved.length; i += 2) latencies[saved[i] as number] = saved[i + 1] as number;
}

/** In place of what was there. */
export function restoreCounts(counts: Map<string, number>, saved: Readonly<Record<string, number>>): void {
  counts.clear();
  for (const name of Object.keys(saved)) counts.set(name, saved[name] as number);
}

/** The results of one route as one replica reads and writes them: each is read from its text once, and its own never. */
export class Results {
  #index = -1;
  #last: SavedJudgement | null = null;
  /** What was written here last. */
  #own: OwnResult<SavedJudgement> | null = null;

  /** Whether that of this bucket was read last. */
  isKnown(index: number): boolean {
    return index === this.#index;
  }

  /** Null: of another version of Crossfade, whose evidence is begun anew. */
  read(index: number, result: BucketResult): SavedJudgement | null {
    if (index !== this.#index || this.#last === null) {
      this.#last = this.#valueOf(result);
      this.#own = null;
      this.#index = index;
    }
    return this.#last;
  }

  #valueOf(result: BucketResult): SavedJudgement | null {
    const own = this.#own;
    if (own !== null && (result === own || result.toString() === own.toString())) return own.value;
    return parse(result.toString());
  }

  write(saved: SavedJudgement): BucketResult {
    this.#own = new OwnResult(saved);
    return this.#own;
  }
}

function parse(result: string): SavedJudgement | null {
  try {
    const saved = JSON.parse(result) as SavedJudgement;
    return saved.format === 3 ? saved : null;
  } catch {
    return null;
  }
}
