/** Whatever goes wrong on the way to an answer, made into one of the problems. */
import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { type Issue, wording } from '../config/wording.ts';
import { StoreUnavailable } from '../control/control.ts';
import { storeRefusal } from '../control/writer.ts';
import {
  AdminProblem,
  type FieldError,
  invalid,
  PROBLEM_TYPE,
  type ProblemCode,
  problemBody,
  sendProblem,
} from './problem.ts';

/** What is read of a body. */
export const BODY_BYTES = 64 * 1024;

/** @param onProblem is told which problem it was */
export function answerFailure(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  onProblem?: (problem: AdminProblem) => void,
): FastifyReply {
  const problem = problemOf(error);
  onProblem?.(problem);
  if (problem.code === 'internal')
    request.log.error({ err: error, method: request.method, url: request.url }, 'admin request failed');
  return sendProblem(request, reply, problem);
}

function problemOf(error: unknown): AdminProblem {
  if (error instanceof AdminProblem) return error;
  if (error instanceof StoreUnavailable) return new AdminProblem(storeRefusal(error).code, error.message);
  if (hasZodFastifySchemaValidationErrors(error)) return invalid(error.validation.flatMap(fieldErrors));
  const { statusCode = 500, message } = error as Partial<FastifyError> & Error;
  const code = BY_STATUS[statusCode];
  if (code !== undefined) return new AdminProblem(code, REMEDIES[code] ?? message);
  return new AdminProblem('internal', 'Nothing is known to have changed; the log of this replica has the details');
}

/** Fastify's own refusals: a URL, media type or body that it cannot read. */
const BY_STATUS: Readonly<Record<number, ProblemCode>> = {
  400: 'malformed',
  404: 'notFound',
  413: 'bodyTooLarge',
  415: 'unsupportedMediaType',
};

/** Fastify's words for these do not say what to do. */
const REMEDIES: Partial<Record<ProblemCode, string>> = {
  bodyTooLarge: `A body has at most ${BODY_BYTES} bytes`,
  unsupportedMediaType: 'Send JSON, with the header "content-type: application/json"',
};

const JSON_KINDS = { object: 'an object', record: 'an object', array: 'an array', string: 'a string' };

interface ZodFinding {
  readonly instancePath: string;
  readonly keyword: string;
  readonly message?: string | undefined;
  readonly params: Readonly<Record<string, unknown>>;
}

function fieldErrors({ instancePath, keyword, message = 'is not valid', params }: ZodFinding): FieldError[] {
  const path = instancePath.split('/').filter((step) => step !== '');
  if (keyword === 'unrecognized_keys') {
    return (params['keys'] as string[]).map((key) => ({
      field: [...path, key].join('.'),
      message: 'is not known here',
    }));
  }
  const field = path.length === 0 ? 'body' : path.join('.');
  // A value that is not there is told from one of another kind only by the words.
  if (message.endsWith('received undefined')) return [{ field, message: 'is required' }];
  return [{ field, message: wording({ code: keyword, message, ...params } as unknown as Issue, JSON_KINDS) }];
}

/** What Node could not read as HTTP: there is no request to answer, only a socket. */
export function answerUnreadable(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const code = BY_NODE_CODE[error.code ?? ''] ?? 'malformed';
  const { status, ...rest } = problemBody(
    new AdminProblem(code, 'The request is not valid HTTP or too large to read'),
    '',
  );
  const body = JSON.stringify({ ...rest, status });
  const head = `HTTP/1.1 ${status} ${rest.title}\r\ncontent-type: ${PROBLEM_TYPE}\r\ncontent-length: ${Buffer.byteLength(body)}`;
  socket.end(`${head}\r\nconnection: close\r\n\r\n${body}`);
}

const BY_NODE_CODE: Readonly<Record<string, ProblemCode>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'requestTimeout',
  HPE_HEADER_OVERFLOW: 'headersTooLarge',
};
