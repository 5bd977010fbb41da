/** What falls due before the sweep comes by again: looked at in time, by one timer that is set only while there is any. */
import type { Sweepable } from './sweeper.ts';

/** Milliseconds that a look comes late at most, beside what the machine adds. */
const STEP_MS = 5;
/** More than fit between two sweeps, and a power of two. */
const STEPS = 32;

export class DueSoon {
  readonly #clock: () => number;
  /** A ring, by the number of the step that ends then, counted from the clock's 0. No Map: see roster.ts on what leaves one. */
  readonly #steps: readonly Sweepable[][] = Array.from({ length: STEPS }, () => []);
  /** The first step that has not been looked at; all that wait are in it or in those that follow. */
  #from = 0;
  #count = 0;
  /** Those of the look that is under way, the first one last. */
  readonly #due: Sweepable[] = [];
  /** That the timer is set for; infinite: it is not. */
  #next = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  /** @param clock milliseconds that only ever rise */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /**
   * It is looked at then, and decides anew: meanwhile its deadline may have moved, or be gone.
   * @param dueMs sooner than the next sweep; what is later is looked at too early
   */
  add(sweepable: Sweepable, dueMs: number): void {
    if (this.#count === 0) this.#from = Math.floor(this.#clock() / STEP_MS);
    const step = Math.min(Math.max(Math.ceil(dueMs / STEP_MS), this.#from), this.#from + STEPS - 1);
    this.#at(step).push(sweepable);
    this.#count++;
    if (step < this.#next) this.#setFor(step);
  }

  #at(step: number): Sweepable[] {
    return this.#steps[step % STEPS] as Sweepable[];
  }

  #setFor(step: number): void {
    clearTimeout(this.#timer);
    this.#next = step;
    this.#timer = setTimeout(this.#look, Math.max(1, Math.ceil(step * STEP_MS - this.#clock())));
  }

  readonly #look = (): void => {
    const nowMs = this.#clock();
    const over = Math.floor(nowMs / STEP_MS);
    for (let step = Math.min(over, this.#from + STEPS - 1); step >= this.#from; step--) {
      const waiting = this.#at(step);
      for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) this.#due.push(one);
    }
    this.#count -= this.#due.length;
    this.#from = Math.max(this.#from, over);
    this.#next = Number.POSITIVE_INFINITY;
    for (let one = this.#due.pop(); one !== undefined; one = this.#due.pop()) one.sweep(nowMs);
    this.#setForFirst();
  };

  #setForFirst(): void {
    if (this.#count === 0) return;
    let step = this.#from;
    while (this.#at(step).length === 0) step++;
    if (step < this.#next) this.#setFor(step);
  }
}
