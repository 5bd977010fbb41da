/** How far a request and its answer have come, who is waited for, and for how long by now. One an exchange; all times are of the runtime's clock. */
import type { ErrorCode } from '../domain/errors.ts';
import type { Timeouts } from '../domain/route.ts';

export class Progress {
  requestEnded = false;
  responseStarted = false;
  /** The client takes no more of the response now. */
  responseBlocked = false;
  /** The backend takes no more of the request's body now. */
  requestBlocked = false;
  /** Waiting for the connection before the body is asked for, so that a failed connect costs none of it. */
  awaitsConnect = false;
  /** When the request, and the response, last came on. */
  requestActiveMs = 0;
  responseActiveMs = 0;
  /** When the route's patience with the whole ends; infinite: never. */
  totalDeadlineMs = Number.POSITIVE_INFINITY;

  /** For the next request. */
  begin(nowMs: number): void {
    this.requestEnded = false;
    this.responseStarted = false;
    this.responseBlocked = false;
    this.requestBlocked = false;
    this.awaitsConnect = false;
    this.requestActiveMs = nowMs;
    this.totalDeadlineMs = Number.POSITIVE_INFINITY;
  }

  /** Whether the client is waited for: it has more to send, and the backend would take it. */
  get #awaitsClient(): boolean {
    return !this.requestEnded && !this.requestBlocked && !this.awaitsConnect;
  }

  /** When the patience with whoever is waited for now ends; infinite: never. */
  dueMs({ idleMs, responseHeadMs }: Timeouts): number {
    const awaitsHead = this.requestEnded && !this.responseStarted && !this.responseBlocked;
    const activeMs = awaitsHead
      ? this.responseActiveMs
      : Math.max(this.responseActiveMs, this.requestEnded ? 0 : this.requestActiveMs);
    const patienceMs = awaitsHead ? responseHeadMs : this.awaitsConnect ? 0 : idleMs;
    return patienceMs > 0 ? Math.min(this.totalDeadlineMs, activeMs + patienceMs) : this.totalDeadlineMs;
  }

  /** The time-out that has passed, if one has. */
  expired(timeouts: Timeouts, nowMs: number): ErrorCode | null {
    if (nowMs < this.dueMs(timeouts)) return null;
    // Whoever is waited for is to blame: a client that does not send or read on, or the backend.
    if (this.#awaitsClient) return 'requestBodyTimeout';
    if (this.responseBlocked) return 'clientStalled';
    if (nowMs >= this.totalDeadlineMs) return 'totalTimeout';
    return this.responseStarted ? 'upstreamStalled' : 'responseHeadTimeout';
  }
}
