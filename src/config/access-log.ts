import { z } from 'zod';
import { Duration } from './duration.ts';
import { FilePath } from './name.ts';
import { Percent } from './percent.ts';

/** A line in JSON for each request. Absent: none. */
export const AccessLog = z.strictObject({
  /** Percent of the requests that a line is written for. */
  sample: Percent.prefault(100),
  /** Requests that took at least this long are written whatever the sample. Absent: they are sampled like others. */
  slow: Duration.refine((ms) => ms > 0, { error: 'must be more than 0' }).exactOptional(),
  /** Whether requests in which a backend failed are written whatever the sample. */
  faults: z.enum(['always', 'sampled']).default('always'),
  /** A path, or `stdout`. */
  file: FilePath.default('stdout'),
});
