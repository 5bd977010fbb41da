import { Readable } from 'node:stream';
import { z } from 'zod';
import type { Control } from '../../control/control.ts';
import type { AdminApp } from '../app.ts';
import { problems } from '../docs.ts';

/** Described as the text it is, sent as a stream. */
const MetricsText = z.union([z.string(), z.instanceof(Readable)]);

export function registerMetrics(app: AdminApp, control: Control): void {
  app.route({
    method: 'GET',
    url: '/metrics',
    schema: {
      operationId: 'getMetrics',
      summary: "Everything counted, in Prometheus' text format",
      tags: ['operation'],
      response: {
        200: { description: 'Counts of all workers', content: { 'text/plain': { schema: MetricsText } } },
        ...problems(401, 403),
      },
    },
    handler: async (_request, reply) => {
      const { contentType, text } = await control.metrics();
      // A stream: with thousands of routes the text is tens of megabytes.
      return reply.header('content-type', contentType).send(Readable.from(text));
    },
  });
}
