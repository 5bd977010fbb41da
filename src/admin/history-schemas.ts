/** What has been changed, what has been refused, and how to ask for it. */
import { z } from 'zod';
import type { TimedRefusal } from './refusals.ts';
import { CutoverName, Milliseconds, Percentage, Revision } from './schema-terms.ts';

const Position = z.object({ weight: Percentage, state: CutoverName, frozen: z.boolean() }).meta({ id: 'Position' });

export const Entry = z
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
