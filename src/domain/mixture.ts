/** Of an open bucket in which nothing was counted. */
const NO_GAINS: readonly number[] = [];

/**
 * The average of several wagers, each begun anew with a small stake in every bucket, so that a fault which begins late is not buried
 * under all that went well before: M = mean of A exp(L), where L is the logarithm of what the open bucket multiplied a wager by and A
 * what the closed buckets left of it. As long as what is wagered against holds, the chance that M ever reaches 1 / alpha is at most alpha.
 */
export class Mixture {
  /** Logarithm of A, by wager. */
  readonly #stakes: Float64Array;
  readonly #exponents: Float64Array;
  /** What begins with each bucket; half of all begins with the test. */
  readonly #start: number;
  readonly #mostGain: number;
  /** What the stakes were restored from and still are; null: they have moved on. */
  #restored: readonly number[] | null = null;

  /**
   * @param horizonBuckets length of a test: in so many buckets the other half of all stakes begins
   * @param mostGain natural logarithm of the most that one bucket may multiply M by. What is above is given away, which can only lower the chance
   *   that M reaches anything
   */
  constructor(wagers: number, horizonBuckets: number, mostGain = Number.POSITIVE_INFINITY) {
    this.#mostGain = mostGain;
    this.#stakes = new Float64Array(wagers);
    this.#exponents = new Float64Array(wagers);
    this.#start = 1 / (2 * horizonBuckets);
    this.begin();
  }

  begin(): void {
    this.#restored = null;
    this.#stakes.fill(-Math.LN2);
  }

  /** Natural logarithm of M. @param gains L by wager */
  log(gains: Float64Array): number {
    return this.#uncapped(gains) - this.#excess(gains);
  }

  #excess(gains: Float64Array): number {
    if (this.#mostGain === Number.POSITIVE_INFINITY) return 0;
    return Math.max(0, this.#uncapped(gains) - this.#uncapped(NO_GAINS) - this.#mostGain);
  }

  #uncapped(gains: ArrayLike<number>): number {
    const wagers = this.#stakes.length;
    let largest = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < wagers; k++) {
      const exponent = (this.#stakes[k] as number) + (gains[k] ?? 0);
      this.#exponents[k] = exponent;
      if (exponent > largest) largest = exponent;
    }
    let sum = 0;
    for (let k = 0; k < wagers; k++) sum += Math.exp((this.#exponents[k] as number) - largest);
    return largest + Math.log(sum / wagers);
  }

  /** @param buckets 1, and one more for each empty bucket behind the open one */
  close(gains: Float64Array, buckets: number): void {
    const begun = Math.log(buckets * this.#start);
    const excess = this.#excess(gains);
    this.#restored = null;
    for (let k = 0; k < gains.length; k++)
      this.#stakes[k] = logOfSum((this.#stakes[k] as number) + (gains[k] as number) - excess, begun);
  }

  save(): readonly number[] {
    const saved: number[] = [];
    // By index: `Array.from` goes through an iterator, for each of hundreds of routes each second.
    for (let k = 0; k < this.#stakes.length; k++) saved.push(this.#stakes[k] as number);
    return saved;
  }

  /** @param stakes never changed afterwards */
  restore(stakes: readonly number[]): void {
    if (stakes === this.#restored) return;
    this.#stakes.set(stakes);
    this.#restored = stakes;
  }
}

/** log(exp(a) + exp(b)), without leaving the range of numbers. */
export function logOfSum(a: number, b: number): number {
  return a >= b ? a + Math.log1p(Math.exp(b - a)) : b + Math.log1p(Math.exp(a - b));
}
