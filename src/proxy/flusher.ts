/** Connections that have something to write: what the turns of the event loop bring leaves at their ends, in one write each. */
export interface Flushable {
  flush(): void;
}

export class Flusher {
  /** At the end of this turn, and of the next. */
  #now: Flushable[] = [];
  #next: Flushable[] = [];
  #isScheduled = false;

  /** At the end of this turn. Once until it has been flushed. */
  add(flushable: Flushable): void {
    this.#now.push(flushable);
    this.#schedule();
  }

  /**
   * At the end of the next turn, for a connection that will probably have more to write by then: a turn waits for nothing while any is due, so that this
   * takes as long as what has come meanwhile. Once until it has been flushed.
   */
  addForNext(flushable: Flushable): void {
    this.#next.push(flushable);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#flushAll);
  }

  readonly #flushAll = (): void => {
    this.#isScheduled = false;
    const due = this.#now;
    this.#now = this.#next;
    this.#next = [];
    if (this.#now.length > 0) this.#schedule();
    for (const flushable of due) flushable.flush();
  };
}
