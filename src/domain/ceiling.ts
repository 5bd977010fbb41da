/**
 * The absolute ceiling: evidence that one side by itself fails more often than is ever acceptable, whatever the other does. It also
 * holds where there is nothing to compare with: an old side without data, and weight 100. Built like the comparison, of fewer wagers.
 */
import { Mixture } from './mixture.ts';

/** Fault rates that are wagered on, as far as they are above the ceiling. */
const RATES = [0.5, 0.75, 0.95] as const;

export class Ceiling {
  readonly #mixture: Mixture;
  readonly #ofFault = new Float64Array(RATES.length);
  readonly #ofOk = new Float64Array(RATES.length);
  readonly #gains = new Float64Array(RATES.length);
  #ok = 0;
  #fault = 0;

  /**
   * @param share of requests that may fail, in (0, 1]; from 0.95 on nothing is ever too much
   * @param horizonBuckets length of a test
   */
  constructor(share: number, horizonBuckets: number) {
    this.#mixture = new Mixture(RATES.length, horizonBuckets);
    for (const [k, rate] of RATES.entries()) {
      if (rate <= share) continue;
      this.#ofFault[k] = Math.log(rate / share);
      this.#ofOk[k] = Math.log((1 - rate) / (1 - share));
    }
  }

  /** A new test. */
  begin(): void {
    this.#mixture.begin();
    this.#ok = this.#fault = 0;
  }

  /** To the open bucket. */
  add(ok: number, fault: number): void {
    this.#ok += ok;
    this.#fault += fault;
  }

  /** @param buckets 1, and one more for each empty bucket behind the open one */
  close(buckets: number): void {
    this.#mixture.close(this.#gainsOfOpen(), buckets);
    this.#ok = this.#fault = 0;
  }

  /** Natural logarithm of the evidence. */
  log(): number {
    return this.#mixture.log(this.#gainsOfOpen());
  }

  /** What the closed buckets left. */
  save(): readonly number[] {
    return this.#mixture.save();
  }

  /** In place of everything counted so far. */
  restore(stakes: readonly number[]): void {
    this.#mixture.restore(stakes);
    this.#ok = this.#fault = 0;
  }

  #gainsOfOpen(): Float64Array {
    for (let k = 0; k < RATES.length; k++) {
      this.#gains[k] = this.#fault * (this.#ofFault[k] as number) + this.#ok * (this.#ofOk[k] as number);
    }
    return this.#gains;
  }
}
