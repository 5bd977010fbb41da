import { z } from 'zod';
import { planFault, type RampStep as Step } from '../domain/ramp.ts';
import { Duration } from './duration.ts';
import { Percent } from './percent.ts';

/** A step holds its weight this long, then for its gate. The last needs no `hold`. */
const RampStep = z.strictObject({
  weight: Percent,
  hold: Duration.prefault(0),
  gate: z
    .union([z.literal('approval'), z.strictObject({ newRequests: z.int().min(1) })], {
      error: 'must be approval or { newRequests: N }',
    })
    .exactOptional(),
});

/** The steps that a route is walked through; each is above the one before. */
export const Ramp = z
  .array(RampStep)
  .min(1)
  .superRefine((steps, context) => {
    const fault = planFault(steps.map(stepOf));
    if (fault !== null) context.addIssue({ code: 'custom', message: fault });
  });

export function rampSteps(steps: z.output<typeof Ramp>): Step[] {
  return steps.map(stepOf);
}

function stepOf({ weight, hold, gate }: z.output<typeof RampStep>): Step {
  const kept =
    gate === 'approval' ? ({ kind: 'approval' } as const) : gate && { kind: 'newRequests' as const, ...gate };
  return { weightPpm: weight, holdMs: hold, gate: kept ?? null };
}
