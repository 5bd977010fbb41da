import type { Route } from './api.ts';

/** A second, over the last looks. */
export interface SideRate {
  readonly requests: number;
  readonly faults: number;
}

interface Look {
  readonly at: number;
  readonly routes: ReadonlyMap<string, Route>;
}

/** What goes on, from counters that only grow. */
export class Rates {
  readonly #windowMs: number;
  #looks: readonly Look[] = [];

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** @param now milliseconds of a clock that never goes back */
  add(routes: readonly Route[], now: number): Map<string, { old: SideRate; new: SideRate }> {
    const look = { at: now, routes: new Map(routes.map((route) => [route.name, route])) };
    this.#looks = [...this.#looks.filter(({ at }) => now - at <= this.#windowMs), look];
    const [first] = this.#looks as [Look];
    const rates = new Map<string, { old: SideRate; new: SideRate }>();
    for (const route of routes) {
      const before = first.routes.get(route.name);
      const seconds = (now - first.at) / 1000;
      if (before === undefined || seconds === 0) continue;
      const sides = { old: rate(before.old, route.old, seconds), new: rate(before.new, route.new, seconds) };
      rates.set(route.name, sides);
    }
    return rates;
  }
}

/** A replica that was started anew begins at 0. */
function rate(before: Route['old'], after: Route['old'], seconds: number): SideRate {
  const grown = (from: number, to: number) => Math.max(0, to - from) / seconds;
  return { requests: grown(before.requests, after.requests), faults: grown(before.faults, after.faults) };
}
