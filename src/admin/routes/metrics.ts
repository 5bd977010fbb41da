import { z } from 'zod';
import type { Control } from '../../control/control.ts';
import type { AdminApp } from '../app.ts';
import { problems } from '../docs.ts';

export function registerMetrics(app: AdminApp, control: Control): void {
  app.route({
    method: 'GET',
    url: '/metrics',
    schema: {
      operationId: 'getMetrics',
      summary: "Everything counted, in Prometheus' text format",
      tags: ['operation'],
      response: {
        200: { description: 'Counts of all workers', content: { 'text/plain': { schema: z.string() } } },
        ...problems(403),
      },
    },
    handler: async (_request, reply) => {
      const { contentType, text } = await control.metrics();
      return reply.header('content-type', contentType).send(text);
    },
  });
}
