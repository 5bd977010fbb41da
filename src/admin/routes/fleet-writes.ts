import type { Control } from '../../control/control.ts';
import type { AdminApp } from '../app.ts';
import { ok, problems } from '../docs.ts';
import { Routes } from '../route-schemas.ts';
import { AdoptBody, RollbackBody, UndoBody } from '../write-schemas.ts';
import { done, writeRequest, writes } from './written.ts';

/** What moves several routes in one change. */
export function registerFleetWrites(app: AdminApp, control: Control): void {
  app.route({
    method: 'POST',
    url: '/v1/rollback',
    config: writes('rollback'),
    schema: {
      operationId: 'rollbackAll',
      summary: 'Send all routes to their old sides, in one change',
      tags: ['routes'],
      body: RollbackBody,
      response: { ...ok('The routes after the change', Routes), ...problems(400, 401, 403, 409, 415, 503) },
    },
    handler: async (request, reply) => {
      const write = { ...writeRequest(request, request.body, 'rollback'), force: request.body.force };
      const { direct } = request.body;
      return {
        routes: done(reply, await (direct ? control.rollbackLocally('all', write) : control.rollback('all', write))),
      };
    },
  });
  app.route({
    method: 'POST',
    url: '/v1/undo',
    config: writes('undo'),
    schema: {
      operationId: 'undo',
      summary: 'Restore what a change replaced, if nobody has changed its routes since',
      tags: ['routes'],
      body: UndoBody,
      response: { ...ok('The routes after the change', Routes), ...problems(400, 401, 403, 404, 409, 415, 503) },
    },
    handler: async (request, reply) => {
      const { revision, ...body } = request.body;
      const write = writeRequest(request, body, `undo of revision ${revision}`);
      return { routes: done(reply, await control.undo(revision, write)) };
    },
  });
  app.route({
    method: 'POST',
    url: '/v1/adopt',
    config: writes('adopt', 'admin'),
    schema: {
      operationId: 'adopt',
      summary: 'Say what counts where the store and the replicas contradict each other',
      description:
        'When the alarm says that the store holds what does not follow from what is served. All replicas follow. Needs the role admin.',
      tags: ['operation'],
      body: AdoptBody,
      response: { ...ok('All routes after it', Routes), ...problems(400, 401, 403, 409, 415, 503) },
    },
    handler: async (request, reply) => {
      const { keep, force, ...body } = request.body;
      const write = { ...writeRequest(request, body, 'adopt'), force };
      return { routes: done(reply, await control.adopt(write, keep)) };
    },
  });
}
