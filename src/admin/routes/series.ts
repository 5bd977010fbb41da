import type { Control } from '../../control/control.ts';
import type { AdminApp } from '../app.ts';
import { ok, problems } from '../docs.ts';
import { RouteParams } from '../schema-terms.ts';
import { Preview, PreviewQuery, Series, SeriesQuery } from '../series-schemas.ts';
import { unknownRoute } from '../unknown-route.ts';

/** What a route has done lately, and what a change would move. */
export function registerSeries(app: AdminApp, control: Control): void {
  app.route({
    method: 'GET',
    url: '/v1/series',
    schema: {
      operationId: 'getSeries',
      summary: 'The last hour of a route',
      description:
        'By this replica, since it started. Quantiles are estimated from the buckets of crossfade_request_duration_seconds.',
      tags: ['routes'],
      querystring: SeriesQuery,
      response: { ...ok('Both sides over time', Series), ...problems(400, 401, 403, 404) },
    },
    handler: async ({ query: { route } }) => {
      const series = control.series(route);
      if (series === undefined) throw unknownRoute(control, route);
      return series;
    },
  });
  app.route({
    method: 'GET',
    url: '/v1/routes/:route/preview',
    schema: {
      operationId: 'previewWeight',
      summary: 'What another weight would move, by the traffic of the last ten seconds on this replica',
      tags: ['routes'],
      params: RouteParams,
      querystring: PreviewQuery,
      response: { ...ok('What would move', Preview), ...problems(400, 401, 403, 404) },
    },
    handler: async ({ params: { route }, query: { weight } }) => {
      const preview = control.preview(route, weight);
      if (preview === undefined) throw unknownRoute(control, route);
      return preview;
    },
  });
}
