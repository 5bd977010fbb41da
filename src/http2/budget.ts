/**
 * How much of something that costs us more than the peer is still put up with: spent by the peer's deeds, earned back by useful work and
 * by time.
 */
export class Budget {
  #left: number;
  readonly #burst: number;
  readonly #perSecond: number;

  constructor(burst: number, perSecond: number) {
    this.#left = burst;
    this.#burst = burst;
    this.#perSecond = perSecond;
  }

  /** False: used up. */
  spend(amount: number): boolean {
    this.#left -= amount;
    return this.#left >= 0;
  }

  earn(amount: number): void {
    this.#left = Math.min(this.#burst, this.#left + amount);
  }

  passed(milliseconds: number): void {
    this.earn((this.#perSecond * milliseconds) / 1000);
  }
}
