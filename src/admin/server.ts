/** The admin plane: fastify, with its routes by concept. It asks and tells control; it never touches the data path. */
import fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyRequest, LogController } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import type { Control } from '../control/control.ts';
import type { Access } from './access.ts';
import { typedApp } from './app.ts';
import { registerConsole } from './console.ts';
import { registerDocs } from './docs.ts';
import { registerEvents } from './events.ts';
import { answerFailure, answerUnreadable, BODY_BYTES } from './failures.ts';
import { assertReachable, guard, isStillAdmitted } from './guard.ts';
import { registerLive } from './live.ts';
import { collectMethods } from './methods.ts';
import { Refusals } from './refusals.ts';
import { registerDoctor } from './routes/doctor.ts';
import { registerExplain } from './routes/explain.ts';
import { registerHealth } from './routes/health.ts';
import { registerHistory } from './routes/history.ts';
import { registerMetrics } from './routes/metrics.ts';
import { type PrometheusOrigin, registerPrometheus } from './routes/prometheus.ts';
import { registerRead } from './routes/read.ts';
import { registerSeries } from './routes/series.ts';
import { registerSession } from './routes/session.ts';
import { registerWrite } from './routes/write.ts';
import { Sessions } from './sessions.ts';

export interface AdminOptions {
  /** Absent: nothing is logged. */
  readonly logger?: FastifyBaseLogger;
  /** Of Crossfade. */
  readonly version: string;
  /** Where it will listen, `host:port`. */
  readonly address: string;
  /** Who may, asked for each call: it may change while the server runs. */
  readonly access: () => Access;
  /** Folder of the built page; absent: none is served. */
  readonly page?: string;
  /** Absent: there are no longer ranges. */
  readonly prometheus?: PrometheusOrigin;
}

/** What Node reads of a request head. */
const TARGET_BYTES = 16 * 1024;

/**
 * Made but not yet listening; `listen` and `close` are fastify's.
 * @throws Error when the address is not on loopback and there are no tokens
 */
export function createAdmin(control: Control, options: AdminOptions): FastifyInstance {
  const { access } = options;
  assertReachable(options.address, access());
  const refusals = new Refusals(control, Date.now);
  const sessions = new Sessions(Date.now);
  const app: FastifyInstance = fastify({
    ...(options.logger === undefined ? {} : { loggerInstance: options.logger }),
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_BYTES,
    // As long as a target can be: a name that no route has is answered as such, however long.
    routerOptions: { maxParamLength: TARGET_BYTES },
    // A closing server ends idle connections; those of events end in their own hook.
    forceCloseConnections: 'idle',
    clientErrorHandler: answerUnreadable,
    frameworkErrors: (error, request, reply) => void answerFailure(error, request, reply),
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler((error, request, reply) =>
    answerFailure(error, request, reply, (problem) => refusals.note(request, problem)),
  );
  app.setNotFoundHandler(collectMethods(app));
  app.removeContentTypeParser('text/plain');
  readJson(app);
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
  });
  app.decorateRequest('caller', null);
  app.addHook('onRequest', async (request, reply) => guard(request, reply, access(), sessions));
  registerDocs(app, options.version);
  app.register(async (scope) => {
    const api = typedApp(scope);
    registerHealth(api, control);
    registerMetrics(api, control);
    registerRead(api, control);
    registerWrite(api, control);
    registerHistory(api, control, refusals);
    registerDoctor(api, control);
    registerExplain(api, control);
    registerSeries(api, control);
    registerSession(api, sessions, access);
    const isAdmitted = (request: FastifyRequest): boolean => isStillAdmitted(request, access(), sessions);
    registerEvents(api, control, isAdmitted);
    registerLive(api, control, isAdmitted, options.prometheus !== undefined);
    if (options.prometheus !== undefined) registerPrometheus(api, options.prometheus);
    if (options.page !== undefined) registerConsole(api, options.page);
  });
  return app;
}

/** Clients that always name JSON do so for writes without a body, too: a rollback is not refused for that. */
function readJson(app: FastifyInstance): void {
  // Bodies are only ever read by strict schemas, which name the key that they do not know.
  const parse = app.getDefaultJsonParser('ignore', 'ignore');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else void parse(request, body, done);
  });
}
