/** How long a request may still take: by the gRPC call that it carries, by its route, or by the queue that it waits in. One an exchange. */
import type { ErrorCode } from '../domain/errors.ts';
import type { Timeouts } from '../domain/route.ts';
import type { GrpcCall } from './grpc-call.ts';
import type { Progress } from './progress.ts';
import type { Runtime } from './runtime.ts';
import { SWEEP_MS, type Sweepable } from './sweeper.ts';
import type { Waiting } from './waiting.ts';

export class Patience {
  readonly #runtime: Runtime;
  readonly #exchange: Sweepable;
  readonly #call: GrpcCall;
  readonly #progress: Progress;
  readonly #waiting: Waiting;

  constructor(runtime: Runtime, exchange: Sweepable, call: GrpcCall, progress: Progress, waiting: Waiting) {
    this.#runtime = runtime;
    this.#exchange = exchange;
    this.#call = call;
    this.#progress = progress;
    this.#waiting = waiting;
  }

  /** The patience that is over, if one is. */
  expired(timeouts: Timeouts, nowMs: number): ErrorCode | null {
    if (nowMs >= this.#call.deadlineMs) return 'deadlineExceeded';
    return this.#waiting.isUnderWay
      ? this.#waiting.expired(nowMs, this.#progress.totalDeadlineMs)
      : this.#progress.expired(timeouts, nowMs);
  }

  /** A deadline that the sweep would come too late for gets a look in time. */
  watch(timeouts: Timeouts, nowMs: number): void {
    const dueMs = this.#waiting.isUnderWay
      ? Math.min(this.#waiting.untilMs, this.#progress.totalDeadlineMs)
      : this.#progress.dueMs(timeouts);
    const firstMs = Math.min(dueMs, this.#call.deadlineMs);
    if (firstMs < nowMs + SWEEP_MS) this.#runtime.dueSoon.add(this.#exchange, firstMs);
  }
}
