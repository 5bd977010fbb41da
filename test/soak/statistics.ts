/** Least-squares slope of values over times. */
export function slope(points: readonly (readonly [time: number, value: number])[]): number {
  const count = points.length;
  const meanTime = points.reduce((sum, [time]) => sum + time, 0) / count;
  const meanValue = points.reduce((sum, [, value]) => sum + value, 0) / count;
  let above = 0;
  let below = 0;
  for (const [time, value] of points) {
    above += (time - meanTime) * (value - meanValue);
    below += (time - meanTime) ** 2;
  }
  return below === 0 ? 0 : above / below;
}

export interface Share {
  readonly of: number;
  readonly toNew: number;
  /** Of the new side, above 0 and below 1. */
  readonly share: number;
}

/**
 * Chi-square of the shares against what they should be, its degrees of freedom, and the chance of one at least as large, by the
 * approximation of Wilson and Hilferty (1931).
 */
export function chiSquare(shares: readonly Share[]): { chi2: number; degrees: number; p: number } {
  const counted = shares.filter(({ of, share }) => of * share * (1 - share) >= 5);
  const chi2 = counted.reduce(
    (sum, { of, toNew, share }) => sum + (toNew - of * share) ** 2 / (of * share * (1 - share)),
    0,
  );
  const degrees = counted.length;
  if (degrees === 0) return { chi2, degrees, p: 1 };
  const spread = 2 / (9 * degrees);
  return { chi2, degrees, p: upperTail(((chi2 / degrees) ** (1 / 3) - (1 - spread)) / Math.sqrt(spread)) };
}

/** Of the standard normal distribution (Abramowitz and Stegun, 26.2.17). */
function upperTail(z: number): number {
  if (z < 0) return 1 - upperTail(-z);
  const t = 1 / (1 + 0.2316419 * z);
  const series = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * series;
}
