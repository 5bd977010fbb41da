/** Every error that the admin plane answers, as problem details (RFC 9457). One table; nothing else decides on a status. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RefusalCode } from '../control/control.ts';

interface ProblemKind {
  readonly status: number;
  readonly title: string;
}

const kind = (status: number, title: string): ProblemKind => ({ status, title });

const REFUSALS = {
  unknownRoute: kind(404, 'There is no such route'),
  unknownRevision: kind(404, 'There is no such revision'),
  unknownRamp: kind(404, 'There is no such ramp'),
  frozen: kind(409, 'The route is frozen'),
  latched: kind(409, 'The route was rolled back twice within a day'),
  conflict: kind(409, 'The change contradicts what is there'),
  noHealthyEndpoint: kind(409, 'The old side cannot take the traffic'),
  stale: kind(412, 'The route has changed since it was read'),
  preconditionRequired: kind(428, 'Raising a weight needs If-Match'),
  storeUnavailable: kind(503, 'The store does not answer'),
  storeDisputed: kind(503, 'The store contradicts what is served'),
} as const satisfies Record<RefusalCode, ProblemKind>;

export const PROBLEMS = {
  ...REFUSALS,
  invalid: kind(400, 'The request is not valid'),
  malformed: kind(400, 'The request cannot be read'),
  unauthenticated: kind(401, 'The call needs a token'),
  forbidden: kind(403, 'The token may not do this'),
  foreignHost: kind(403, 'The host is not this machine'),
  foreignOrigin: kind(403, 'The request comes from another site'),
  notFound: kind(404, 'There is nothing here'),
  methodNotAllowed: kind(405, 'The method is not allowed here'),
  requestTimeout: kind(408, 'The request did not arrive in time'),
  bodyTooLarge: kind(413, 'The body is too large'),
  unsupportedMediaType: kind(415, 'The body is not JSON'),
  headersTooLarge: kind(431, 'The header fields are too large'),
  internal: kind(500, 'Something failed inside Crossfade'),
  prometheusAway: kind(502, 'Prometheus does not answer as it should'),
  prometheusSlow: kind(504, 'Prometheus did not answer in time'),
  notReady: kind(503, 'Crossfade is not ready'),
} as const satisfies Record<string, ProblemKind>;

export type ProblemCode = keyof typeof PROBLEMS;

/** What is wrong with one part of a request. `field` is a body key, query parameter or header name. */
export interface FieldError {
  field: string;
  message: string;
}

/** The body of every error. */
export interface ProblemBody {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance: string;
  code: ProblemCode;
  errors?: FieldError[] | undefined;
}

/** Thrown by hooks and handlers; the error handler answers it. */
export class AdminProblem extends Error {
  override readonly name = 'AdminProblem';
  readonly code: ProblemCode;
  readonly errors: readonly FieldError[];

  constructor(code: ProblemCode, detail: string, errors: readonly FieldError[] = []) {
    super(detail);
    this.code = code;
    this.errors = errors;
  }
}

/** A request of which named parts are wrong. */
export function invalid(errors: readonly FieldError[]): AdminProblem {
  return new AdminProblem('invalid', errors.map(({ field, message }) => `${field}: ${message}`).join('; '), errors);
}

/** @param instance the request's path; empty when it could not be read */
export function problemBody({ code, message, errors }: AdminProblem, instance: string): ProblemBody {
  const { status, title } = PROBLEMS[code];
  const body = { type: `urn:crossfade:problem:${code}`, title, status, detail: message, instance, code };
  return errors.length === 0 ? body : { ...body, errors: [...errors] };
}

export const PROBLEM_TYPE = 'application/problem+json';

export function sendProblem(request: FastifyRequest, reply: FastifyReply, problem: AdminProblem): FastifyReply {
  const body = problemBody(problem, request.url);
  // A text, so that no response schema is looked for.
  return reply.code(body.status).header('content-type', PROBLEM_TYPE).send(JSON.stringify(body));
}
