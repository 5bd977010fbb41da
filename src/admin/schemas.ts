/** Shapes of the admin API: checked on the way in, documented on both ways. Weights are percent, times milliseconds. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { Percent } from '../config/percent.ts';
import { Ramp } from '../config/ramp.ts';
import type {
  ExplainView,
  RampPreview,
  RampView,
  RouteView,
  StatusView,
  UnconfiguredView,
} from '../control/control.ts';
import { PROBLEMS, type ProblemBody, type ProblemCode } from './problem.ts';
import type { TimedRefusal } from './refusals.ts';

const Revision = z.int().min(0).describe('Rises with every change, never falls.');
const Percentage = z.number().min(0).max(100);
const Milliseconds = z.number().describe('Milliseconds since 1970.');
const CutoverName = z.enum(['steady', 'ramping', 'paused', 'held', 'rolledBack', 'completed']);

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

const Applied = z
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

export const Status = z
  .object({
    version: z.string(),
    fleet: z.string(),
    epoch: z.string(),
    revision: Revision,
    stateAgeMs: z.number().describe('Since the store last confirmed the state.'),
    store: z.object({ kind: z.string(), up: z.boolean(), reason: z.string().nullable() }),
    ready: z.boolean(),
    notReady: z.string().nullable().describe('Why not ready.'),
    workers: z.array(z.object({ pid: z.int(), revision: z.int(), ready: z.boolean() })),
    applied: Applied,
    replicas: z
      .array(
        z.object({
          id: z.string(),
          address: z.string().nullable().describe('`host:port` of its admin API.'),
          revision: z.int().describe('That all its workers serve; -1: none.'),
          applied: z.boolean().describe('Whether that is the newest.'),
          seenMs: z.number().describe('Since it said so.'),
        }),
      )
      .describe('The living replicas of the fleet, this one first.'),
    backends: z.array(
      z.object({
        name: z.string(),
        discovery: z.string().describe('static, dns, helios or kubernetes.'),
        endpoints: z.int().describe('How many are known.'),
        ageMs: z.number().nullable().describe('Since the source last confirmed them; null: it never has.'),
        alarm: z.string().nullable().describe('What is wrong with the source; the last good endpoints stay in use.'),
      }),
    ),
    alarm: z
      .string()
      .nullable()
      .describe(
        'A line each: the store holds what does not follow from what is served; the last refused reload; a backend whose source fails.',
      ),
    routes: z.int(),
  })
  .meta({ id: 'Status' }) satisfies z.ZodType<StatusView>;

const Position = z.object({ weight: Percentage, state: CutoverName, frozen: z.boolean() }).meta({ id: 'Position' });

const Entry = z
  .object({
    revision: Revision,
    at: Milliseconds,
    verb: z.string().describe('set, rollback, undo, freeze, unfreeze, …; init is the first appearance of a route.'),
    actor: z.string(),
    reason: z.string(),
    evidence: z
      .object({
        verdict: z.enum(['healthy', 'inconclusive', 'breach']),
        value: z.number(),
        threshold: z.number(),
        reason: z.string(),
        newRequests: z.number(),
        counts: z
          .object({
            oldRequests: z.number(),
            oldFaults: z.number(),
            newRequests: z.number(),
            newFaults: z.number(),
          })
          .optional(),
      })
      .optional()
      .describe('What the judge said of the route, where it was asked.'),
    forced: z.literal(true).optional().describe('A guard was overruled.'),
    routes: z.array(z.object({ route: z.string(), before: Position.nullable(), after: Position })),
  })
  .meta({
    id: 'HistoryEntry',
    examples: [
      {
        revision: 42,
        at: 1_780_000_000_000,
        verb: 'set',
        actor: 'local',
        reason: 'step 3 of the move',
        routes: [
          {
            route: 'search',
            before: { weight: 10, state: 'steady', frozen: false },
            after: { weight: 25, state: 'steady', frozen: false },
          },
        ],
      },
    ],
  });
export type HistoryEntry = z.infer<typeof Entry>;

const History = z.object({ entries: z.array(Entry).describe('Newest first.') }).meta({ id: 'History' });

const RefusedWrite = z
  .object({
    at: Milliseconds,
    actor: z.string().describe('Name of the token; `unknown` without a valid one, `local` where none are configured.'),
    verb: z.string(),
    route: z.string().nullable(),
    code: z.string().describe("The problem's code, such as forbidden or stale."),
    reason: z.string(),
    omitted: z.int().describe('Refusals of the same caller before this one that came too fast to be told.'),
  })
  .meta({ id: 'RefusedWrite' }) satisfies z.ZodType<TimedRefusal>;

const Refused = z.object({ refusals: z.array(RefusedWrite).describe('Newest first.') }).meta({ id: 'Refused' });

export const Told = z.union([History, Refused]);

const RequestExplained = z
  .object({
    route: z.string().nullable(),
    match: z.string(),
    key: z.object({ source: z.string(), value: z.string() }).nullable(),
    bucket: z.number().nullable(),
    weight: z.number().nullable(),
    side: z.enum(['old', 'new']).nullable(),
    backend: z.string().nullable(),
    sentence: z.string(),
  })
  .meta({ id: 'RequestExplained', description: 'Where a request would go, and why.' }) satisfies z.ZodType<ExplainView>;

const RouteExplained = z
  .object({ route: Route, last: Entry.nullable(), sentence: z.string() })
  .meta({ id: 'RouteExplained', description: 'Why a route is where it is.' });

export const Explained = z.union([RouteExplained, RequestExplained]);

export const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string(),
    code: z.enum(Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]]),
    errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
  })
  .meta({
    id: 'Problem',
    description: 'Problem details (RFC 9457).',
    examples: [
      {
        type: 'urn:crossfade:problem:stale',
        title: PROBLEMS.stale.title,
        status: 412,
        detail: 'The route is at revision 42, not 41: read it again',
        instance: '/v1/routes/search/weight',
        code: 'stale',
      },
    ],
  }) satisfies z.ZodType<ProblemBody>;

// What callers send.

const Reason = z
  .string()
  .trim()
  .min(1, { error: 'must not be empty' })
  .max(500, { error: 'must have at most 500 characters' })
  .describe('Why; kept in the history.');
const Wait = z
  .int()
  .min(0)
  .max(60_000)
  .describe('Milliseconds to wait for all workers of all replicas to serve the change; the answer says how many do.');

const Force = z.boolean().optional().describe('Past the guards that may be overruled; kept in the history.');

const NOT_AN_OBJECT = { error: 'must be a JSON object' };
export const WriteBody = z
  .strictObject({ reason: Reason.optional(), wait: Wait.optional(), force: Force }, NOT_AN_OBJECT)
  .meta({ id: 'Write', examples: [{ reason: 'search is slow' }] });
export const RollbackBody = z
  .strictObject(
    {
      reason: Reason.optional(),
      wait: Wait.optional(),
      force: z.boolean().optional().describe('Even onto an old side without a healthy endpoint.'),
      direct: z
        .boolean()
        .default(false)
        .describe(
          'On this replica alone and at once, whatever the health of the old side, store or no store: it stays at old until the same rollback has been written, for which `wait` waits.',
        ),
    },
    NOT_AN_OBJECT,
  )
  .meta({ id: 'Rollback', examples: [{ reason: 'search is slow' }] });
export const AdoptBody = z
  .strictObject(
    {
      reason: Reason,
      wait: Wait.optional(),
      keep: z
        .enum(['served', 'stored'])
        .default('served')
        .describe('What counts from now on: what this replica serves, or what the store holds.'),
      force: z.boolean().default(false).describe('Also where other replicas serve something newer than this one.'),
    },
    NOT_AN_OBJECT,
  )
  .meta({ id: 'Adopt', examples: [{ reason: 'Redis came back empty', keep: 'served' }] });
export const WeightBody = z
  .strictObject(
    {
      weight: Percent.describe('Share of the new side in percent, with at most four decimals.'),
      reason: Reason.optional().describe('Why; kept in the history. Required to raise the weight.'),
      wait: Wait.optional(),
      force: Force,
    },
    NOT_AN_OBJECT,
  )
  .meta({ id: 'Weight', examples: [{ weight: 25, reason: 'step 3 of the move', wait: 2000 }] });
export const RampBody = z
  .strictObject(
    {
      template: z.string().min(1).optional().describe('A ramp of the configuration; default: that of the route.'),
      steps: Ramp.optional().describe('Steps by hand: weight in percent, hold such as "5m", gate.'),
      dryRun: z.boolean().default(false).describe('Answers the plan and changes nothing.'),
      reason: Reason.optional(),
      wait: Wait.optional(),
      force: Force,
    },
    NOT_AN_OBJECT,
  )
  .refine(({ template, steps }) => template === undefined || steps === undefined, {
    error: 'give either template or steps',
    path: ['steps'],
  })
  .meta({ id: 'StartRamp', examples: [{ template: 'careful', reason: 'the move begins' }] });
export const UndoBody = z
  .strictObject(
    {
      revision: z.int().min(1).describe('The change to take back.'),
      reason: Reason.optional(),
      wait: Wait.optional(),
      force: Force,
    },
    NOT_AN_OBJECT,
  )
  .meta({ id: 'Undo', examples: [{ revision: 42, reason: 'wrong route' }] });

export const IfMatch = z.looseObject({
  'if-match': z.string().optional().describe('The route\'s ETag, such as `"42"`. Needed to raise a weight.'),
});

export const RouteParams = z.strictObject({ route: z.string().describe('Name of the route.') });

export const HistoryQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1000).default(50),
  route: z.string().min(1).optional().describe('Only changes of this route.'),
  before: z.coerce.number().int().min(1).optional().describe('Only changes older than this revision.'),
  refused: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true')
    .describe('Writes that were refused (401, 403, 409, 412, 428), instead of changes.'),
});

/** @param url absolute, or a path alone when the host is in a header or does not matter */
function isRequestUrl(url: string): boolean {
  return /^(?:https?:\/)?\//i.test(url) && URL.canParse(url, 'http://localhost') && !/\s/.test(url);
}

const HeaderLine = z.string().regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*$/, {
  error: 'must be name: value',
});

export const ExplainQuery = z
  .strictObject({
    route: z.string().min(1).optional().describe('A route: why it is where it is.'),
    url: z
      .string()
      .refine(isRequestUrl, { error: 'must be an absolute http or https URL, or a path' })
      .optional()
      .describe('A request: where it would go.'),
    method: z
      .string()
      .regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}$/, { error: 'must be a method token' })
      .default('GET'),
    header: z
      .union([HeaderLine, z.array(HeaderLine)], { error: 'must be name: value' })
      .optional()
      .describe('`name: value`; may be repeated.'),
    address: z
      .string()
      .refine((address) => isIP(address) !== 0, { error: 'must be an IP address' })
      .optional()
      .describe("The client's address."),
  })
  .refine(({ route, url }) => (route === undefined) !== (url === undefined), {
    error: 'give either url or route',
    path: ['url'],
  });
