/** What all writes have in common. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RouteView, WriteRequest, WriteResult } from '../../control/control.ts';
import type { Role } from '../access.ts';
import { etagOf } from '../precondition.ts';
import { AdminProblem } from '../problem.ts';

/** What the guard and the record of refusals know of a write's route. */
export function writes(verb: string, needs: Role = 'operator'): { verb: string; needs: Role } {
  return { verb, needs };
}

export function writeRequest(
  { caller }: FastifyRequest,
  body: { reason?: string | undefined; wait?: number | undefined; force?: boolean | undefined },
  verb: string,
): WriteRequest {
  if (caller === null) throw new Error('No route that writes is open to all');
  return {
    actor: caller.name,
    reason: body.reason ?? `${verb} by ${caller.name}`,
    waitMs: body.wait,
    force: body.force,
  };
}

/** What an operator must know of a change that is made: it may be lost in a failover of the store. */
const WARNING = 'crossfade-warning';

/** @throws AdminProblem of the refusal's code */
export function done(reply: FastifyReply, result: WriteResult): RouteView[] {
  if (result.kind === 'refused') throw new AdminProblem(result.code, result.detail);
  if (result.warning !== undefined) void reply.header(WARNING, result.warning.replace(/[^\x20-\x7e]/g, '?'));
  return result.routes;
}

/** Answers the one route that was written. */
export function sendRoute(reply: FastifyReply, result: WriteResult): RouteView {
  const [route] = done(reply, result) as [RouteView];
  void reply.header('etag', etagOf(route.revision));
  return route;
}
