/** Shapes of what routes have done lately, and of what a change would move. */
import { z } from 'zod';
import { Percent } from '../config/percent.ts';
import type { PreviewView, SeriesView } from '../control/control.ts';

const Quantile = z.array(z.number().nullable()).describe('Milliseconds; null without requests.');
const SideSeries = z
  .object({ requests: z.array(z.int()), faults: z.array(z.int()), p50: Quantile, p99: Quantile })
  .meta({ id: 'SideSeries', description: 'One value a slot.' });

export const Series = z
  .object({
    route: z.string(),
    rings: z
      .array(
        z.object({
          seconds: z.int().describe('That a slot spans.'),
          at: z.array(z.number()).describe('When each slot ended, in milliseconds since 1970, oldest first.'),
          weight: z.array(z.number()).describe('Percent.'),
          old: SideSeries,
          new: SideSeries,
        }),
      )
      .describe('The last five minutes by the second, the last hour by ten seconds.'),
  })
  .meta({ id: 'Series' }) satisfies z.ZodType<SeriesView>;

export const SeriesQuery = z.strictObject({ route: z.string().min(1).describe('Name of the route.') });

const NowThen = z.object({ now: z.number(), after: z.number() });
export const Preview = z
  .object({
    weight: NowThen.describe('Percent.'),
    requestsPerSecond: z.object({ old: NowThen, new: NowThen }),
    users: z
      .object({ percent: z.number(), by: z.array(z.string()).describe('What tells them apart.') })
      .nullable()
      .describe('How many of the users would change sides; null: the route is not sticky.'),
    headroom: z
      .object({
        endpoints: z.int(),
        connections: z.int().describe('Most that all workers may open to the endpoints; 0: no limit.'),
        inflight: NowThen.describe('Requests under way.'),
      })
      .describe('Of the new side.'),
  })
  .meta({ id: 'Preview' }) satisfies z.ZodType<PreviewView>;

export const PreviewQuery = z.strictObject({
  weight: z
    .string({ error: 'must be given, in percent' })
    // JavaScript reads an empty text as 0.
    .regex(/^[+-]?\d+(?:\.\d+)?$/, { error: 'must be a number, in percent' })
    .transform(Number)
    .pipe(Percent)
    .meta({ type: 'number', minimum: 0, maximum: 100, pattern: undefined })
    .describe('Share of the new side in percent.'),
});
