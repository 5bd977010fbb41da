import { z } from 'zod';
import type { Control } from '../../control/control.ts';
import type { AdminApp } from '../app.ts';
import { ok, problems } from '../docs.ts';
import { AdminProblem } from '../problem.ts';

/** For whoever keeps processes running: `healthz` to restart, `readyz` to send traffic. */
export function registerHealth(app: AdminApp, control: Control): void {
  app.route({
    method: 'GET',
    url: '/healthz',
    schema: {
      operationId: 'getHealth',
      summary: 'Whether the process lives',
      tags: ['operation'],
      security: [],
      response: { ...ok('It lives', z.object({ status: z.literal('ok') })) },
    },
    handler: async () => ({ status: 'ok' as const }),
  });
  app.route({
    method: 'GET',
    url: '/readyz',
    schema: {
      operationId: 'getReadiness',
      summary: 'Whether traffic may be sent here',
      tags: ['operation'],
      security: [],
      response: { ...ok('It is ready', z.object({ status: z.literal('ready') })), ...problems(503) },
    },
    handler: async () => {
      const { ready, notReady } = control.status();
      if (!ready) throw new AdminProblem('notReady', notReady ?? 'It is starting');
      return { status: 'ready' as const };
    },
  });
}
