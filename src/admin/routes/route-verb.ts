import type { Control, WriteRequest, WriteResult } from '../../control/control.ts';
import type { AdminApp } from '../app.ts';
import { ok, problems } from '../docs.ts';
import { expectedRevision } from '../precondition.ts';
import { invalid } from '../problem.ts';
import { Route } from '../route-schemas.ts';
import { RouteParams } from '../schema-terms.ts';
import { IfMatch, WriteBody } from '../write-schemas.ts';
import { knownRoute } from './read.ts';
import { sendRoute, writeRequest, writes } from './written.ts';

export const VERB_ANSWERS = {
  ...ok('The route after the change', Route),
  ...problems(400, 401, 403, 404, 409, 412, 415, 428, 503),
};

/** A verb of one route that is told nothing but why. */
interface RouteVerb {
  readonly verb: string;
  readonly summary: string;
  /** It may raise, so that somebody must say why. */
  readonly needsReason?: boolean;
  readonly write: (name: string, write: WriteRequest) => Promise<WriteResult>;
}

export function registerVerb(
  app: AdminApp,
  control: Control,
  { verb, summary, write, needsReason = false }: RouteVerb,
): void {
  app.route({
    method: 'POST',
    url: `/v1/routes/:route/${verb}`,
    config: writes(verb),
    schema: {
      operationId: `${verb}Route`,
      summary,
      tags: ['routes'],
      params: RouteParams,
      headers: IfMatch,
      body: WriteBody,
      response: VERB_ANSWERS,
    },
    handler: async (request, reply) => {
      const { name, revision } = knownRoute(control, request.params.route);
      const ifRevision = expectedRevision(request.headers['if-match'], revision);
      if (needsReason && request.body.reason === undefined) {
        throw invalid([{ field: 'reason', message: `is required to ${verb}` }]);
      }
      return sendRoute(reply, await write(name, { ...writeRequest(request, request.body, verb), ifRevision }));
    },
  });
}
