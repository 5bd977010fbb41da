// @ts-check
const TICK_MS = 5;

/** Calls so many times a second, evenly spaced, with a number that rises; what is late is made up for. */
export class Pacer {
  #startedAt = performance.now();
  #called = 0;
  #timer;

  /**
   * @param {number} rate
   * @param {(i: number) => void} call
   */
  constructor(rate, call) {
    this.#timer = setInterval(() => {
      const due = Math.floor(((performance.now() - this.#startedAt) * rate) / 1000);
      for (; this.#called < due; this.#called++) call(this.#called);
    }, TICK_MS);
  }

  stop() {
    clearInterval(this.#timer);
  }
}
