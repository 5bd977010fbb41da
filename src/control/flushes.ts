import type { FlushMessage } from '../seam.ts';

/** A worker that answers no sooner is left out of a scrape; its counts come with the next beat. */
const PATIENCE_MS = 250;

interface Flush {
  readonly missing: Set<number>;
  readonly done: () => void;
}

/** Requests for fresh counts under way. */
export class Flushes {
  readonly #open = new Map<number, Flush>();
  #last = 0;

  /** Asks the workers, and resolves when all that live have answered, or after a quarter of a second. */
  ask(workers: readonly number[], send: (worker: number, message: FlushMessage) => void): Promise<void> {
    if (workers.length === 0) return Promise.resolve();
    const flush = ++this.#last;
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#open.delete(flush);
        resolve();
      };
      const timer = setTimeout(done, PATIENCE_MS);
      this.#open.set(flush, { missing: new Set(workers), done });
      for (const worker of workers) send(worker, { kind: 'flush', flush });
    });
  }

  answered(worker: number, flush: number): void {
    const open = this.#open.get(flush);
    open?.missing.delete(worker);
    if (open?.missing.size === 0) open.done();
  }

  /** The worker has gone and will not answer. */
  forget(worker: number): void {
    for (const flush of this.#open.keys()) this.answered(worker, flush);
  }
}
