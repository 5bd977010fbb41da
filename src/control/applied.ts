import type { AppliedView } from './control.ts';

/** Revisions whose time is remembered. */
const REMEMBERED = 1_000;

interface Mark {
  readonly revision: number;
  readonly at: number;
  /** Until all workers served it, rounded; null while under way. */
  ms: number | null;
}

/**
 * How far the workers of all replicas have followed the state, and how long each revision took them. Times in milliseconds by the
 * caller's clock.
 */
export class Applied {
  readonly #marks: Mark[] = [];
  readonly #waiting = new Set<{ readonly revision: number; readonly done: () => void }>();
  /** Lowest revision that a ready worker of this replica serves; -1 when there is none. */
  #served = -1;
  /** The same of each other replica. */
  #others: readonly number[] = [];

  /** The store has acknowledged a revision, newer than all before. */
  announce(revision: number, now: number): void {
    this.#marks.push({ revision, at: now, ms: null });
    if (this.#marks.length > REMEMBERED) this.#marks.shift();
  }

  /** All ready workers of this replica serve at least this revision; -1: none serves. */
  serve(revision: number, now: number): void {
    this.#served = revision;
    this.#progressed(now);
  }

  /** What the other replicas serve; -1: nothing. */
  follow(revisions: readonly number[], now: number): void {
    this.#others = revisions;
    this.#progressed(now);
  }

  get served(): number {
    return this.#served;
  }

  #progressed(now: number): void {
    const revision = Math.min(this.#served, ...this.#others);
    for (let i = this.#marks.length - 1; i >= 0; i--) {
      const mark = this.#marks[i] as Mark;
      if (mark.revision > revision) continue;
      if (mark.ms !== null) break;
      mark.ms = Math.round(now - mark.at);
    }
    for (const waiter of this.#waiting) if (waiter.revision <= revision) waiter.done();
  }

  view(revision: number): AppliedView {
    const { replicas, of } = this.reach(revision);
    const mark = this.#marks[this.#placeOf(revision)];
    return { replicas, of, ms: replicas === of ? (mark?.ms ?? null) : null };
  }

  /** How many replicas serve the revision, of how many. */
  reach(revision: number): Pick<AppliedView, 'replicas' | 'of'> {
    let replicas = this.#served >= revision ? 1 : 0;
    for (const served of this.#others) if (served >= revision) replicas += 1;
    return { replicas, of: 1 + this.#others.length };
  }

  /** Of the first mark that is not older: marks rise, and a view of all routes asks for each of them. */
  #placeOf(revision: number): number {
    let [low, high] = [0, this.#marks.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#marks[middle] as Mark).revision < revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Resolves when all ready workers of all replicas serve the revision, or after `ms`. */
  wait(revision: number, ms: number): Promise<void> {
    if (Math.min(this.#served, ...this.#others) >= revision) return Promise.resolve();
    return new Promise((resolve) => {
      const waiter = {
        revision,
        done: () => {
          clearTimeout(timer);
          this.#waiting.delete(waiter);
          resolve();
        },
      };
      const timer = setTimeout(waiter.done, ms);
      this.#waiting.add(waiter);
    });
  }
}
