/** What a worker tallies for the judge under one table, by route; a route's tally is made at its first request. */
import type { RouteSpec } from '../domain/route.ts';
import type { EvidenceMessage, RouteBounds } from '../seam.ts';
import { RouteTally, type TallyRows } from './route-tally.ts';

export class Tallies {
  readonly #routes: readonly Pick<RouteSpec, 'sticky'>[];
  readonly #onUrgent: () => void;
  readonly #tallies: (RouteTally | undefined)[];
  readonly #known: { readonly route: number; readonly tally: RouteTally }[] = [];
  readonly #bounds = new Map<number, RouteBounds>();

  /** @param onUrgent what was tallied should be sent without waiting for the beat */
  constructor(routes: readonly Pick<RouteSpec, 'sticky'>[], onUrgent: () => void) {
    this.#routes = routes;
    this.#onUrgent = onUrgent;
    this.#tallies = Array.from({ length: routes.length });
  }

  of(route: number): RouteTally {
    return this.#tallies[route] ?? this.#open(route);
  }

  #open(route: number): RouteTally {
    const isSticky = (this.#routes[route]?.sticky.length ?? 0) > 0;
    const tally = new RouteTally(isSticky, this.#onUrgent);
    this.#tallies[route] = tally;
    this.#known.push({ route, tally });
    const bounds = this.#bounds.get(route);
    if (bounds !== undefined) bind(tally, bounds);
    return tally;
  }

  setBounds(all: readonly RouteBounds[]): void {
    for (const bounds of all) {
      this.#bounds.set(bounds.route, bounds);
      const tally = this.#tallies[bounds.route];
      if (tally !== undefined) bind(tally, bounds);
    }
  }

  sweep(nowMs: number): void {
    for (const { tally } of this.#known) tally.sweep(nowMs);
  }

  /** Whether what was tallied should not wait longer than for the beat. */
  get isPressing(): boolean {
    return this.#known.some(({ tally }) => tally.isPressing);
  }

  /** What was tallied since the last call; null: nothing. */
  take(): Omit<EvidenceMessage, 'kind' | 'generation' | 'isUrgent'> | null {
    const rows: TallyRows = { tallies: [], latencies: [], sightings: [] };
    const suspects: number[] = [];
    let hasNews = false;
    for (const { route, tally } of this.#known) {
      if (!tally.hasNews) continue;
      hasNews = true;
      tally.takeInto(route, rows);
      if (tally.takeSuspicion()) suspects.push(route);
    }
    if (!hasNews) return null;
    return {
      tallies: Float64Array.from(rows.tallies),
      latencies: Uint32Array.from(rows.latencies),
      sightings: Float64Array.from(rows.sightings),
      suspects,
    };
  }
}

function bind(tally: RouteTally, { bounds, windows }: RouteBounds): void {
  tally.setBounds(bounds);
  tally.setWindows(windows);
}
