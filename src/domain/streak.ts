/**
 * Whether a side has stopped answering in time: for how long every one of its responses has been slow. A pause of the backend's process or
 * of its garbage collector makes many responses slow at once and says little, since they are one event; that not one response was in time
 * for longer than a pause lasts is another matter.
 */
import type { Totals } from './e-process.ts';

/**
 * Milliseconds between the first and the last. What is under way is counted when it is overdue, 400 ms after it was drawn, so that nothing
 * shows of a pause that is shorter, and of others what is beyond: this is a pause of 1.2 s.
 */
const STALL_MS = 800;

export class Streak {
  #quick = -1;
  #slow = 0;
  #firstAtMs: number | null = null;
  #lastAtMs = 0;

  /** @param totals of the stream whose bound is the highest; a fault is a slow response @param nowMs only ever compared with each other */
  observe({ newRequests, newFaults }: Totals, nowMs: number): void {
    const quick = newRequests - newFaults;
    if (quick !== this.#quick || newFaults < this.#slow) this.#firstAtMs = null;
    else if (newFaults > this.#slow) {
      this.#firstAtMs ??= nowMs;
      this.#lastAtMs = nowMs;
    }
    this.#quick = quick;
    this.#slow = newFaults;
  }

  get isStall(): boolean {
    return this.#firstAtMs !== null && this.#lastAtMs - this.#firstAtMs >= STALL_MS;
  }
}
