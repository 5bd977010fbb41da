/**
 * Layout of the counts that workers keep: one Float64Array, a row a route, in it a block a side. Workers only add to cells and send
 * what rose; the supervisor sums; prom-client reads the sums at scrape. Indexes are computed, never looked up by name, on the hot path.
 */
import { FAULT_KINDS, REJECTIONS } from './errors.ts';

/** Upper bounds of `crossfade_request_duration_seconds`, the OpenTelemetry advice for HTTP servers. */
export const DURATION_BUCKETS_SECONDS = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
] as const;

export const PROTOCOLS = ['http1', 'h2', 'websocket'] as const;
/** `none`: the client was given no status, because it left or the answer could not begin. */
export const CODE_CLASSES = ['none', '1xx', '2xx', '3xx', '4xx', '5xx'] as const;
export const OUTCOMES = ['ok', 'fault', 'clientError', 'cancelled'] as const;
/** gRPC statuses 0 to 16 (grpc.io, statuscodes) and a response that carried none. */
export const GRPC_STATUSES = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
  'missing',
] as const;

// Offsets within a side's block.
/** protocol x code class, of responses given to clients. */
export const AT_REQUESTS = 0;
export const AT_GRPC = AT_REQUESTS + PROTOCOLS.length * CODE_CLASSES.length;
/** Attempts sent to this side, by outcome. */
export const AT_ATTEMPTS = AT_GRPC + GRPC_STATUSES.length;
export const AT_FAULTS = AT_ATTEMPTS + OUTCOMES.length;
/** One cell a bucket and one for what is above the last. */
export const AT_DURATION = AT_FAULTS + FAULT_KINDS.length;
export const AT_DURATION_SUM = AT_DURATION + DURATION_BUCKETS_SECONDS.length + 1;
/** Requests sent again after failing on this side. */
export const AT_RESCUES = AT_DURATION_SUM + 1;
/** Rises and falls with the requests under way. */
export const AT_INFLIGHT = AT_RESCUES + 1;
/** In the row of requests without a route, behind its code classes, where no such request can have anything: one cell a REJECTION. */
export const AT_REJECTIONS = PROTOCOLS.length * CODE_CLASSES.length;
/** In the same row: lines of the access log that were dropped. */
export const AT_LOG_DROPPED = AT_REJECTIONS + REJECTIONS.length;
/** Cells of one side, and of a route's two sides. */
export const SIDE_CELLS = AT_INFLIGHT + 1;
export const ROUTE_CELLS = 2 * SIDE_CELLS;

/**
 * After the last route stands one row for requests that reached none: its first cells are code classes of the answers given by the
 * proxy itself to requests without a route or that could not be read; AT_REJECTIONS counts by reason.
 */
export function cellCount(routes: number): number {
  return (routes + 1) * ROUTE_CELLS;
}

/** First cell of a route's side. */
export function cellsOf(route: number, side: number): number {
  return route * ROUTE_CELLS + side * SIDE_CELLS;
}

/** Index of an HTTP status' class; 0 (none) when there was no status. */
export function codeClass(status: number): number {
  return status >= 100 && status < 600 ? (status / 100) | 0 : 0;
}
