/** What everything in a worker shares: the table it serves from now, the time, chance, and who must be looked at by the sweep. */
import type { Snapshot } from '../domain/snapshot.ts';
import type { Limits } from '../seam.ts';
import type { AccessLog } from './access-log.ts';
import type { Counts } from './counts.ts';
import { Flusher } from './flusher.ts';
import type { TrustedProxies } from './forwarding.ts';
import type { OverrideHeader } from './override.ts';
import type { Pool } from './pool.ts';
import type { RescueBudget } from './rescue-budget.ts';

/** Everything that a request is served by. Replaced as a whole; an exchange keeps the one it began with. */
export interface Serving {
  readonly snapshot: Snapshot;
  /** By backend, one pool an endpoint. */
  readonly pools: readonly (readonly Pool[])[];
  /** By backend: those of them that requests may go to. */
  readonly usable: readonly (readonly Pool[])[];
  /** By route. */
  readonly budgets: readonly RescueBudget[];
  readonly counts: Counts;
  readonly trusted: TrustedProxies;
  readonly override: OverrideHeader | null;
  readonly limits: Limits;
  readonly requestHeadMs: number;
  readonly idleMs: number;
}

/** Has deadlines. Looked at every SWEEP_MS, so a time-out comes up to that much late, and no request needs a timer. */
export interface Sweepable {
  /** @param nowMs the runtime's clock */
  sweep(nowMs: number): void;
}

export const SWEEP_MS = 100;

export class Runtime {
  serving: Serving;
  /** Since when clients are told to go, by the clock; null: they are not. */
  drainingSinceMs: number | null = null;
  /** When, in a drain, connections that never rest are told to go. */
  lastCallMs = Number.POSITIVE_INFINITY;
  /** The clock as of the last sweep: exact enough for time-outs, and free. */
  nowMs: number;
  /** Milliseconds that only ever rise, with fractions. */
  readonly clock: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** 128 random bits as text. */
  readonly randomId: () => string;
  readonly flusher = new Flusher();
  /** Null: off. */
  accessLog: AccessLog | null = null;
  readonly #swept = new Set<Sweepable>();

  constructor(serving: Serving, sources: { clock: () => number; random: () => number; randomId: () => string }) {
    this.serving = serving;
    this.clock = sources.clock;
    this.random = sources.random;
    this.randomId = sources.randomId;
    this.nowMs = sources.clock();
  }

  get isDraining(): boolean {
    return this.drainingSinceMs !== null;
  }

  watch(sweepable: Sweepable): void {
    this.#swept.add(sweepable);
  }

  unwatch(sweepable: Sweepable): void {
    this.#swept.delete(sweepable);
  }

  sweep(): void {
    this.nowMs = this.clock();
    for (const sweepable of this.#swept) sweepable.sweep(this.nowMs);
  }
}
