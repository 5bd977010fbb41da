import { z } from 'zod';
import { Duration } from './duration.ts';
import { OwnFieldName } from './name.ts';
import { Percent } from './percent.ts';

const alpha = z.number().gt(0).lt(1);
const rho = z.number().min(1);
const delta = z.number().min(0).max(1);
const factor = z.number().min(1);
const adviseOnly = z.boolean();

/** What a new side is judged by, where its route says nothing else (DESIGN section 5). */
export const DefaultJudge = z.strictObject({
  /** Chance of ever rolling back a new side within tolerance, per route and test. */
  alpha: alpha.default(0.001),
  /** The new side's fault rate may be `rho` times the old side's, plus `delta`. */
  rho: rho.default(1),
  delta: delta.default(0.001),
  /** Slow is above `factor` times the old side's quantile and above it by `slack`. */
  latency: z.strictObject({ factor: factor.default(1.25), slack: Duration.prefault('25ms') }).prefault({}),
  /** Absolute fault rate of the new side, in percent, that is too much whatever the old side does; 0: none is. */
  ceiling: Percent.prefault(25),
  /** Judged and reported, never moved. */
  adviseOnly: adviseOnly.default(false),
});

/** What is left out is as in the defaults. */
export const Judge = z.strictObject({
  alpha: alpha.exactOptional(),
  rho: rho.exactOptional(),
  delta: delta.exactOptional(),
  latency: z.strictObject({ factor: factor.exactOptional(), slack: Duration.exactOptional() }).exactOptional(),
  ceiling: Percent.exactOptional(),
  adviseOnly: adviseOnly.exactOptional(),
});

/** In full, as it stands in a request's target. */
const GrpcMethod = z.string().regex(/^[\w.]+\/\w+$/, { error: 'must be a gRPC method such as shop.v1.Shop/Get' });

/**
 * Sending a request that failed again, also to the other side: share of requests, whether new may rescue old, and how much of a body is kept for it.
 * `safeMethods` are gRPC methods, `package.Service/Method`, that may be called twice; `responseField` names a field that tells clients of a rescue.
 */
export const Rescue = z.strictObject({
  budget: Percent.prefault(20),
  toNew: z.boolean().default(false),
  bodyBytes: z.int().min(0).max(16_777_216).default(65_536),
  safeMethods: z.array(GrpcMethod).default([]),
  responseField: OwnFieldName.exactOptional(),
});
