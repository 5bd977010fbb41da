import { z } from 'zod';
import { percentToPpm } from '../domain/route.ts';

const RANGE = 'must be between 0 and 100 percent';

/** Percent, 0 to 100 with at most four decimals, as parts per million. */
export const Percent = z
  .number()
  .min(0, { error: RANGE })
  .max(100, { error: RANGE })
  .transform((percent, context) => {
    const ppm = percentToPpm(percent);
    if (ppm !== undefined) return ppm;
    context.issues.push({ code: 'custom', message: 'must have at most four decimals', input: percent });
    return z.NEVER;
  });
