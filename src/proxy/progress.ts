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

  /** The time-out that has passed, if one has. */
  expired({ idleMs, responseHeadMs }: Timeouts, nowMs: number): ErrorCode | null {
    const isOverdue = nowMs >= this.totalDeadlineMs;
    const activeMs = Math.max(this.responseActiveMs, this.requestEnded ? 0 : this.requestActiveMs);
    const isIdle = idleMs > 0 && nowMs - activeMs >= idleMs && !this.awaitsConnect;
    // Whoever is waited for is to blame: a client that does not send or read on, or the backend.
    if (!this.requestEnded && !this.requestBlocked && !this.awaitsConnect) {
      return isOverdue || isIdle ? 'requestBodyTimeout' : null;
    }
    if (this.responseBlocked) return isOverdue || isIdle ? 'clientStalled' : null;
    if (isOverdue) return 'totalTimeout';
    if (this.responseStarted) return isIdle ? 'upstreamStalled' : null;
    const isLate = responseHeadMs > 0 && nowMs - this.responseActiveMs >= responseHeadMs;
    return (this.requestEnded ? isLate : isIdle) ? 'responseHeadTimeout' : null;
  }
}
