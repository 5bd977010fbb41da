/** The last hour of every route in memory, for charts and for what stands on screen now. Sampled once a second, from sums that are there anyway. */
import { ppmToPercent } from '../domain/route.ts';
import type { SeriesView, SideSeries, StatsRow } from './control.ts';
import { RouteHistory } from './route-history.ts';

/** Seconds that `row` looks back. */
const STATS_SECONDS = 10;
/** Finest first. */
const RINGS = [
  { seconds: 1, slots: 300 },
  { seconds: 10, slots: 360 },
] as const;
/** Routes with a chart: those that were first asked for something. 24 KB each. */
const CHARTED = 2_000;

export interface SeriesSource {
  /** Names of the present routes, in the order of `cells`. */
  readonly routes: readonly string[];
  readonly cells: Float64Array;
  weightsPpm(): ArrayLike<number>;
}

interface Entry {
  readonly history: RouteHistory;
  /** The tick that the route was new at, since `span` must not look further back. */
  readonly sinceTick: number;
}

export class Series {
  readonly #source: SeriesSource;
  readonly #clock: () => number;
  readonly #entries = new Map<string, Entry>();
  /** By ring: when each slot ended, 0 for one that is still empty. */
  readonly #ends = RINGS.map(({ slots }) => new Float64Array(slots));
  /** Of the last sample. */
  #tick = -1;
  #order: readonly string[] = [];
  /** In that order. */
  #rows: readonly Entry[] = [];
  #charted = 0;

  /** @param clock milliseconds since 1970 */
  constructor(source: SeriesSource, clock: () => number) {
    this.#source = source;
    this.#clock = clock;
  }

  /** To be called once a second. */
  sample(): void {
    const { routes, cells } = this.#source;
    // While a slow start has not laid out the counts yet.
    if (cells.length === 0) return;
    const weights = this.#source.weightsPpm();
    const tick = ++this.#tick;
    const due = RINGS.map(({ seconds, slots }) => (tick % seconds === 0 ? Math.floor(tick / seconds) % slots : -1));
    for (const [ring, slot] of due.entries()) if (slot !== -1) (this.#ends[ring] as Float64Array)[slot] = this.#clock();
    if (routes !== this.#order) this.#reorder(routes);
    for (let row = 0; row < this.#rows.length; row++) {
      const { history, sinceTick } = this.#rows[row] as Entry;
      const age = tick - sinceTick;
      history.take(age, cells, row);
      if (!history.isCharted) {
        if (this.#charted === CHARTED || !history.isUsed(age)) continue;
        history.chart(RINGS.map(({ slots }) => slots));
        this.#charted++;
      }
      const weight = ppmToPercent(weights[row] as number);
      for (const [ring, slot] of due.entries()) {
        if (slot !== -1) history.write(ring, slot, age, (RINGS[ring] as (typeof RINGS)[number]).seconds, weight);
      }
    }
  }

  /** Routes that are no more are forgotten. */
  #reorder(routes: readonly string[]): void {
    const present = new Set(routes);
    for (const [name, { history }] of this.#entries) {
      if (present.has(name)) continue;
      this.#entries.delete(name);
      if (history.isCharted) this.#charted--;
    }
    this.#order = routes;
    this.#rows = routes.map((name) => this.#entryOf(name));
  }

  #entryOf(name: string): Entry {
    const known = this.#entries.get(name);
    if (known !== undefined) return known;
    const entry = { history: new RouteHistory(STATS_SECONDS), sinceTick: this.#tick };
    this.#entries.set(name, entry);
    return entry;
  }

  /** Of the last ten seconds; zeros for a route that was never sampled. */
  row(name: string): StatsRow {
    const entry = this.#entries.get(name);
    if (entry === undefined) return [0, 0, null, null, 0, 0, 0, null, null, 0];
    const { history, sinceTick } = entry;
    const age = this.#tick - sinceTick;
    const [old, oldFaults, oldP50, oldP99] = history.span(age, STATS_SECONDS, 0);
    const [fresh, newFaults, newP50, newP99] = history.span(age, STATS_SECONDS, 1);
    const [underWayOld, underWayNew] = history.inflight;
    return [
      old,
      oldFaults,
      milliseconds(oldP50),
      milliseconds(oldP99),
      underWayOld,
      fresh,
      newFaults,
      milliseconds(newP50),
      milliseconds(newP99),
      underWayNew,
    ];
  }

  /**
   * What the counts of `row` are to be divided by for a rate: of its ten seconds those since traffic began in them, so that a rate is not
   * told too low while it is new. Without traffic 1: nothing is known of a rate then, and it is 0.
   */
  seconds(name: string): number {
    const entry = this.#entries.get(name);
    if (entry === undefined) return 1;
    return Math.max(1, entry.history.busySeconds(this.#tick - entry.sinceTick, STATS_SECONDS));
  }

  /** Undefined: no such route. */
  of(name: string): SeriesView | undefined {
    const history = this.#entries.get(name)?.history;
    if (history === undefined) return undefined;
    return { route: name, rings: RINGS.map((_, ring) => this.#ring(history, ring)) };
  }

  #ring(history: RouteHistory, ring: number): SeriesView['rings'][number] {
    const { seconds, slots } = RINGS[ring] as (typeof RINGS)[number];
    const ends = this.#ends[ring] as Float64Array;
    const newest = Math.floor(this.#tick / seconds) % slots;
    const order = Array.from({ length: slots }, (_, i) => (newest + 1 + i) % slots).filter((slot) => ends[slot] !== 0);
    const column = (index: number): number[] => order.map((slot) => history.value(ring, slot, index));
    const side = (first: number): SideSeries => ({
      requests: column(first),
      faults: column(first + 1),
      p50: column(first + 2).map(milliseconds),
      p99: column(first + 3).map(milliseconds),
    });
    const at = order.map((slot) => ends[slot] as number);
    return { seconds, at, weight: column(8), old: side(0), new: side(4) };
  }
}

/** To the tenth; null for NaN, which JSON has not. */
function milliseconds(value: number): number | null {
  return Number.isNaN(value) ? null : Math.round(value * 10) / 10;
}
