/**
 * What one route has done lately, for charts: two rings of slots, each slot the counts and quantiles of its span. Slots are numbered by whoever
 * keeps the time (series.ts), so that all routes share one. The rings are made when the route is first asked for something.
 */
import {
  AT_ATTEMPTS,
  AT_DURATION,
  AT_GRPC,
  AT_INFLIGHT,
  AT_REQUESTS,
  cellsOf,
  DURATION_BUCKETS_SECONDS,
} from '../domain/counts.ts';
import { OUTCOME_FAULT } from '../domain/outcome.ts';
import { bucketQuantile } from '../domain/quantile.ts';

/** Duration buckets of a side: those with an upper bound, and the rest. */
const BUCKETS = DURATION_BUCKETS_SECONDS.length + 1;
/** Of a side's counts: requests, faults, then the duration buckets. */
const SIDE_COUNTS = 2 + BUCKETS;
const COUNTS = 2 * SIDE_COUNTS;

/** Of a slot: requests, faults, p50 and p99 in milliseconds, of old and of new, then the weight in percent. */
const SLOT_VALUES = 9;
const SIDE_VALUES = 4;

/** What a span rose by, by duration bucket: written and read by each, since thousands are asked for in a second. */
const durations = new Float64Array(BUCKETS);

/** Requests, faults, p50 and p99 in milliseconds (NaN without requests) of a side within some span. */
export type SideSpan = readonly [requests: number, faults: number, p50: number, p99: number];

/** @param from first cell of a route's side */
function requestsAt(cells: Float64Array, from: number): number {
  let requests = 0;
  for (let cell = from + AT_REQUESTS; cell < from + AT_GRPC; cell++) requests += cells[cell] as number;
  return requests;
}

export class RouteHistory {
  /** Ring of sums since the start, one set a second. */
  readonly #sums: Float64Array;
  readonly #seconds: number;
  #inflight: readonly [number, number] = [0, 0];
  /** Requests and faults of old and of new as they were read last, and for how many seconds they have been that. */
  readonly #last = new Float64Array(4);
  #unchanged = 0;
  /** By ring, slots of SLOT_VALUES; undefined until there is something to tell. */
  #slots: readonly Float32Array[] | undefined;

  /** @param seconds how far back `span` can look */
  constructor(seconds: number) {
    this.#seconds = seconds + 1;
    this.#sums = new Float64Array(this.#seconds * COUNTS);
  }

  /** Takes the sums of this second. `tick` rises by one each time; the first call is with 0. */
  take(tick: number, cells: Float64Array, row: number): void {
    const old = cells[cellsOf(row, 0) + AT_INFLIGHT] ?? 0;
    const fresh = cells[cellsOf(row, 1) + AT_INFLIGHT] ?? 0;
    if (old !== this.#inflight[0] || fresh !== this.#inflight[1]) this.#inflight = [old, fresh];
    this.#unchanged = this.#isUnchanged(cells, row) ? this.#unchanged + 1 : 0;
    // What the supervisor counted before it began to watch did not happen in the first second.
    if (tick === 0) for (let at = 0; at < this.#seconds; at++) this.#read(at, cells, row);
    // Of thousands of routes most are not asked for anything: then every slot says the same already.
    else if (this.#unchanged < this.#seconds) this.#read(tick % this.#seconds, cells, row);
  }

  /** Whether a request has ended, or been a fault, since the last look; durations are counted with the former. */
  #isUnchanged(cells: Float64Array, row: number): boolean {
    const last = this.#last;
    let isUnchanged = true;
    for (let side = 0; side < 2; side++) {
      const requests = requestsAt(cells, cellsOf(row, side));
      const faults = cells[cellsOf(row, side) + AT_ATTEMPTS + OUTCOME_FAULT] as number;
      isUnchanged &&= last[2 * side] === requests && last[2 * side + 1] === faults;
      last[2 * side] = requests;
      last[2 * side + 1] = faults;
    }
    return isUnchanged;
  }

  #read(at: number, cells: Float64Array, row: number): void {
    for (let side = 0; side < 2; side++) {
      const from = cellsOf(row, side);
      const to = at * COUNTS + side * SIDE_COUNTS;
      this.#sums[to] = this.#last[2 * side] as number;
      this.#sums[to + 1] = this.#last[2 * side + 1] as number;
      for (let bucket = 0; bucket < BUCKETS; bucket++) {
        this.#sums[to + 2 + bucket] = cells[from + AT_DURATION + bucket] as number;
      }
    }
  }

  /** Requests under way, of old and of new. */
  get inflight(): readonly [old: number, new: number] {
    return this.#inflight;
  }

  /** What a side has done in the last seconds before `tick`. */
  span(tick: number, seconds: number, side: number): SideSpan {
    const now = (tick % this.#seconds) * COUNTS + side * SIDE_COUNTS;
    const since = Math.max(0, tick - seconds);
    const then = (since % this.#seconds) * COUNTS + side * SIDE_COUNTS;
    const sums = this.#sums;
    const rise = (i: number): number => (sums[now + i] as number) - (sums[then + i] as number);
    for (let bucket = 0; bucket < BUCKETS; bucket++) durations[bucket] = rise(2 + bucket);
    return [rise(0), rise(1), bucketQuantile(durations, 0.5), bucketQuantile(durations, 0.99)];
  }

  /** Of the last seconds before `tick`, those since the first one in which a request ended; 0: in none. */
  busySeconds(tick: number, seconds: number): number {
    const since = Math.max(0, tick - seconds);
    const before = this.#requests(since);
    for (let at = since + 1; at <= tick; at++) if (this.#requests(at) > before) return tick - at + 1;
    return 0;
  }

  /** Whether anything was counted since the start. */
  isUsed(tick: number): boolean {
    return this.#requests(tick) > 0;
  }

  #requests(tick: number): number {
    const at = (tick % this.#seconds) * COUNTS;
    return (this.#sums[at] as number) + (this.#sums[at + SIDE_COUNTS] as number);
  }

  get isCharted(): boolean {
    return this.#slots !== undefined;
  }

  /** @param lengths slots of each ring */
  chart(lengths: readonly number[]): void {
    this.#slots = lengths.map((length) => new Float32Array(length * SLOT_VALUES));
  }

  /** Writes a slot of a ring: the last seconds before `tick`. */
  write(ring: number, slot: number, tick: number, seconds: number, weight: number): void {
    const slots = this.#slots?.[ring];
    if (slots === undefined) return;
    const at = slot * SLOT_VALUES;
    slots.set(this.span(tick, seconds, 0), at);
    slots.set(this.span(tick, seconds, 1), at + SIDE_VALUES);
    slots[at + 2 * SIDE_VALUES] = weight;
  }

  /** A value of a slot: 0 requests, 1 faults, 2 p50, 3 p99 of old, 4 to 7 of new, 8 weight. 0 when the route was not charted then. */
  value(ring: number, slot: number, index: number): number {
    return this.#slots?.[ring]?.[slot * SLOT_VALUES + index] ?? 0;
  }
}
