/**
 * Every way in which the proxy itself ends a request. One table: who caused it, whether the same request may be sent again, and
 * what the client is told. `respond-error` is the only place that turns an entry into an answer.
 */

/** Who caused it. Only `upstream` errors count against a side. */
export type ErrorSource = 'client' | 'upstream' | 'proxy';

/**
 * Whether another attempt is allowed. `nothingSent`: no byte of the request left, any request may go again. `idempotent`: the peer may have
 * acted on it, so only a request that may be repeated (RFC 9110 section 9.2.2). `never`: the answer has begun or the fault is the client's.
 */
export type RetryRule = 'nothingSent' | 'idempotent' | 'never';

export interface ErrorEntry {
  readonly source: ErrorSource;
  readonly retry: RetryRule;
  /** 0: nothing can be answered any more, the connection or stream is cut. */
  readonly status: number;
  /** gRPC status (grpc.io, statuscodes): what a gRPC client is told instead. */
  readonly grpcStatus: number;
  /** What the client reads; never an inner address. */
  readonly title: string;
}

const entry = (
  source: ErrorSource,
  retry: RetryRule,
  status: number,
  grpcStatus: number,
  title: string,
): ErrorEntry => ({ source, retry, status, grpcStatus, title });

export const ERRORS = {
  badRequest: entry('client', 'never', 400, 13, 'The request is not valid HTTP'),
  requestHeadTimeout: entry('client', 'never', 408, 4, 'The request head did not arrive in time'),
  requestBodyTimeout: entry('client', 'never', 408, 4, 'The request body did not arrive in time'),
  bodyTooLarge: entry('client', 'never', 413, 8, 'The request body is too large'),
  targetTooLong: entry('client', 'never', 414, 13, 'The request target is too long'),
  headTooLarge: entry('client', 'never', 431, 8, 'The request head is too large'),
  versionUnsupported: entry('client', 'never', 505, 13, 'The HTTP version is not supported here'),
  transferCodingUnknown: entry('client', 'never', 501, 12, 'The transfer coding is not supported'),
  methodUnsupported: entry('client', 'never', 501, 12, 'The method is not supported here'),
  clientStalled: entry('client', 'never', 0, 1, 'The client stopped reading its answer'),
  noRoute: entry('client', 'never', 404, 12, 'No route matches the request'),
  tooManyConnections: entry('proxy', 'never', 503, 14, 'Too many connections'),
  noEndpoint: entry('upstream', 'nothingSent', 503, 14, 'No endpoint serves the request'),
  poolExhausted: entry('proxy', 'nothingSent', 503, 14, 'Too many requests in progress'),
  memoryExhausted: entry('proxy', 'never', 503, 14, 'There is no memory for more requests now'),
  socketsExhausted: entry('proxy', 'nothingSent', 503, 14, 'There is no socket for a connection to the backend now'),
  pendingTimeout: entry('proxy', 'nothingSent', 503, 14, 'No connection to the backend came free in time'),
  connectRefused: entry('upstream', 'nothingSent', 502, 14, 'The backend refused the connection'),
  connectTimeout: entry('upstream', 'nothingSent', 504, 14, 'The backend could not be reached in time'),
  connectFailed: entry('upstream', 'nothingSent', 502, 14, 'The backend could not be reached'),
  tlsFailed: entry('upstream', 'nothingSent', 502, 14, 'The connection to the backend could not be secured'),
  upstreamRefused: entry('upstream', 'nothingSent', 503, 14, 'The backend takes no more requests now'),
  upstreamReset: entry('upstream', 'idempotent', 502, 14, 'The backend closed the connection before its answer'),
  upstreamInvalid: entry('upstream', 'never', 502, 13, 'The backend did not answer with valid HTTP'),
  responseHeadTimeout: entry('upstream', 'idempotent', 504, 4, 'The backend did not answer in time'),
  totalTimeout: entry('upstream', 'never', 504, 4, 'The request took too long'),
  deadlineExceeded: entry('upstream', 'never', 504, 4, 'The deadline of the call has passed'),
  upstreamTruncated: entry('upstream', 'never', 0, 14, 'The backend broke off its answer'),
  upstreamStalled: entry('upstream', 'never', 0, 4, 'The backend stopped in the middle of its answer'),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;

/** Kinds of the `crossfade_faults_total` metric: upstream errors, and answers that are faults by themselves. */
export const FAULT_KINDS = [
  'connectRefused',
  'connectTimeout',
  'connectFailed',
  'tlsFailed',
  'noEndpoint',
  'upstreamRefused',
  'upstreamReset',
  'upstreamInvalid',
  'responseHeadTimeout',
  'totalTimeout',
  'deadlineExceeded',
  'upstreamTruncated',
  'upstreamStalled',
  'status5xx',
  'grpcStatus',
] as const;

/**
 * Reasons of the `crossfade_rejections_total` metric: limits and rules of the proxy that a client or its request ran into, by their names in
 * the table; `idle` is a connection closed because nothing came, `memoryExhausted` a request that was answered so or an idle connection closed for the same reason.
 */
export const REJECTIONS = [
  'badRequest',
  'versionUnsupported',
  'methodUnsupported',
  'transferCodingUnknown',
  'targetTooLong',
  'headTooLarge',
  'bodyTooLarge',
  'requestHeadTimeout',
  'requestBodyTimeout',
  'clientStalled',
  'tooManyConnections',
  'poolExhausted',
  'socketsExhausted',
  'pendingTimeout',
  'memoryExhausted',
  'idle',
] as const;
