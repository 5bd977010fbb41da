/** An error of the admin API, as documented. */
import { z } from 'zod';
import { PROBLEMS, type ProblemBody, type ProblemCode } from './problem.ts';

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
