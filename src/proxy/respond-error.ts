/** The one place that turns an entry of the error table into an answer: RFC 9457 problem details, without a word about what is behind. */
import { ERRORS, type ErrorCode } from '../domain/errors.ts';
import { FieldBlock } from '../http2/field-block.ts';

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  404: 'Not Found',
  408: 'Request Timeout',
  413: 'Content Too Large',
  414: 'URI Too Long',
  431: 'Request Header Fields Too Large',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
};

/** Complete HTTP/1.1 answers, but for the Connection field and the end of the head. */
const ANSWERS = new Map<string, { readonly head: string; readonly body: string }>(
  Object.entries(ERRORS).map(([code, entry]) => {
    const body = `${JSON.stringify({ type: 'about:blank', title: entry.title, status: entry.status, code })}\n`;
    const retry = entry.status === 503 ? 'retry-after: 1\r\n' : '';
    const head =
      `HTTP/1.1 ${entry.status} ${REASONS[entry.status] ?? ''}\r\ncontent-type: application/problem+json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\ncache-control: no-store\r\n${retry}`;
    return [code, { head, body }];
  }),
);

/**
 * The answer as bytes, one character each.
 * @param close tell the client that the connection ends
 * @param isHead leave the body out
 * @param grpcType content type of the gRPC-Web call, which wants the error in gRPC's terms; null: it is none
 */
export function http1Error(code: ErrorCode, close: boolean, isHead: boolean, grpcType: string | null): string {
  if (grpcType !== null) return http1GrpcError(code, close, grpcType);
  const answer = ANSWERS.get(code) as { head: string; body: string };
  return `${answer.head}${close ? 'connection: close\r\n' : ''}\r\n${isHead ? '' : answer.body}`;
}

function http1GrpcError(code: ErrorCode, close: boolean, grpcType: string): string {
  const { grpcStatus, title } = ERRORS[code];
  const head = `HTTP/1.1 200 OK\r\ncontent-type: ${grpcType}\r\ncontent-length: 0\r\n`;
  return `${head}grpc-status: ${grpcStatus}\r\ngrpc-message: ${title}\r\n${close ? 'connection: close\r\n' : ''}\r\n`;
}

interface Http2Answer {
  readonly head: FieldBlock;
  /** Null: the head is all. */
  readonly body: Buffer | null;
}

const HTTP2_ANSWERS = new Map<string, Http2Answer>(
  Object.entries(ERRORS).map(([code, entry]) => {
    const body = Buffer.from((ANSWERS.get(code) as { body: string }).body, 'latin1');
    const flat = [':status', String(entry.status), 'content-type', 'application/problem+json'];
    flat.push('content-length', String(body.length), 'cache-control', 'no-store');
    if (entry.status === 503) flat.push('retry-after', '1');
    return [code, { head: new FieldBlock(flat, null), body }];
  }),
);

/** The answer on a stream. A gRPC call gets a Trailers-Only response (gRPC over HTTP/2, "Responses"). */
export function http2Error(code: ErrorCode, grpcType: string | null): Http2Answer {
  if (grpcType === null) return HTTP2_ANSWERS.get(code) as Http2Answer;
  const flat = [':status', '200', 'content-type', grpcType, ...grpcFields(code)];
  return { head: new FieldBlock(flat, null), body: null };
}

/** The end of a gRPC response that had begun. */
export function http2Trailers(code: ErrorCode): FieldBlock {
  return new FieldBlock(grpcFields(code), null);
}

function grpcFields(code: ErrorCode): string[] {
  const { grpcStatus, title } = ERRORS[code];
  return ['grpc-status', String(grpcStatus), 'grpc-message', title];
}
