/**
 * Longer ranges than a replica remembers, from Prometheus: two of its calls and no other, to read. Whatever the caller sent to be let in
 * stays here; Prometheus is shown the token that the configuration has for it, and its answers are passed on when they are JSON.
 */
import type { FastifyHttpProxyOptions } from '@fastify/http-proxy';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import type { AdminApp } from '../app.ts';
import { problems } from '../docs.ts';
import { AdminProblem, sendProblem } from '../problem.ts';

export interface PrometheusOrigin {
  /** http or https, with the path below which Prometheus lives. */
  readonly url: string;
  /** PEM text; absent: the runtime's authorities. */
  readonly ca?: string;
  /** Sent as a bearer token. */
  readonly token?: string;
}

const PREFIX = '/v1/prometheus/api/v1';
const CONNECT_MS = 3_000;
const ANSWER_MS = 20_000;
/** What Prometheus says about a query by itself: done, badly put, not to be done, not now. */
const ITS_OWN = new Set([200, 400, 422, 503]);
const PASSED = ['content-type', 'content-encoding', 'content-length'] as const;

const Moment = z.string().max(40).optional();
const Query = z.strictObject({
  query: z.string().min(1).max(8_000).describe('In PromQL.'),
  time: Moment,
  start: Moment,
  end: Moment,
  step: Moment,
  timeout: Moment,
});

export function registerPrometheus(app: AdminApp, origin: PrometheusOrigin): void {
  void app.register(async (scope: FastifyInstance) => {
    scope.addHook('onRoute', (route) => {
      route.schema = {
        operationId: `prometheus${route.method === 'HEAD' ? 'Head' : ''}${route.url.endsWith('_range') ? 'Range' : 'Instant'}`,
        summary: `Prometheus: ${route.url.endsWith('_range') ? 'a query over time' : 'a query at one time'}`,
        description: "The answer is that of Prometheus's own API, where admin.prometheus is configured.",
        tags: ['operation'],
        querystring: Query,
        response: problems(400, 401, 403, 502, 504),
      };
    });
    // Loaded when needed: it is a fifth of all that a start without it loads.
    const { default: httpProxy } = await import('@fastify/http-proxy');
    await scope.register(httpProxy, proxyOptions(origin));
  });
}

function proxyOptions({ url, ca, token }: PrometheusOrigin): FastifyHttpProxyOptions {
  const { origin, pathname } = new URL(url);
  return {
    upstream: origin,
    prefix: PREFIX,
    rewritePrefix: `${pathname.replace(/\/+$/, '')}/api/v1`,
    routes: ['/query', '/query_range'],
    httpMethods: ['GET'],
    config: { needs: 'viewer' },
    proxyPayloads: false,
    retryMethods: [],
    disableRequestLogging: true,
    undici: {
      // The plugin takes what is left out for "do not verify".
      connect: { rejectUnauthorized: true, timeout: CONNECT_MS, ...(ca === undefined ? {} : { ca }) },
      connections: 8,
      headersTimeout: ANSWER_MS,
      bodyTimeout: ANSWER_MS,
    },
    replyOptions: {
      rewriteRequestHeaders: ({ headers }) => ({
        accept: 'application/json',
        ...(headers['accept-encoding'] === undefined ? {} : { 'accept-encoding': headers['accept-encoding'] }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      }),
      rewriteHeaders: passed,
      onResponse: (_request, reply, response) =>
        answer(reply as unknown as FastifyReply, (response as unknown as { stream: Body }).stream),
      onError: (failed, { error }) => {
        const reply = failed as unknown as FastifyReply;
        const isSlow = (error as { statusCode?: number }).statusCode === 504;
        const detail = isSlow
          ? 'It was given up; ask for less, or again'
          : 'It could not be reached, or not be trusted';
        void sendProblem(reply.request, reply, new AdminProblem(isSlow ? 'prometheusSlow' : 'prometheusAway', detail));
      },
    },
  };
}

type Body = NodeJS.ReadableStream & { destroy(): void };

function passed<Value>(headers: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(PASSED.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])));
}

/** What does not look like Prometheus (a login page, a redirect) is told, and not shown. */
function answer(reply: FastifyReply, body: Body): void {
  const isJson = String(reply.getHeader('content-type')).startsWith('application/json');
  if (isJson && ITS_OWN.has(reply.statusCode)) {
    void reply.send(body);
    return;
  }
  const what = isJson ? '' : ', and not JSON';
  const problem = new AdminProblem('prometheusAway', `It answered ${reply.statusCode}${what}; see admin.prometheus`);
  body.destroy();
  for (const name of PASSED) reply.removeHeader(name);
  void sendProblem(reply.request, reply, problem);
}
