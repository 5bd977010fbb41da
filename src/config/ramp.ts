import { z } from 'zod';
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

/** The steps that a route is walked through. */
export const Ramp = z.array(RampStep).min(1);
