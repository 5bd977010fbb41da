/** The one place that turns an entry of the error table into an answer: RFC 9457 problem details, without a word about what is behind. */
import { ERRORS, type ErrorCode } from '../domain/errors.ts';

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

/** The answer as bytes, one character each. @param close tell the client that the connection ends; @param isHead leave the body out */
export function http1Error(code: ErrorCode, close: boolean, isHead: boolean): string {
  const answer = ANSWERS.get(code) as { head: string; body: string };
  return `${answer.head}${close ? 'connection: close\r\n' : ''}\r\n${isHead ? '' : answer.body}`;
}
