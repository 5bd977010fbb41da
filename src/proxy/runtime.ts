/** What everything in a worker shares: the table it serves from now, the time, chance, and who must be looked at by the sweep. */
import type { MemoryPressure } from '../domain/memory-pressure.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import type { Limits } from '../seam.ts';
import type { AccessLog } from './access-log.ts';
import type { Counts } from './counts.ts';
import { DueSoon } from './due-soon.ts';
import { Flusher } from './flusher.ts';
import type { TrustedProxies } from './forwarding.ts';
import type { OverrideHeader } from './override.ts';
import type { Pool } from './pool.ts';
import type { RescueBudget } from './rescue-budget.ts';
import { Sweeper } from './sweeper.ts';

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

export class Runtime {
  serving: Serving;
  /** Since when clients are told to go, by the clock; null: they are not. */
  drainingSinceMs: number | null = null;
  /** When, in a drain, connections that never rest are told to go. */
  lastCallMs = Number.POSITIVE_INFINITY;
  /** The clock as it was last read: exact enough for what takes seconds, and free. */
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
  readonly sweeper = new Sweeper(() => this.tick());
  readonly dueSoon = new DueSoon(() => this.tick());
  /** Of this worker's memory, as of the last sweep. */
  pressure: MemoryPressure = 'none';

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

  /** Whether connections that lie idle may be left alone until their time is over. */
  get letsRest(): boolean {
    return this.drainingSinceMs === null && this.pressure === 'none';
  }

  /** Reads the clock. */
  tick(): number {
    this.nowMs = this.clock();
    return this.nowMs;
  }

  sweep(): void {
    this.sweeper.sweep();
  }
}
