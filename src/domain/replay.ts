/** Judges recorded counts of one route as they would have been judged live: the fault stream alone, at full alpha. */
import type { EraCounts } from './e-process.ts';
import { Evidence, type TestSettings } from './evidence.ts';
import { lead, verdictOf } from './verdict.ts';

export interface ReplaySettings extends Pick<TestSettings, 'alpha' | 'rho' | 'delta' | 'horizonBuckets'> {
  readonly bucketMs: number;
}

/** Counts up to where it fired, or to the end. */
export interface ReplayResult {
  readonly fired: boolean;
  /** Of the flush that it fired at, or the last. */
  readonly tMs: number;
  /** Of both sides, without those of weight 0. */
  readonly requests: number;
  readonly newRequests: number;
  readonly newFaults: number;
  readonly log10Evidence: number;
  readonly reason: string;
}

export class Replay {
  readonly #settings: ReplaySettings;
  readonly #evidence: Evidence;
  #bucket: number;
  #isTesting = false;
  /** Whether the open bucket has counts of weight 0, and of more. */
  #hasNone = false;
  #hasSome = false;
  #fired = false;
  #tMs = 0;
  #requests = 0;
  #newRequests = 0;
  #newFaults = 0;

  /** @param tMs time of the first flush */
  constructor(settings: ReplaySettings, tMs: number) {
    this.#settings = settings;
    this.#bucket = Math.floor(tMs / settings.bucketMs);
    this.#evidence = new Evidence({ ...settings, streams: 'fault', ceiling: null }, this.#bucket);
  }

  /** One flush. Once it has fired nothing is counted any more. @returns whether it has fired */
  add(tMs: number, counts: EraCounts): boolean {
    if (this.#fired) return true;
    this.#moveTo(Math.floor(tMs / this.#settings.bucketMs));
    this.#tMs = tMs;
    if (counts.weightPpm === 0) {
      this.#hasNone = true;
      this.#evidence.addFaults(counts);
      return false;
    }
    this.#hasSome = true;
    if (!this.#isTesting) this.#evidence.begin();
    this.#isTesting = true;
    this.#evidence.addFaults(counts);
    this.#requests += counts.oldOk + counts.oldFault + counts.newOk + counts.newFault;
    this.#newRequests += counts.newOk + counts.newFault;
    this.#newFaults += counts.newFault;
    this.#fired = lead(this.#evidence) >= 0;
    return this.#fired;
  }

  result(): ReplayResult {
    const { reason, log10 } = verdictOf(this.#evidence);
    return {
      fired: this.#fired,
      tMs: this.#tMs,
      requests: this.#requests,
      newRequests: this.#newRequests,
      newFaults: this.#newFaults,
      log10Evidence: Math.round(log10 * 10_000) / 10_000,
      reason,
    };
  }

  /** Replicas flush one after the other, so a test ends only with a bucket that has nothing above weight 0. */
  #moveTo(bucket: number): void {
    if (bucket <= this.#bucket) return;
    if (this.#hasNone && !this.#hasSome) this.#isTesting = false;
    this.#hasNone = this.#hasSome = false;
    this.#bucket = bucket;
    this.#evidence.advanceTo(bucket);
  }
}
