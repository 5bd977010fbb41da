/**
 * What one response is worth as evidence against "the new side's fault rate is at most rho x the old side's + delta": the factors that
 * a wager on a worse new side is multiplied by. Each wager expects at most 1 from every response for as long as that holds, whatever the
 * rates are and however they move, since on the line pNew = rho x pOld + delta its expectation is 1 by the choice of `u0`.
 */

export interface Tolerance {
  /** Above 0; where it is below 1, `rho + delta` is at most 1. */
  readonly rho: number;
  /** A share of requests, in [0, 1). */
  readonly delta: number;
  /**
   * The new side's rate that is tolerated where the old side says nothing, since it is not drawn or was not lately; absent: then nothing is
   * wagered.
   */
  readonly alone?: number;
  /** How much worse than tolerated the new side is, in share of requests, one wager each; default: eight, from 0.05 percent to 99. */
  readonly gaps?: readonly number[];
}

const GAPS: readonly number[] = [0.0005, 0.002, 0.008, 0.03, 0.12, 0.45, 0.9, 0.99];

/** All wagers are made at once and averaged. */
export function wagersOf({ gaps = GAPS }: Tolerance): number {
  return gaps.length;
}

/** Rates of a wager end here: one that is sure of a fault would be ruined by the first ok. */
const HIGHEST_RATE = 0.995;

/** Of a root, relative; numbers have 2.2e-16. */
const PRECISION = 1e-15;
/** Bisection alone needs fewer than 70. */
const MOST_STEPS = 100;

/** Logarithms by wager. */
export interface Factors {
  readonly newFault: Float64Array;
  readonly newOk: Float64Array;
  readonly oldFault: Float64Array;
  readonly oldOk: Float64Array;
}

/** Of no worth at all. */
export function noFactors(wagers: number): Factors {
  return {
    newFault: new Float64Array(wagers),
    newOk: new Float64Array(wagers),
    oldFault: new Float64Array(wagers),
    oldOk: new Float64Array(wagers),
  };
}

/**
 * Fills in what responses are worth that were drawn with this weight.
 * @param weight the new side's share; with 0 or 1 one side draws nothing, there is nothing to compare, and all factors are 1 (but see `alone`)
 * @param u the old side's fault rate as it was expected beforehand, in (0, 1)
 */
export function fillFactors(factors: Factors, tolerance: Tolerance, weight: number, u: number): void {
  const { rho, delta, alone, gaps = GAPS } = tolerance;
  if (weight === 1 && alone !== undefined) {
    fillAlone(factors, alone, gaps);
    return;
  }
  const tolerated = rho * u + delta;
  for (let k = 0; k < gaps.length; k++) {
    const v = Math.min(HIGHEST_RATE, tolerated + (gaps[k] as number));
    const isWager = v > tolerated && weight > 0 && weight < 1;
    const u0 = isWager ? nearestTolerated(rho, delta, weight, u, v) : 0;
    const v0 = rho * u0 + delta;
    factors.newFault[k] = isWager ? Math.log(v / v0) : 0;
    factors.newOk[k] = isWager ? Math.log((1 - v) / (1 - v0)) : 0;
    factors.oldFault[k] = isWager ? Math.log(u / u0) : 0;
    factors.oldOk[k] = isWager ? Math.log((1 - u) / (1 - u0)) : 0;
  }
}

/** The new side against a rate, whatever the old one does. */
function fillAlone(factors: Factors, tolerated: number, gaps: readonly number[]): void {
  factors.oldFault.fill(0);
  factors.oldOk.fill(0);
  for (let k = 0; k < gaps.length; k++) {
    const v = Math.min(HIGHEST_RATE, tolerated + (gaps[k] as number));
    const isWager = v > tolerated;
    factors.newFault[k] = isWager ? Math.log(v / tolerated) : 0;
    factors.newOk[k] = isWager ? Math.log((1 - v) / (1 - tolerated)) : 0;
  }
}

/**
 * The old side's rate at the point of the line that explains rates `u` and `v` best: where
 * w rho (v0 - v) / (v0 (1 - v0)) + (1 - w) (u0 - u) / (u0 (1 - u0)) is 0, with v0 = rho u0 + delta, between u0 = u and v0 = v.
 */
function nearestTolerated(rho: number, delta: number, weight: number, u: number, v: number): number {
  if (rho === 1 && delta === 0) return weight * v + (1 - weight) * u;
  let low = u;
  let high = (v - delta) / rho;
  let u0 = (low + high) / 2;
  // Bisection, with Newton's step wherever that stays within: ten times as fast, and every bucket of every route needs eight of these.
  for (let step = 0; step < MOST_STEPS; step++) {
    const v0 = rho * u0 + delta;
    // The equation times both denominators, which are above 0, and its derivative.
    const value = weight * rho * (v0 - v) * u0 * (1 - u0) + (1 - weight) * (u0 - u) * v0 * (1 - v0);
    const slope =
      weight * rho * (rho * u0 * (1 - u0) + (v0 - v) * (1 - 2 * u0)) +
      (1 - weight) * (v0 * (1 - v0) + rho * (u0 - u) * (1 - 2 * v0));
    if (Math.abs(value) <= PRECISION * u0 * slope) break;
    if (value < 0) low = u0;
    else high = u0;
    const next = u0 - value / slope;
    u0 = next > low && next < high ? next : (low + high) / 2;
  }
  return u0;
}
