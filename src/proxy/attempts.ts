/** Where a request has been asked, and where it may be asked yet: on the side that was drawn, then on the other. One an exchange. */
import type { ErrorCode } from '../domain/errors.ts';
import { NEW, OLD, type RouteSpec, type SideIndex } from '../domain/route.ts';
import type { Assignment } from './assignment.ts';
import { DOWN } from './choice.ts';
import type { Pool } from './pool.ts';
import type { RescueBudget } from './rescue-budget.ts';
import type { Runtime, Serving } from './runtime.ts';

/**
 * Attempts of one request on its own side, the first included, but for those that a reused connection or a refused one cost; one more goes to the other
 * side.
 */
const MAX_ATTEMPTS = 2;
/** Refusals on a side after which another endpoint is asked: they cost nobody anything. */
const MAX_REFUSALS = 3;
/** Reused connections that may cost it none. Several may be gone at once; but a request that itself breaks the sessions it is on with others must end. */
const MAX_RENEWALS = 3;

export class Attempts {
  count = 0;
  /** That is asked. */
  side: SideIndex = OLD;
  /** The other side has been asked instead. */
  hasTurned = false;
  /** Of the attempt under way. */
  pool: Pool | null = null;
  /** Of the attempt before. */
  lastPool: Pool | null = null;
  #renewals = 0;
  /** On the side that is asked. */
  #refusals = 0;
  readonly #runtime: Runtime;
  #serving: Serving;
  #route: RouteSpec | null = null;
  /** Index of the route. */
  #row = 0;
  #isOverridden = false;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.#serving = runtime.serving;
  }

  /** For the next request. */
  begin(): void {
    this.count = 0;
    this.hasTurned = false;
    this.lastPool = null;
    this.#renewals = 0;
    this.#refusals = 0;
  }

  /** The last one found its connection gone, which was in use before. True: it does not count, and may be made again on another. */
  renew(): boolean {
    if (this.#renewals === MAX_RENEWALS) return false;
    this.#renewals++;
    this.count--;
    return true;
  }

  /** The last one's connection was refused. */
  refused(): void {
    this.#refusals++;
    this.lastPool?.doubt.refused();
  }

  /** @param row of the route */
  assigned(serving: Serving, row: number, { side, isOverridden }: Assignment): void {
    this.#serving = serving;
    this.#route = serving.snapshot.routes[row] as RouteSpec;
    this.#row = row;
    this.side = side;
    this.#isOverridden = isOverridden;
  }

  started(pool: Pool): void {
    pool.inflight++;
    this.pool = pool;
  }

  ended(): void {
    const { pool } = this;
    this.pool = null;
    if (pool === null) return;
    pool.inflight--;
    pool.pending?.wake();
    this.lastPool = pool;
  }

  /** The connection has become a tunnel, which is under way on its own. */
  handOver(): Pool | null {
    this.lastPool = this.pool;
    this.pool = null;
    return this.lastPool;
  }

  turn(): void {
    this.hasTurned = true;
    this.#refusals = 0;
    this.side = this.side === NEW ? OLD : NEW;
  }

  /** Under way, or the one that has just ended. */
  get latestPool(): Pool | null {
    return this.pool ?? this.lastPool;
  }

  /** Endpoints of the side that is asked. */
  get pools(): readonly Pool[] {
    return this.#present.usable[this.#backend] as readonly Pool[];
  }

  /** The table that the request began with, as it is now: endpoints may have come, gone or fallen ill since, and the route been taken back. */
  get #present(): Serving {
    const { serving } = this.#runtime;
    return serving.snapshot.generation === this.#serving.snapshot.generation ? serving : this.#serving;
  }

  get #backend(): number {
    const route = this.#route as RouteSpec;
    return this.side === NEW ? route.new : route.old;
  }

  /** An endpoint of the side that was ejected for its faults and is not known to be down: it may be well by now, and is the last resort. */
  ejected(): Pool | null {
    const pools = this.#present.pools[this.#backend] as readonly Pool[];
    const { latestPool } = this;
    return pools.find((pool) => pool !== latestPool && (pool.caution & DOWN) === 0) ?? null;
  }

  /**
   * There is another endpoint of the side that was not tried and is not known to be down; or the only one did not take the connection in time,
   * as when its queue was full for a moment and the handshake's first packet was dropped, which the kernel repeats after a whole second only; or
   * another refused connections a moment ago, and may be back.
   */
  hasAnotherWay(code: ErrorCode): boolean {
    const isRefused = code === 'connectRefused';
    if (isRefused ? this.#refusals > MAX_REFUSALS : this.#isUsedUp) return false;
    const { pools, latestPool } = this;
    const isOther = pools.some((pool) => pool !== latestPool && (pool.caution & DOWN) === 0);
    if (isOther || this.mayTurn()) return isOther;
    // Also one that has refused this very request: that may have been by a connection that others had begun before it was back.
    if (pools.some((pool) => pool !== latestPool && pool.doubt.lastFailure === 'connectRefused')) return true;
    return (code === 'connectTimeout' && pools.length === 1) || this.ejected() !== null;
  }

  get #isUsedUp(): boolean {
    return this.hasTurned || this.count - this.#refusals >= MAX_ATTEMPTS;
  }

  /**
   * Whether the other side may be asked: old always, new only where that is wished for, it takes traffic anyway, and nobody has stopped it;
   * and not when it is known to be down as well.
   */
  mayTurn(): boolean {
    if (this.hasTurned || this.#isOverridden) return false;
    const { snapshot, usable } = this.#present;
    const { old, new: fresh, rescue } = this.#route as RouteSpec;
    if (rescue.budget === 0) return false;
    if (this.side === OLD) {
      const takesTraffic = (snapshot.weightsPpm[this.#row] as number) > 0 && snapshot.held[this.#row] === 0;
      if (!rescue.toNew || !takesTraffic) return false;
    }
    const pools = usable[this.side === NEW ? old : fresh] as readonly Pool[];
    return pools.some((pool) => (pool.caution & DOWN) === 0);
  }

  /** Whether the route can afford one more; if so, it is counted. */
  isAffordable(code: ErrorCode | 'grpcStatus'): boolean {
    // Costs no backend anything, however many requests waited for the connection, and the endpoint is out of use from now on.
    if (code === 'connectRefused') return (this.#route as RouteSpec).rescue.budget > 0;
    return (this.#serving.budgets[this.#row] as RescueBudget).take(this.#runtime.nowMs);
  }
}
