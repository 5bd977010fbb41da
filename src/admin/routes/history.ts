import type { Control } from '../../control/control.ts';
import { entryView } from '../../control/entry-view.ts';
import type { AdminApp } from '../app.ts';
import { ok, problems } from '../docs.ts';
import { HistoryQuery, Told } from '../history-schemas.ts';
import type { Refusals } from '../refusals.ts';
import { knownRoute } from './read.ts';

export function registerHistory(app: AdminApp, control: Control, refusals: Refusals): void {
  app.route({
    method: 'GET',
    url: '/v1/history',
    schema: {
      operationId: 'getHistory',
      summary: 'Changes, or refused writes, newest first',
      description:
        'Changes are those of the fleet. Refused writes are those that this replica has refused since it started, at most 1,000.',
      tags: ['history'],
      querystring: HistoryQuery,
      response: { ...ok('Changes, or refused writes', Told), ...problems(400, 401, 403, 404, 503) },
    },
    handler: async ({ query: { refused, ...query } }) => {
      const entries = refused ? [] : (await control.history(query)).map(entryView);
      const refusedWrites = refused ? refusals.list(query) : [];
      const { route, before } = query;
      // A route that is configured no more has a history still.
      if (route !== undefined && before === undefined && entries.length + refusedWrites.length === 0) {
        knownRoute(control, route);
      }
      return refused ? { refusals: refusedWrites } : { entries };
    },
  });
}
