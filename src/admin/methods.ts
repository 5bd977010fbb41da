import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AdminProblem, sendProblem } from './problem.ts';

/**
 * Remembers the methods of every path that is registered from now on.
 * @returns answers what no route took: 405 with Allow when the path exists for other methods (RFC 9110 section 15.5.6), else 404
 */
export function collectMethods(app: FastifyInstance): (request: FastifyRequest, reply: FastifyReply) => FastifyReply {
  const paths = new Map<string, { pattern: RegExp; methods: Set<string> }>();
  app.addHook('onRoute', ({ url, method }) => {
    const known = paths.get(url) ?? { pattern: patternOf(url), methods: new Set() };
    for (const name of [method].flat()) known.methods.add(name);
    paths.set(url, known);
  });
  return (request, reply) => {
    const path = request.url.replace(/\?.*$/s, '');
    const methods = [...paths.values()]
      .filter(({ pattern }) => pattern.test(path))
      .flatMap((known) => [...known.methods]);
    if (methods.length === 0) {
      return sendProblem(request, reply, new AdminProblem('notFound', `Nothing is at ${path}; /docs lists what is`));
    }
    const allow = [...new Set(methods)].sort().join(', ');
    const problem = new AdminProblem('methodNotAllowed', `${path} takes ${allow}, not ${request.method}`);
    return sendProblem(request, reply.header('allow', allow), problem);
  };
}

/** Path with `:parameters` as a pattern. */
function patternOf(url: string): RegExp {
  const escaped = url.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`^${escaped.replace(/:\w+/g, '[^/]+')}$`);
}
