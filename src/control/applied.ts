import type { AppliedView } from './control.ts';

/** Revisions whose time is remembered. */
const REMEMBERED = 1_000;

interface Mark {
  readonly revision: number;
  readonly at: number;
  /** Until all workers served it, rounded; null while under way. */
  ms: number | null;
}

/** How far the workers have followed the state, and how long each revision took them. Times in milliseconds by the caller's clock. */
export class Applied {
  readonly #marks: Mark[] = [];
  readonly #waiting = new Set<{ readonly revision: number; readonly done: () => void }>();
  /** Lowest revision that a ready worker serves; -1 when there is none. */
  #served = -1;

  /** The store has acknowledged a revision, newer than all before. */
  announce(revision: number, now: number): void {
    this.#marks.push({ revision, at: now, ms: null });
    if (this.#marks.length > REMEMBERED) this.#marks.shift();
  }

  /** All ready workers serve at least this revision; -1: none serves. */
  serve(revision: number, now: number): void {
    this.#served = revision;
    for (let i = this.#marks.length - 1; i >= 0; i--) {
      const mark = this.#marks[i] as Mark;
      if (mark.revision > revision) continue;
      if (mark.ms !== null) break;
      mark.ms = Math.round(now - mark.at);
    }
    for (const waiter of this.#waiting) if (waiter.revision <= revision) waiter.done();
  }

  view(revision: number): AppliedView {
    const reached = this.#served >= revision;
    const mark = this.#marks.find((candidate) => candidate.revision >= revision);
    return { replicas: reached ? 1 : 0, of: 1, ms: reached ? (mark?.ms ?? null) : null };
  }

  /** Resolves when all ready workers serve the revision, or after `ms`. */
  wait(revision: number, ms: number): Promise<void> {
    if (this.#served >= revision) return Promise.resolve();
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
