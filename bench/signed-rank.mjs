// @ts-check
// The middle of differences, by Wilcoxon's signed ranks: single ones far off, which move a mean, hardly move it.

/** Of the standard normal distribution, two-sided. */
const Z_95 = 1.96;

/**
 * The median of the means of all pairs (Hodges and Lehmann, Ann. Math. Statist. 34, 1963), and the interval that it lies in with 95 percent:
 * the values that the signed-rank test does not refuse, by its normal approximation.
 * @param {readonly number[]} values ten or more
 * @returns {{ middle: number, low: number, high: number }}
 */
export function middleOf(values) {
  const count = values.length;
  const means = values.flatMap((one, i) => values.slice(i).map((other) => (one + other) / 2)).sort((a, b) => a - b);
  const spread = Math.sqrt((count * (count + 1) * (2 * count + 1)) / 24);
  const outside = Math.max(0, Math.floor(means.length / 2 - Z_95 * spread));
  const at = (/** @type {number} */ index) => means[index] ?? Number.NaN;
  const half = means.length >> 1;
  const middle = means.length % 2 === 1 ? at(half) : (at(half - 1) + at(half)) / 2;
  return { middle, low: at(outside), high: at(means.length - 1 - outside) };
}
