/** How many requests of a route may be sent again: a share of its traffic, so that repeats do not pile onto backends that are down already. */

/** The traffic that counts is that of about the last two windows. */
const WINDOW_MS = 10_000;
/** So many in two windows whatever the traffic: a share of little traffic would be less than one. */
const RESERVE = 20;

export class RescueBudget {
  /** Added to for each request. */
  requests = 0;
  readonly #share: number;
  #rescues = 0;
  #requestsBefore = 0;
  #rescuesBefore = 0;
  #sinceMs = 0;

  /** @param share 0 to 1; 0: none at all */
  constructor(share: number) {
    this.#share = share;
  }

  /** Whether one request more may be sent again; if so, it is counted. */
  take(nowMs: number): boolean {
    if (this.#share === 0) return false;
    const elapsedMs = nowMs - this.#sinceMs;
    if (elapsedMs >= WINDOW_MS) {
      // After a long time without a look: what one window of it had, on average.
      this.#requestsBefore = (this.requests * WINDOW_MS) / elapsedMs;
      this.#rescuesBefore = (this.#rescues * WINDOW_MS) / elapsedMs;
      this.requests = 0;
      this.#rescues = 0;
      this.#sinceMs = nowMs;
    }
    const most = this.#share * (this.requests + this.#requestsBefore) + RESERVE;
    if (this.#rescues + this.#rescuesBefore >= most) return false;
    this.#rescues++;
    return true;
  }
}
