/** A route as the admin API shows it, and its ramp. */
import { z } from 'zod';
import type { RampPreview, RampView, RouteView, UnconfiguredView } from '../control/control.ts';
import { CutoverName, Milliseconds, Percentage, Revision } from './schema-terms.ts';

const Side = z
  .object({
    backend: z.string(),
    requests: z.number().describe('Since the supervisor started.'),
    faults: z.number().describe('Since the supervisor started.'),
    endpoints: z.array(z.string()).describe('`host:port` of each endpoint that is known.'),
    ailing: z
      .array(
        z.object({
          endpoint: z.string(),
          state: z
            .enum(['starting', 'unhealthy', 'ejected', 'unreachable', 'draining'])
            .describe(
              'Not checked yet; checks fail; requests failed on it; connections to it fail; its source has it no more.',
            ),
          reason: z.string(),
          since: Milliseconds,
        }),
      )
      .describe('The endpoints that are not healthy, and those that have left within a minute.'),
  })
  .meta({ id: 'Side' });

export const Applied = z
  .object({
    replicas: z.int().describe('Replicas whose workers all serve the revision.'),
    of: z.int(),
    ms: z.number().nullable().describe("From the store's acknowledgement to the last worker's; null while under way."),
  })
  .meta({ id: 'Applied', examples: [{ replicas: 1, of: 1, ms: 9 }] });

const Gate = z
  .union([z.literal('approval'), z.object({ newRequests: z.int().min(1) })])
  .nullable()
  .describe('What must hold beside the time and a healthy verdict before the step is left.');

const StepShown = z.object({ weight: Percentage, hold: z.number().describe('Milliseconds, at least.'), gate: Gate });

const RampShown = z
  .object({
    template: z.string().nullable().describe('Name in the configuration; null: the steps were given by hand.'),
    step: z.int().describe('From 1.'),
    of: z.int(),
    weight: Percentage,
    since: Milliseconds.describe("When the step's hold began, by the store's clock."),
    steps: z.array(StepShown),
    next: z
      .object({ weight: Percentage, at: Milliseconds.nullable().describe('When the hold ends; null: nothing runs.') })
      .nullable()
      .describe('Null: the step is the last.'),
    gate: Gate,
    newRequests: z.number().describe("Of the new side, judged at the step's weight by all replicas."),
    waiting: z
      .object({
        for: z.enum([
          'hold',
          'newRequests',
          'approval',
          'verdict',
          'breach',
          'endpoints',
          'capacity',
          'paused',
          'frozen',
          'resume',
          'store',
        ]),
        reason: z.string(),
      })
      .nullable()
      .describe('Why it does not go on at this moment; null: it is about to.'),
  })
  .meta({ id: 'Ramp' }) satisfies z.ZodType<RampView>;

export const RampPlanned = z
  .object({
    kind: z.literal('plan'),
    template: z.string().nullable(),
    steps: z.array(StepShown),
    begins: z.int().nullable().describe('From 1: the first step that does not lower the route; null: all would.'),
  })
  .meta({ id: 'RampPlan' }) satisfies z.ZodType<RampPreview>;

export const Route = z
  .object({
    name: z.string(),
    weight: Percentage.describe('Share of the new side in percent.'),
    revision: Revision,
    state: CutoverName,
    reason: z.string().describe('Why the route is where it is.'),
    frozen: z.boolean().describe('A frozen route refuses to be raised.'),
    from: Percentage.nullable().describe('What a rollback took away, while the route is rolled back.'),
    old: Side,
    new: Side,
    evidence: z.object({
      value: z.number(),
      threshold: z.number(),
      verdict: z.enum(['healthy', 'inconclusive', 'breach']),
      reason: z.string(),
    }),
    ramp: RampShown.nullable(),
    applied: Applied,
  })
  .meta({
    id: 'Route',
    examples: [
      {
        name: 'search',
        weight: 25,
        revision: 42,
        state: 'steady',
        reason: 'step 3 of the move',
        frozen: false,
        from: null,
        old: { backend: 'search-helios', requests: 9120, faults: 2, endpoints: ['10.0.0.7:31002'], ailing: [] },
        new: { backend: 'search-kubernetes', requests: 1011, faults: 0, endpoints: ['10.1.4.2:8080'], ailing: [] },
        evidence: { value: 0, threshold: 3, verdict: 'inconclusive', reason: 'nothing is judged yet' },
        ramp: null,
        applied: { replicas: 1, of: 1, ms: 9 },
      },
    ],
  }) satisfies z.ZodType<RouteView>;

export const Routes = z.object({ routes: z.array(Route) }).meta({ id: 'Routes' });

const Unconfigured = z
  .object({ name: z.string(), weight: Percentage, revision: Revision, state: CutoverName, frozen: z.boolean() })
  .meta({ id: 'Unconfigured' }) satisfies z.ZodType<UnconfiguredView>;

export const RouteList = z
  .object({
    routes: z.array(Route),
    unconfigured: z.array(Unconfigured).describe('Routes that the store has and this replica does not serve.'),
  })
  .meta({ id: 'RouteList' });
