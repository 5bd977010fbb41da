/** Why a request goes where it goes and a route is where it is, and how to ask. */
import { isIP } from 'node:net';
import { z } from 'zod';
import type { ExplainView } from '../control/control.ts';
import { Entry } from './history-schemas.ts';
import { Route } from './route-schemas.ts';

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
