import type { Control, RouteView } from '../../control/control.ts';
import type { AdminApp } from '../app.ts';
import { ok, problems } from '../docs.ts';
import { etagOf } from '../precondition.ts';
import { Route, RouteList } from '../route-schemas.ts';
import { RouteParams } from '../schema-terms.ts';
import { Status } from '../status-schemas.ts';
import { unknownRoute } from '../unknown-route.ts';

/** Where the replica and its routes are. */
export function registerRead(app: AdminApp, control: Control): void {
  app.route({
    method: 'GET',
    url: '/v1/status',
    schema: {
      operationId: 'getStatus',
      summary: 'The replica, its workers and its store',
      tags: ['operation'],
      response: { ...ok('The replica', Status), ...problems(401, 403) },
    },
    handler: async () => control.status(),
  });
  app.route({
    method: 'GET',
    url: '/v1/routes',
    schema: {
      operationId: 'listRoutes',
      summary: 'All routes',
      tags: ['routes'],
      response: { ...ok('Routes in the order of the configuration', RouteList), ...problems(401, 403) },
    },
    handler: async () => ({ routes: control.routes(), unconfigured: control.unconfigured() }),
  });
  app.route({
    method: 'GET',
    url: '/v1/routes/:route',
    schema: {
      operationId: 'getRoute',
      summary: 'One route, with its revision as ETag',
      tags: ['routes'],
      params: RouteParams,
      response: { ...ok('The route', Route), ...problems(401, 403, 404) },
    },
    handler: async (request, reply) => {
      const view = knownRoute(control, request.params.route);
      return reply.header('etag', etagOf(view.revision)).send(view);
    },
  });
}

/** @throws AdminProblem when there is no such route */
export function knownRoute(control: Control, name: string): RouteView {
  const view = control.route(name);
  if (view === undefined) throw unknownRoute(control, name);
  return view;
}
