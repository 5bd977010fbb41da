import { z } from 'zod';
import { rampSteps } from '../../config/ramp.ts';
import type { Control } from '../../control/control.ts';
import type { AdminApp } from '../app.ts';
import { ok, problems } from '../docs.ts';
import { expectedRevision } from '../precondition.ts';
import { AdminProblem } from '../problem.ts';
import { RampPlanned, Route } from '../route-schemas.ts';
import { RouteParams } from '../schema-terms.ts';
import { IfMatch, RampBody } from '../write-schemas.ts';
import { knownRoute } from './read.ts';
import { registerVerb } from './route-verb.ts';
import { sendRoute, writeRequest, writes } from './written.ts';

/** Walking a route through the steps of a ramp. What raises the weight needs If-Match. */
export function registerRamps(app: AdminApp, control: Control): void {
  registerStart(app, control);
  registerVerb(app, control, {
    verb: 'step',
    summary: "To the ramp's next step, whatever it waits for: that is how a step is approved",
    write: (name, write) => control.move(name, 'step', write),
  });
  registerVerb(app, control, {
    verb: 'pause',
    summary: 'Stop a ramp where it is',
    write: (name, write) => control.move(name, 'pause', write),
  });
  registerVerb(app, control, {
    verb: 'resume',
    summary: 'Let a paused or held ramp go on, or a route that was taken back begin again',
    needsReason: true,
    write: (name, write) => control.move(name, 'resume', write),
  });
  registerVerb(app, control, {
    verb: 'promote',
    summary: 'All to the new side, and done',
    write: (name, write) => control.move(name, 'promote', write),
  });
}

function registerStart(app: AdminApp, control: Control): void {
  app.route({
    method: 'POST',
    url: '/v1/routes/:route/ramp',
    config: writes('ramp'),
    schema: {
      operationId: 'rampRoute',
      summary: 'Walk a route through steps of weight, hold and gate',
      description:
        'A step is left when its hold is over, the verdict is healthy and its gate has passed. With dryRun the plan is answered and nothing changed.',
      tags: ['routes'],
      params: RouteParams,
      headers: IfMatch,
      body: RampBody,
      response: {
        ...ok('The route after the change, or the plan', z.union([Route, RampPlanned])),
        ...problems(400, 401, 403, 404, 409, 412, 415, 428, 503),
      },
    },
    handler: async (request, reply) => {
      const { name, revision } = knownRoute(control, request.params.route);
      const { template, steps, dryRun, ...body } = request.body;
      const plan = { template, steps: steps && rampSteps(steps) };
      if (dryRun) {
        const preview = control.rampPlan(name, plan);
        if (preview.kind === 'refused') throw new AdminProblem(preview.code, preview.detail);
        return preview;
      }
      const ifRevision = expectedRevision(request.headers['if-match'], revision);
      const write = { ...writeRequest(request, body, 'ramp'), ifRevision };
      return sendRoute(reply, await control.ramp(name, plan, write));
    },
  });
}
