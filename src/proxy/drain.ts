/** The end of a worker's service: clients are told to go, then nobody is accepted any more, then those that are left are cut off. */
import type { Listeners } from './listeners.ts';
import type { Runtime } from './runtime.ts';

/** How long before the end of a drain busy connections of HTTP/2 are told to go: enough for what their clients ask until they have heard it. */
const LAST_CALL_MS = 5_000;
/** Between the end of the last connections and that of the process. */
const LAST_STEPS_MS = 500;

export class Drain {
  readonly #runtime: Runtime;
  readonly #listeners: Listeners;
  #untilMs = Number.POSITIVE_INFINITY;
  #acceptUntilMs = Number.POSITIVE_INFINITY;

  constructor(runtime: Runtime, listeners: Listeners) {
    this.#runtime = runtime;
    this.#listeners = listeners;
  }

  /**
   * Lets clients go with their next answer, stops accepting after the grace, and is over when the last has gone or the time is over, which
   * comes a little before the supervisor's own.
   */
  begin(drainMs: number, graceMs: number): void {
    if (this.#runtime.isDraining) return;
    const nowMs = this.#runtime.clock();
    this.#runtime.drainingSinceMs = nowMs;
    this.#runtime.sweeper.wakeAll();
    this.#runtime.lastCallMs = nowMs + drainMs - Math.min(drainMs / 2, LAST_CALL_MS);
    this.#untilMs = nowMs + drainMs - Math.min(drainMs / 10, LAST_STEPS_MS);
    this.#acceptUntilMs = Math.min(nowMs + graceMs, this.#untilMs);
    if (graceMs === 0) this.#listeners.stopAccepting();
  }

  /** Whether it is over. */
  sweep(nowMs: number): boolean {
    if (!this.#runtime.isDraining) return false;
    if (this.#listeners.isAccepting) {
      if (nowMs < this.#acceptUntilMs) return false;
      this.#listeners.stopAccepting();
    }
    if (nowMs >= this.#untilMs) this.#listeners.destroyConnections();
    return this.#listeners.connectionCount === 0;
  }
}
