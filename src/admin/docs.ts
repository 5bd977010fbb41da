/** The API's description: OpenAPI 3.1 at `/docs/json`, and a page to read it at `/docs`. */
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { ZodType } from 'zod';
import { PROBLEM_TYPE, PROBLEMS } from './problem.ts';
import { Problem } from './problem-schemas.ts';

const DESCRIPTION = `Moves routes between their old and new side. Errors are problem details (RFC 9457). A route's revision is its ETag:
raising a weight needs it in If-Match; lowering and rolling back never do. Weights are percent, times milliseconds.

Where tokens are configured (admin.tokens) every call needs one, but /healthz, /readyz, and /metrics when openMetrics is set; browsers show
theirs once to POST /v1/session. The role viewer
reads, operator also moves routes, admin also adopts. Where none are, only this machine may call. Writes that are refused with 401, 403, 409, 412 or
428 are logged, sent as events, and kept for GET /v1/history?refused=true.

Webhooks of the configuration are posted what GET /v1/history shows of a change, with \`event\` (rollback, held, ramp, step, completed or resume)
and \`fleet\` beside it; \`x-crossfade-event\` names the event, \`x-crossfade-signature: sha256=HEX\` is the HMAC-SHA256 of the body by the hook's secret.`;

export function registerDocs(app: FastifyInstance, version: string): void {
  void app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Crossfade admin API', description: DESCRIPTION, version },
      servers: [{ url: '/' }],
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      // A token, or none where none are configured.
      security: [{ token: [] }, {}],
      tags: [
        { name: 'routes', description: 'Where routes are, and moving them' },
        { name: 'history', description: 'What happened and why' },
        { name: 'operation', description: 'The replica itself' },
      ],
    },
    transform: jsonSchemaTransform,
    transformObject: (document) => withoutUnused(jsonSchemaTransformObject(document)),
  });
  void app.register(swaggerUi, { routePrefix: '/docs', staticCSP: PAGE_POLICY });
}

/** The page loads nothing from elsewhere. */
const PAGE_POLICY = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'";

/** Every shape is described as sent and as received; those that nothing refers to are left out. */
function withoutUnused(document: ReturnType<typeof jsonSchemaTransformObject>): typeof document {
  const schemas: Record<string, unknown> = ('components' in document ? document.components?.schemas : undefined) ?? {};
  const used = new Set<string>();
  const visit = (part: unknown): void => {
    for (const [, name = ''] of JSON.stringify(part).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      if (used.has(name)) continue;
      used.add(name);
      visit(schemas[name]);
    }
  };
  visit('paths' in document ? document.paths : {});
  for (const name of Object.keys(schemas)) if (!used.has(name)) delete schemas[name];
  return document;
}

/** The response of an operation that did what it was asked. */
export function ok<Schema extends ZodType>(description: string, schema: Schema) {
  return { 200: { description, content: { 'application/json': { schema } } } };
}

/** Responses of an operation for these statuses, as its schema lists them. */
export function problems<Status extends number>(...statuses: Status[]) {
  const titled = Object.values(PROBLEMS);
  const entries = statuses.map((status) => [
    status,
    {
      description: titled
        .filter((problem) => problem.status === status)
        .map((problem) => problem.title)
        .join(', or '),
      content: { [PROBLEM_TYPE]: { schema: Problem } },
    },
  ]);
  return Object.fromEntries(entries) as Record<
    Status,
    { description: string; content: { [PROBLEM_TYPE]: { schema: typeof Problem } } }
  >;
}
