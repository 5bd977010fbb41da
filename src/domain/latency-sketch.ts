/**
 * Latencies in bins whose bounds grow by a constant factor, so that any quantile is right to 2 percent and two sketches merge by adding
 * (DDSketch: Masson, Rim, Lee, VLDB 2019). Own and not a library's, because a bin is a cell: a worker adds to a typed array on the path of
 * a request, and the shared counters merge replicas by the increments that they merge everything else by.
 */

/** Milliseconds; what is shorter falls into the first bin. */
const LEAST_MS = 0.05;
const GROWTH = 1.04;
const LOG_GROWTH = Math.log(GROWTH);
/** Up to 20 minutes; what is longer falls into the last. */
export const LATENCY_BINS = 434;

export function latencyBin(ms: number): number {
  if (!(ms > LEAST_MS)) return 0;
  return Math.min(LATENCY_BINS - 1, Math.ceil(Math.log(ms / LEAST_MS) / LOG_GROWTH));
}

/** Upper bound of a bin in milliseconds. */
function binBound(bin: number): number {
  return LEAST_MS * GROWTH ** bin;
}

/**
 * The bound, in milliseconds, that a share of what was counted does not pass; undefined when nothing was counted.
 * @param bins counts by bin
 * @param share in (0, 1)
 */
export function quantile(bins: Float64Array, share: number): number | undefined {
  let total = 0;
  for (let bin = 0; bin < bins.length; bin++) total += bins[bin] as number;
  if (total <= 0) return undefined;
  let seen = 0;
  for (let bin = 0; bin < bins.length; bin++) {
    seen += bins[bin] as number;
    if (seen >= share * total) return binBound(bin);
  }
  return binBound(bins.length - 1);
}
