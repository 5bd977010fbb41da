/** What gRPC says by header fields (gRPC over HTTP/2, PROTOCOL-HTTP2.md). */
import type { Fields } from '../fields.ts';
import type { RequestView } from './halves.ts';

const CONTENT_TYPE = 'application/grpc';

/** The content type of a gRPC call, gRPC-Web's too, as it was given; null: the request is none. */
export function grpcType(request: RequestView): string | null {
  if (request.method !== 'POST') return null;
  const type = request.fields.get('content-type');
  return type?.startsWith(CONTENT_TYPE) === true ? type : null;
}

/** gRPC-Web ends with a frame in the body, so its status is not seen here unless there is no body. */
export function hasTrailers(type: string): boolean {
  return !type.startsWith('-web', CONTENT_TYPE.length);
}

/** Status of a head or trailers; undefined when there is none, NaN when it is no number. */
export function grpcStatus(fields: Fields): number | undefined {
  const status = fields.get('grpc-status');
  if (status === undefined) return undefined;
  return /^\d{1,3}$/.test(status) ? Number(status) : Number.NaN;
}

const UNIT_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };
/** A value has at most so many digits. */
const MOST = 99_999_999;

/** `grpc-timeout` in milliseconds; infinite when there is none or it makes no sense, which gRPC servers take for the same. */
export function grpcTimeoutMs(fields: Fields): number {
  const value = fields.get('grpc-timeout');
  if (value === undefined || !/^\d{1,8}[HMSmun]$/.test(value)) return Number.POSITIVE_INFINITY;
  return Number(value.slice(0, -1)) * (UNIT_MS[value.slice(-1)] as number);
}

/** @param ms above 0 */
export function formatGrpcTimeout(ms: number): string {
  if (ms < 1000) return `${Math.max(1, Math.floor(ms * 1000))}u`;
  if (ms <= MOST) return `${Math.floor(ms)}m`;
  return `${Math.min(MOST, Math.floor(ms / 1000))}S`;
}
