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

const UNITS = 'HMSmun';
const UNIT_MS = [3_600_000, 60_000, 1000, 1, 1e-3, 1e-6];
/** A value has at most so many digits. */
const MOST_DIGITS = 8;
const MOST = 99_999_999;

/** `grpc-timeout` in milliseconds; infinite when there is none or it makes no sense, which gRPC servers take for the same. */
export function grpcTimeoutMs(fields: Fields): number {
  const text = fields.get('grpc-timeout');
  if (text === undefined) return Number.POSITIVE_INFINITY;
  const digits = text.length - 1;
  const unit = digits > 0 && digits <= MOST_DIGITS ? UNITS.indexOf(text.charAt(digits)) : -1;
  let value = 0;
  for (let i = 0; i < digits; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return Number.POSITIVE_INFINITY;
    value = value * 10 + digit;
  }
  return unit === -1 ? Number.POSITIVE_INFINITY : value * (UNIT_MS[unit] as number);
}

/** @param ms that are left; what has passed already becomes the least that can be said */
export function formatGrpcTimeout(ms: number): string {
  if (ms < 1000) return `${Math.max(1, Math.floor(ms * 1000))}u`;
  if (ms <= MOST) return `${Math.floor(ms)}m`;
  return `${Math.min(MOST, Math.floor(ms / 1000))}S`;
}
