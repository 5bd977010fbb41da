import { z } from 'zod';
import { type Access, callerOf, LOCAL } from '../access.ts';
import type { AdminApp } from '../app.ts';
import { ok, problems } from '../docs.ts';
import { AdminProblem } from '../problem.ts';
import { type Sessions, sessionCookie } from '../sessions.ts';

const Session = z
  .object({
    name: z.string(),
    role: z.enum(['viewer', 'operator', 'admin']),
    canLeave: z.boolean().describe('Whether tokens are configured, so that there is a session to end.'),
  })
  .meta({ id: 'Session' });

const SessionBody = z
  .strictObject({ token: z.string().min(1).max(1_000) }, { error: 'must be a JSON object' })
  .meta({ id: 'Login', examples: [{ token: '9c1f…' }] });

/** For browsers: who is asking, and showing a token once. */
export function registerSession(app: AdminApp, sessions: Sessions, access: () => Access): void {
  app.route({
    method: 'GET',
    url: '/v1/session',
    schema: {
      operationId: 'getSession',
      summary: 'Who is asking, and what they may',
      tags: ['operation'],
      response: { ...ok('The caller', Session), ...problems(401, 403) },
    },
    handler: async ({ caller }) => {
      if (caller === null) throw new Error('The guard lets nobody in without a name');
      return { name: caller.name, role: caller.role, canLeave: access().tokens.length > 0 };
    },
  });
  app.route({
    method: 'POST',
    url: '/v1/session',
    config: { verb: 'login', isLogin: true },
    schema: {
      operationId: 'openSession',
      summary: 'Show a token once; the cookie in the answer stands for it, for twelve hours',
      tags: ['operation'],
      security: [],
      body: SessionBody,
      response: { ...ok('The caller; the cookie is set', Session), ...problems(400, 401, 403, 415) },
    },
    handler: async (request, reply) => {
      const { token } = request.body;
      if (access().tokens.length === 0) return { ...LOCAL, canLeave: false };
      const caller = callerOf(token, access());
      if (caller === undefined) {
        throw new AdminProblem('unauthenticated', 'The token is none of those that admin.tokens lists');
      }
      const isSecure = request.headers.origin?.startsWith('https:') ?? false;
      void reply.header('set-cookie', sessionCookie(sessions.open(token), isSecure));
      return { ...caller, canLeave: true };
    },
  });
  app.route({
    method: 'DELETE',
    url: '/v1/session',
    config: { needs: 'viewer' },
    schema: {
      operationId: 'closeSession',
      summary: 'Forget the cookie',
      tags: ['operation'],
      response: { ...ok('It is forgotten', z.object({ status: z.literal('ok') })), ...problems(401, 403) },
    },
    handler: async (request, reply) => {
      sessions.close(request.headers.cookie);
      void reply.header('set-cookie', sessionCookie('', false));
      return { status: 'ok' as const };
    },
  });
}
