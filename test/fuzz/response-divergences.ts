import type { SeenResponse } from '../http1/transcript.ts';
import { type Divergence, values } from './divergence.ts';
import { STRICT_FRAMING } from './framing-divergences.ts';
import type { NodeResponse } from './node-client.ts';

type ResponseDivergence = Divergence<SeenResponse, NodeResponse>;

/** What this codec takes and llhttp does not, or frames otherwise. */
export const TAKEN: readonly ResponseDivergence[] = [
  {
    name: 'close in an interim response does not end the connection',
    rfc: 'RFC 9112 section 9.6',
    covers: ({ error, text }) =>
      error === 'HPE_CLOSED_CONNECTION' &&
      /^HTTP\/1\.1 1\d\d.*\r\n(?:.+\r\n)*(?:Proxy-)?Connection:.*close/im.test(text),
  },
];

/** What llhttp takes and this codec refuses. */
export const REFUSED: readonly ResponseDivergence[] = [
  {
    name: 'only HTTP/1.0 and HTTP/1.1 are spoken',
    rfc: 'RFC 9112 section 2.3',
    covers: ({ text }) => /(?:^|\r\n\r\n)[\r\n]*(?:ICE|RTSP|HTTP\/(?!1\.[01] ))/.test(text),
  },
  {
    name: 'no empty lines before a status line',
    rfc: 'RFC 9112 section 4',
    covers: ({ text }) => /(?:^|\r\n\r\n)[\r\n]+HTTP\//.test(text),
  },
  {
    name: 'HTTP/1.0 has no interim responses',
    rfc: 'RFC 9110 section 15.2',
    covers: ({ text }) => /(?:^|\r\n\r\n)HTTP\/1\.0 1/.test(text),
  },
  {
    name: 'framing fields of an interim response are judged like any other’s',
    rfc: 'RFC 9112 section 6.1',
    covers: ({ ours, text }) =>
      ours === null && /^HTTP\/1\.1 1\d\d.*\r\n(?:.+\r\n)*(?:Transfer-Encoding|Content-Length):/im.test(text),
  },
  {
    name: 'framing fields are no trailers',
    rfc: 'RFC 9110 section 6.5.1',
    covers: ({ ours, theirs }) =>
      ours?.isComplete === false &&
      ['content-length', 'transfer-encoding'].some((name) => values(theirs?.trailers ?? [], name).length > 0),
  },
  {
    name: 'a status has three digits, the first not 0',
    rfc: 'RFC 9110 section 15',
    covers: ({ theirs }) => theirs !== null && theirs.status !== null && theirs.status < 100,
  },
  {
    name: 'a reason has no controls',
    rfc: 'RFC 9112 section 4',
    covers: ({ text }) => /(?:^|\n)HTTP\/1\.[01] \d{3}[^\r\n]*(?:[^\t\r\n\x20-\x7e\x80-\xff]|\r(?!\n))/.test(text),
  },
  {
    name: 'nobody asked to switch protocols',
    rfc: 'RFC 9110 section 7.8',
    covers: ({ theirs }) => theirs?.status === 101,
  },
  ...STRICT_FRAMING,
];
