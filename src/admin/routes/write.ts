import type { Control } from '../../control/control.ts';
import { ppmToPercent } from '../../domain/route.ts';
import type { AdminApp } from '../app.ts';
import { ok, problems } from '../docs.ts';
import { expectedRevision } from '../precondition.ts';
import { invalid } from '../problem.ts';
import { Route } from '../route-schemas.ts';
import { RouteParams } from '../schema-terms.ts';
import { IfMatch, RollbackBody, WeightBody } from '../write-schemas.ts';
import { registerFleetWrites } from './fleet-writes.ts';
import { registerRamps } from './ramps.ts';
import { knownRoute } from './read.ts';
import { registerVerb, VERB_ANSWERS } from './route-verb.ts';
import { sendRoute, writeRequest, writes } from './written.ts';

/** Moving routes. Every refusal is control's but those that need no look at the store. */
export function registerWrite(app: AdminApp, control: Control): void {
  app.addHook('preValidation', async (request) => {
    // All that a write's body may say is optional, so the body is too; one that must say something is refused by its schema.
    if (request.method === 'POST') request.body ??= {};
  });
  registerWeight(app, control);
  registerRollback(app, control);
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
  registerRamps(app, control);
  registerFleetWrites(app, control);
}

function registerWeight(app: AdminApp, control: Control): void {
  app.route({
    method: 'PUT',
    url: '/v1/routes/:route/weight',
    config: writes('set'),
    schema: {
      operationId: 'setWeight',
      summary: "Set the new side's share of a route",
      description: "Raising needs a reason and If-Match with the route's ETag; lowering needs neither.",
      tags: ['routes'],
      params: RouteParams,
      headers: IfMatch,
      body: WeightBody,
      response: {
        ...ok('The route after the change', Route),
        ...problems(400, 401, 403, 404, 409, 412, 415, 428, 503),
      },
    },
    handler: async (request, reply) => {
      const { weight: weightPpm, reason, wait, force } = request.body;
      const view = knownRoute(control, request.params.route);
      const ifRevision = expectedRevision(request.headers['if-match'], view.revision);
      // Without If-Match a raise is refused anyway, for the graver reason.
      if (reason === undefined && ifRevision !== undefined && ppmToPercent(weightPpm) > view.weight) {
        throw invalid([{ field: 'reason', message: 'is required to raise the weight' }]);
      }
      const write = { ...writeRequest(request, { reason, wait, force }, 'set'), ifRevision };
      return sendRoute(reply, await control.setWeight(view.name, weightPpm, write));
    },
  });
}

function registerRollback(app: AdminApp, control: Control): void {
  app.route({
    method: 'POST',
    url: '/v1/routes/:route/rollback',
    config: writes('rollback'),
    schema: {
      operationId: 'rollbackRoute',
      summary: 'Send all of a route to its old side',
      tags: ['routes'],
      params: RouteParams,
      headers: IfMatch,
      body: RollbackBody,
      response: VERB_ANSWERS,
    },
    handler: async (request, reply) => {
      const { name, revision } = knownRoute(control, request.params.route);
      const write = { ...writeRequest(request, request.body, 'rollback'), force: request.body.force };
      if (request.body.direct) return sendRoute(reply, await control.rollbackLocally([name], write));
      const ifRevision = expectedRevision(request.headers['if-match'], revision);
      return sendRoute(reply, await control.rollback([name], { ...write, ifRevision }));
    },
  });
}
