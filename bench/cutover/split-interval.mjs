// @ts-check
/**
 * Where the number of successes of n independent draws falls, but for a chance of at most 1 - confidence, half of it on each side:
 * exact, by summing the binomial distribution outward from its mode, so that small shares and small n are right too.
 * @param {number} n
 * @param {number} share of each draw, 0 to 1
 * @param {number} confidence 0.999: a correct proxy falls outside once in a thousand steps
 * @returns {[lowest: number, highest: number]} both inside
 */
export function splitInterval(n, share, confidence) {
  if (n === 0 || share <= 0) return [0, 0];
  if (share >= 1) return [n, n];
  const mode = Math.min(n, Math.floor((n + 1) * share));
  const odds = share / (1 - share);
  // Weights relative to the mode's; what is below 1e-20 of it changes no digit.
  const below = series((k) => (k <= 0 ? 0 : k / (n - k + 1) / odds), mode, -1);
  const above = series((k) => (k >= n ? 0 : ((n - k) / (k + 1)) * odds), mode, 1);
  const tail = ((1 - confidence) / 2) * (1 + sum(below) + sum(above));
  return [mode - reach(below, tail), mode + reach(above, tail)];
}

/** @param {number[]} weights */
const sum = (weights) => weights.reduceRight((total, weight) => total + weight, 0);

/**
 * @param {(k: number) => number} ratio of the next weight to that of k
 * @param {number} from
 * @param {1 | -1} step
 */
function series(ratio, from, step) {
  const weights = [];
  let weight = 1;
  for (let k = from; ; k += step) {
    weight *= ratio(k);
    if (weight < 1e-20) return weights;
    weights.push(weight);
  }
}

/**
 * How many values outward from the mode stay inside when at most `tail` of the weight may be cut off.
 * @param {number[]} weights
 * @param {number} tail
 */
function reach(weights, tail) {
  let cut = 0;
  let inside = weights.length;
  while (inside > 0 && cut + (weights[inside - 1] ?? 0) <= tail) {
    cut += weights[inside - 1] ?? 0;
    inside -= 1;
  }
  return inside;
}
