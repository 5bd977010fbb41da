/** A request's wait for a connection, and how long it has the patience. One an exchange. */
import type { ErrorCode } from '../domain/errors.ts';
import type { Pending, PendingQueue } from './pending-queue.ts';

export class Waiting {
  readonly #pending: Pending;
  /** Null: it does not wait. */
  #queue: PendingQueue | null = null;
  /** When the queue's patience ends. */
  untilMs = 0;

  /** @param pending who is told that its turn has come */
  constructor(pending: Pending) {
    this.#pending = pending;
  }

  get isUnderWay(): boolean {
    return this.#queue !== null;
  }

  /** False: nobody may wait there, or no more than do. */
  begin(queue: PendingQueue | null, nowMs: number): boolean {
    if (queue === null || !queue.join(this.#pending)) return false;
    this.#queue = queue;
    this.untilMs = nowMs + queue.waitMs;
    return true;
  }

  end(): void {
    this.#queue?.leave(this.#pending);
    this.#queue = null;
  }

  /** The patience that is over, if one is: the route's with the whole, or the queue's. */
  expired(nowMs: number, totalDeadlineMs: number): ErrorCode | null {
    if (nowMs >= totalDeadlineMs) return 'totalTimeout';
    return nowMs >= this.untilMs ? 'pendingTimeout' : null;
  }

  /** As when a backend has come to allow more streams. */
  wake(): void {
    this.#queue?.wake();
  }
}
