import { z } from 'zod';

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Timers of the runtime hold no more: 2^31 - 1 ms, nearly 25 days. */
const LONGEST_MS = 2_147_483_647;

const WORDING = 'must be a duration such as 250ms, 30s, 5m or 1h, or 0';

/** `250ms`, `30s`, `5m`, `1h` or 0, as milliseconds. At most 24 days. */
export const Duration = z
  .union([z.literal(0), z.string().regex(/^\d+(?:ms|s|m|h)$/, { error: WORDING })], { error: WORDING })
  .transform((text, context) => {
    const ms = text === 0 ? 0 : Number.parseInt(text, 10) * (UNIT_MS[text.replace(/^\d+/, '')] as number);
    if (ms <= LONGEST_MS) return ms;
    context.issues.push({ code: 'custom', message: 'must be at most 24 days', input: text });
    return z.NEVER;
  });
