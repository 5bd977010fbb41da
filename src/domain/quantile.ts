/** Quantiles of durations that were only counted by bucket. */
import { DURATION_BUCKETS_SECONDS } from './counts.ts';

/**
 * As Prometheus' `histogram_quantile`: linear within the bucket that holds it, the lowest bucket beginning at 0; above the last bound that
 * bound. NaN when nothing was counted.
 * @param counts of each bucket by itself, the last of what is above all bounds
 * @returns milliseconds
 */
export function bucketQuantile(counts: ArrayLike<number>, quantile: number): number {
  let total = 0;
  for (let i = 0; i < counts.length; i++) total += counts[i] as number;
  if (total <= 0) return Number.NaN;
  let below = 0;
  for (let i = 0; i < DURATION_BUCKETS_SECONDS.length; i++) {
    const count = counts[i] as number;
    if (count > 0 && below + count >= quantile * total) {
      const lower = i === 0 ? 0 : (DURATION_BUCKETS_SECONDS[i - 1] as number);
      const upper = DURATION_BUCKETS_SECONDS[i] as number;
      return 1000 * (lower + ((upper - lower) * (quantile * total - below)) / count);
    }
    below += count;
  }
  return 1000 * (DURATION_BUCKETS_SECONDS.at(-1) as number);
}
