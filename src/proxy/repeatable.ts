/** Which requests may reach a backend twice. */
import { ERRORS, type ErrorCode } from '../domain/errors.ts';
import type { RouteSpec } from '../domain/route.ts';
import type { RequestView } from './halves.ts';

/** Methods whose repetition has the effect of one (RFC 9110 section 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** A gRPC method that its route says may be called twice. @param grpcType content type of a gRPC call; null: it is none */
export function isSafeCall(request: RequestView, grpcType: string | null, { rescue }: RouteSpec): boolean {
  return grpcType !== null && rescue.safeMethods?.includes(request.target) === true;
}

/** Whatever became of the first time. */
export function isRepeatable(request: RequestView, grpcType: string | null, route: RouteSpec): boolean {
  return IDEMPOTENT.has(request.method) || isSafeCall(request, grpcType, route);
}

/** After a first time that ended so, without a byte of an answer. */
export function mayRepeatAfter(
  code: ErrorCode,
  request: RequestView,
  grpcType: string | null,
  route: RouteSpec,
): boolean {
  const { retry } = ERRORS[code];
  return retry === 'nothingSent' || (retry === 'idempotent' && isRepeatable(request, grpcType, route));
}
