import type { Control, RouteView, WriteRequest, WriteResult } from '../../control/control.ts';
import { ppmToPercent } from '../../domain/route.ts';
import type { AdminApp } from '../app.ts';
import { ok, problems } from '../docs.ts';
import { LOCAL } from '../guard.ts';
import { etagOf, expectedRevision } from '../precondition.ts';
import { AdminProblem, invalid } from '../problem.ts';
import { IfMatch, Route, RouteParams, Routes, UndoBody, WeightBody, WriteBody } from '../schemas.ts';
import { knownRoute } from './read.ts';

/** Moving routes. Every refusal is control's but those that need no look at the store. */
export function registerWrite(app: AdminApp, control: Control): void {
  app.addHook('preValidation', async (request) => {
    // All that a write's body may say is optional, so the body is too; one that must say something is refused by its schema.
    if (request.method === 'POST') request.body ??= {};
  });
  registerWeight(app, control);
  registerVerb(app, control, {
    verb: 'rollback',
    summary: 'Send all of a route to its old side',
    write: (name, write) => control.rollback([name], write),
  });
  registerVerb(app, control, {
    verb: 'freeze',
    summary: 'Refuse to raise a route until it is unfrozen',
    write: (name, write) => control.freeze(name, true, write),
  });
  registerVerb(app, control, {
    verb: 'unfreeze',
    summary: 'Let a frozen route be raised again',
    write: (name, write) => control.freeze(name, false, write),
  });
  registerFleetWide(app, control);
}

function registerWeight(app: AdminApp, control: Control): void {
  app.route({
    method: 'PUT',
    url: '/v1/routes/:route/weight',
    schema: {
      operationId: 'setWeight',
      summary: "Set the new side's share of a route",
      description: "Raising needs a reason and If-Match with the route's ETag; lowering needs neither.",
      tags: ['routes'],
      params: RouteParams,
      headers: IfMatch,
      body: WeightBody,
      response: { ...ok('The route after the change', Route), ...problems(400, 403, 404, 409, 412, 415, 428, 503) },
    },
    handler: async (request, reply) => {
      const { weight: weightPpm, reason, wait } = request.body;
      const view = knownRoute(control, request.params.route);
      const ifRevision = expectedRevision(request.headers['if-match'], view.revision);
      // Without If-Match a raise is refused anyway, for the graver reason.
      if (reason === undefined && ifRevision !== undefined && ppmToPercent(weightPpm) > view.weight) {
        throw invalid([{ field: 'reason', message: 'is required to raise the weight' }]);
      }
      const write = { ...writeRequest({ reason, wait }, 'set'), ifRevision };
      const [route] = done(await control.setWeight(view.name, weightPpm, write)) as [RouteView];
      return reply.header('etag', etagOf(route.revision)).send(route);
    },
  });
}

interface RouteVerb {
  readonly verb: string;
  readonly summary: string;
  readonly write: (name: string, write: WriteRequest) => Promise<WriteResult>;
}

function registerVerb(app: AdminApp, control: Control, { verb, summary, write }: RouteVerb): void {
  app.route({
    method: 'POST',
    url: `/v1/routes/:route/${verb}`,
    schema: {
      operationId: `${verb}Route`,
      summary,
      tags: ['routes'],
      params: RouteParams,
      headers: IfMatch,
      body: WriteBody,
      response: { ...ok('The route after the change', Route), ...problems(400, 403, 404, 409, 412, 415, 503) },
    },
    handler: async (request, reply) => {
      const view = knownRoute(control, request.params.route);
      const ifRevision = expectedRevision(request.headers['if-match'], view.revision);
      const result = await write(view.name, { ...writeRequest(request.body, verb), ifRevision });
      const [route] = done(result) as [RouteView];
      return reply.header('etag', etagOf(route.revision)).send(route);
    },
  });
}

function registerFleetWide(app: AdminApp, control: Control): void {
  app.route({
    method: 'POST',
    url: '/v1/rollback',
    schema: {
      operationId: 'rollbackAll',
      summary: 'Send all routes to their old sides, in one change',
      tags: ['routes'],
      body: WriteBody,
      response: { ...ok('The routes after the change', Routes), ...problems(400, 403, 409, 415, 503) },
    },
    handler: async (request) => ({
      routes: done(await control.rollback('all', writeRequest(request.body, 'rollback'))),
    }),
  });
  app.route({
    method: 'POST',
    url: '/v1/undo',
    schema: {
      operationId: 'undo',
      summary: 'Restore what a change replaced, if nobody has changed its routes since',
      tags: ['routes'],
      body: UndoBody,
      response: { ...ok('The routes after the change', Routes), ...problems(400, 403, 404, 409, 415, 503) },
    },
    handler: async (request) => {
      const { revision, ...body } = request.body;
      return { routes: done(await control.undo(revision, writeRequest(body, `undo of revision ${revision}`))) };
    },
  });
}

function writeRequest(body: { reason?: string | undefined; wait?: number | undefined }, verb: string): WriteRequest {
  return { actor: LOCAL, reason: body.reason ?? `${verb} by ${LOCAL}`, waitMs: body.wait };
}

/** @throws AdminProblem of the refusal's code */
function done(result: WriteResult): RouteView[] {
  if (result.kind === 'refused') throw new AdminProblem(result.code, result.detail);
  return result.routes;
}
