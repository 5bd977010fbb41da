/** What callers send to change something. */
import { z } from 'zod';
import { Percent } from '../config/percent.ts';
import { Ramp } from '../config/ramp.ts';

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
