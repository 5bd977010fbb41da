/** Which endpoints fail more often than their peers, by chance or not. */

export interface Tally {
  readonly attempts: number;
  readonly faults: number;
}

/** Attempts of an endpoint, and of its peers together, below which a window says nothing. */
const LEAST_ATTEMPTS = 50;
/** Standard errors; by chance alone one window in 30,000 goes beyond. */
const Z = 4;
/** A difference that small is nobody's concern, however sure it is. */
const LEAST_EXCESS = 0.05;

/**
 * Endpoints whose share of faults in a window is higher than that of all the others together: the pooled two-proportion z-test, each
 * left out in turn. (A standard deviation over endpoints, as other proxies take, says nothing with two or three of them.)
 * @returns keys, the worst first
 */
export function outliers(window: ReadonlyMap<string, Tally>): string[] {
  let attempts = 0;
  let faults = 0;
  for (const tally of window.values()) {
    attempts += tally.attempts;
    faults += tally.faults;
  }
  const pooled = faults / attempts;
  const found: { key: string; excess: number }[] = [];
  for (const [key, own] of window) {
    const others = { attempts: attempts - own.attempts, faults: faults - own.faults };
    if (own.attempts < LEAST_ATTEMPTS || others.attempts < LEAST_ATTEMPTS) continue;
    const excess = own.faults / own.attempts - others.faults / others.attempts;
    const error = Math.sqrt(pooled * (1 - pooled) * (1 / own.attempts + 1 / others.attempts));
    if (excess >= LEAST_EXCESS && excess > Z * error) found.push({ key, excess });
  }
  return found.sort((a, b) => b.excess - a.excess).map(({ key }) => key);
}
