/** Growing pauses between attempts, with jitter, so that a fleet does not come back all at once. */
export class Backoff {
  readonly #firstMs: number;
  readonly #random: () => number;
  #attempts = 0;

  /** @param random uniform in [0, 1) */
  constructor(firstMs: number, random: () => number) {
    this.#firstMs = firstMs;
    this.#random = random;
  }

  /** The next pause: it doubles from the first one up to the longest, of which between half and the whole is taken. */
  nextMs(longestMs: number): number {
    const wholeMs = Math.min(this.#firstMs * 2 ** this.#attempts, longestMs);
    if (wholeMs < longestMs) this.#attempts++;
    return wholeMs * (0.5 + this.#random() / 2);
  }

  reset(): void {
    this.#attempts = 0;
  }
}
