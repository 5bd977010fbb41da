/** What falls due before the sweep comes by again: looked at in time, by one timer that is set only while there is any. */
import type { Sweepable } from './sweeper.ts';

/** Milliseconds that a look comes late at most, beside what the machine adds. */
const STEP_MS = 5;

export class DueSoon {
  readonly #clock: () => number;
  /** By the number of the step that ends then, counted from the clock's 0. */
  readonly #steps = new Map<number, Sweepable[]>();
  /** That the timer is set for; infinite: it is not. */
  #next = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  /** @param clock milliseconds that only ever rise */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** It is looked at then, and decides anew: meanwhile its deadline may have moved, or be gone. */
  add(sweepable: Sweepable, dueMs: number): void {
    const step = Math.ceil(dueMs / STEP_MS);
    const others = this.#steps.get(step);
    if (others === undefined) this.#steps.set(step, [sweepable]);
    else others.push(sweepable);
    if (step < this.#next) this.#setFor(step);
  }

  #setFor(step: number): void {
    clearTimeout(this.#timer);
    this.#next = step;
    this.#timer = setTimeout(this.#look, Math.max(1, Math.ceil(step * STEP_MS - this.#clock())));
  }

  readonly #look = (): void => {
    const nowMs = this.#clock();
    const over = nowMs / STEP_MS;
    this.#next = Number.POSITIVE_INFINITY;
    for (const [step, due] of this.#steps) {
      if (step > over) continue;
      this.#steps.delete(step);
      for (const sweepable of due) sweepable.sweep(nowMs);
    }
    const next = Math.min(...this.#steps.keys());
    if (next < this.#next) this.#setFor(next);
  };
}
