/** Terms that the shapes of the admin API share. Weights are percent, times milliseconds. */
import { z } from 'zod';

export const Revision = z.int().min(0).describe('Rises with every change, never falls.');
export const Percentage = z.number().min(0).max(100);
export const Milliseconds = z.number().describe('Milliseconds since 1970.');
export const CutoverName = z.enum(['steady', 'ramping', 'paused', 'held', 'rolledBack', 'completed']);

export const RouteParams = z.strictObject({ route: z.string().describe('Name of the route.') });
