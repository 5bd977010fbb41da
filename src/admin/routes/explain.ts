import type { Control } from '../../control/control.ts';
import { entryView } from '../../control/entry-view.ts';
import type { AdminApp } from '../app.ts';
import { ok, problems } from '../docs.ts';
import { Explained, ExplainQuery } from '../explain-schemas.ts';
import { unknownRoute } from '../unknown-route.ts';

export function registerExplain(app: AdminApp, control: Control): void {
  app.route({
    method: 'GET',
    url: '/v1/explain',
    schema: {
      operationId: 'explain',
      summary: 'Where a request would go, or why a route is where it is',
      tags: ['history'],
      querystring: ExplainQuery,
      response: { ...ok('The explanation', Explained), ...problems(400, 401, 403, 404, 503) },
    },
    handler: async (request) => {
      const { route, url, method, header = [], address } = request.query;
      if (url !== undefined) return control.explain({ url, method, headers: [header].flat().map(headerPair), address });
      const name = route as string;
      const explained = await control.explainRoute(name);
      if (explained === undefined) throw unknownRoute(control, name);
      return { ...explained, last: explained.last === null ? null : entryView(explained.last) };
    },
  });
}

function headerPair(line: string): [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
}
