/** Connections that have something to write: all that a turn of the event loop has brought leaves at its end, in one write each. */
export interface Flushable {
  flush(): void;
}

export class Flusher {
  #dirty: Flushable[] = [];
  #isScheduled = false;

  /** Once until it has been flushed. */
  add(flushable: Flushable): void {
    this.#dirty.push(flushable);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#flushAll);
  }

  readonly #flushAll = (): void => {
    this.#isScheduled = false;
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const flushable of dirty) flushable.flush();
  };
}
