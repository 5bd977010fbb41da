/** How endpoints are watched, and what keeps traffic away from those that fail. */
import { z } from 'zod';
import type { CheckPolicy, EjectionPolicy, HealthPolicy } from '../domain/health-policy.ts';
import { Duration } from './duration.ts';
import { FieldValue } from './name.ts';

const Positive = (text: string) => Duration.prefault(text).refine((ms) => ms > 0, { error: 'must be longer than 0' });

/** Active checks: exactly one kind of question, every `interval`, give or take `jitter` percent of it. */
export const Health = z
  .strictObject({
    http: z
      .strictObject({
        path: z
          .string()
          .regex(/^\/[!-~]*$/, { error: 'must begin with / and have no spaces' })
          .default('/'),
        /** The Host field; the endpoint's address when absent. */
        host: FieldValue.min(1).exactOptional(),
        /** What counts as well; 200 to 399 when absent. */
        status: z.array(z.int().min(100).max(599)).min(1).exactOptional(),
      })
      .exactOptional(),
    grpc: z.strictObject({ service: z.string().max(1024).default('') }).exactOptional(),
    tcp: z.strictObject({}).exactOptional(),
    interval: Positive('5s'),
    timeout: Positive('1s'),
    /** Passed checks in a row that bring an endpoint back, and failed ones that take it out. The first check of all decides at once. */
    rise: z.int().min(1).max(100).default(2),
    fall: z.int().min(1).max(100).default(3),
    jitter: z.number().min(0).max(100).default(10),
  })
  .refine(({ http, grpc, tcp }) => [http, grpc, tcp].filter((kind) => kind !== undefined).length === 1, {
    error: 'must have exactly one of http, grpc, tcp',
  });

/** Endpoints on which requests fail are left out for a while; false: never. */
export const Ejection = z.union(
  [
    z.literal(false),
    z.strictObject({
      /** Faults in a row. */
      consecutive: z.int().min(1).max(10_000).default(5),
      /** Length of the first ejection; each further one doubles it, up to `longest`. */
      base: Positive('10s'),
      longest: Positive('5m'),
      /** Also those that fail more often than their peers, by more than chance. */
      successRate: z.boolean().default(true),
    }),
  ],
  { error: 'must be false or a mapping' },
);

/** Percent of its endpoints: with fewer well than that, all are used. */
export const PanicBelow = z.number().min(0).max(100).default(50);

interface HealthKeys {
  readonly health?: z.output<typeof Health>;
  readonly ejection: z.output<typeof Ejection>;
  readonly slowStart: number;
  readonly panicBelow: number;
}

export function resolveHealth({ health, ejection, slowStart, panicBelow }: HealthKeys): HealthPolicy {
  return {
    check: health === undefined ? null : resolveCheck(health),
    ejection: ejection === false ? null : resolveEjection(ejection),
    slowStartMs: slowStart,
    panicBelow: panicBelow / 100,
  };
}

function resolveCheck({ http, grpc, interval, timeout, rise, fall, jitter }: z.output<typeof Health>): CheckPolicy {
  const times = { intervalMs: interval, timeoutMs: timeout, rise, fall, jitter: jitter / 100 };
  if (http !== undefined) {
    const { path, host = null, status = null } = http;
    return { ask: { kind: 'http', path, host, statuses: status }, ...times };
  }
  return { ask: grpc === undefined ? { kind: 'tcp' } : { kind: 'grpc', service: grpc.service }, ...times };
}

function resolveEjection(ejection: Exclude<z.output<typeof Ejection>, false>): EjectionPolicy {
  const { consecutive, base, longest, successRate } = ejection;
  return { consecutive, baseMs: base, longestMs: longest, bySuccessRate: successRate };
}
