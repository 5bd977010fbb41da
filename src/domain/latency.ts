/**
 * What counts as slow. The old side's quantile T of closed buckets cuts both sides' latencies, the new side's behind a tolerance; so comparing
 * how often either is above its bound asks whether new is slower than tolerated, and where T lies matters to nothing but how soon it shows.
 */
import type { SlowKind } from './evidence.ts';

export const SLOW_QUANTILES: Readonly<Record<SlowKind, number>> = { slow50: 0.5, slow90: 0.9, slow99: 0.99 };

/** Milliseconds, without connecting and TLS; a response is slow when it took longer. */
export interface SlowBounds {
  readonly old: number;
  readonly new: number;
}

/**
 * @param quantileMs of the old side
 * @param tolerance the new side may take `factor` times as long, and in any case `slackMs` longer
 */
export function slowBounds(quantileMs: number, tolerance: { factor: number; slackMs: number }): SlowBounds {
  return { old: quantileMs, new: Math.max(tolerance.factor * quantileMs, quantileMs + tolerance.slackMs) };
}
