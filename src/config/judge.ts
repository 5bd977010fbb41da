import { z } from 'zod';
import { Duration } from './duration.ts';
import { Percent } from './percent.ts';

/** What a new side is judged by (DESIGN section 5). */
export const Judge = z.strictObject({
  /** Chance of ever rolling back a new side within tolerance, per route and test. */
  alpha: z.number().gt(0).lt(1).default(0.001),
  /** The new side's fault rate may be `rho` times the old side's, plus `delta`. */
  rho: z.number().min(1).default(1),
  delta: z.number().min(0).max(1).default(0.001),
  /** Slow is above `factor` times the old side's quantile and above it by `slack`. */
  latency: z.strictObject({ factor: z.number().min(1).default(1.25), slack: Duration.prefault('25ms') }).prefault({}),
  /** Absolute fault rate of the new side that is too much whatever the old side does. */
  ceiling: Percent.prefault(25),
  /** Judged and reported, never moved. */
  adviseOnly: z.boolean().default(false),
});

/** Sending a request that failed on one side to the other: share of requests, and whether new may rescue old. */
export const Rescue = z.strictObject({ budget: Percent.prefault(20), toNew: z.boolean().default(false) });
