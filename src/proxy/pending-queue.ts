/** Requests that wait for a connection to a backend, first come first served. Bounded; whoever waits watches its own time and leaves by itself. */
import type { Flushable, Flusher } from './flusher.ts';

/** A request that waits. */
export interface Pending {
  /** There may be a connection now. False: there is none, and it waits on. */
  onTurn(): boolean;
}

export class PendingQueue implements Flushable {
  /** Milliseconds that a request waits at most. */
  readonly waitMs: number;
  readonly #most: number;
  readonly #flusher: Flusher;
  /** In the order in which they came. No Set: see roster.ts on what leaves one. */
  readonly #waiting: Pending[] = [];
  #isWoken = false;

  /** @param most requests that wait at a time */
  constructor(most: number, waitMs: number, flusher: Flusher) {
    this.#most = most;
    this.waitMs = waitMs;
    this.#flusher = flusher;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** False: it is full. */
  join(pending: Pending): boolean {
    if (this.#waiting.length >= this.#most) return false;
    this.#waiting.push(pending);
    return true;
  }

  leave(pending: Pending): void {
    const at = this.#waiting.indexOf(pending);
    if (at === 0) this.#waiting.shift();
    else if (at > 0) this.#waiting.splice(at, 1);
  }

  /** A connection may have come free. Those who wait are asked when all that happens now is over: one that is being let go is not free yet. */
  wake(): void {
    if (this.#isWoken || this.isEmpty) return;
    this.#isWoken = true;
    this.#flusher.add(this);
  }

  flush(): void {
    this.#isWoken = false;
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      if (!first.onTurn()) return;
      if (this.#waiting[0] === first) this.leave(first);
    }
  }
}
