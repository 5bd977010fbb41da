import type { Control } from '../../control/control.ts';
import type { AdminApp } from '../app.ts';
import { ok, problems } from '../docs.ts';
import { historyEntry } from '../history-entry.ts';
import { History, HistoryQuery } from '../schemas.ts';

export function registerHistory(app: AdminApp, control: Control): void {
  app.route({
    method: 'GET',
    url: '/v1/history',
    schema: {
      operationId: 'getHistory',
      summary: 'Changes, newest first',
      tags: ['history'],
      querystring: HistoryQuery,
      response: { ...ok('Changes', History), ...problems(400, 403, 503) },
    },
    handler: async (request) => ({ entries: (await control.history(request.query)).map(historyEntry) }),
  });
}
