import { METHODS } from 'node:http';
import type { SeenRequest } from '../http1/transcript.ts';
import { type Divergence, values } from './divergence.ts';
import { STRICT_FRAMING } from './framing-divergences.ts';
import type { NodeRequest } from './node-server.ts';

type RequestDivergence = Divergence<SeenRequest, NodeRequest>;

const PERSISTENCE = { name: 'Proxy-Connection is not Connection', rfc: 'RFC 9112 appendix C.2.2' };

/** What this codec takes and llhttp does not. */
export const TAKEN: readonly RequestDivergence[] = [
  {
    name: 'a method that llhttp does not know is a token like any other',
    rfc: 'RFC 9110 section 9.1',
    covers: ({ ours }) => ours !== null && !METHODS.includes(ours.method),
  },
  {
    name: 'Connection means nothing in trailers',
    rfc: 'RFC 9110 section 6.5.1',
    covers: ({ before, error, beforeTheirs }) =>
      before !== null &&
      error === 'HPE_CLOSED_CONNECTION' &&
      values(beforeTheirs?.trailers ?? [], 'connection').length > 0,
  },
  {
    name: 'an Upgrade of HTTP/1.0 is ignored, so that requests go on behind it',
    rfc: 'RFC 9110 section 7.8',
    covers: ({ before, theirs }) =>
      before !== null && before.minorVersion === 0 && theirs === null && values(before.fields, 'upgrade').length > 0,
  },
  {
    ...PERSISTENCE,
    covers: ({ before, error }) =>
      before !== null && error === 'HPE_CLOSED_CONNECTION' && values(before.fields, 'proxy-connection').length > 0,
  },
];

const HOST = /^(?:\[(?:[\da-f:.]+|v[\da-f]+\.[\w\-.~!$&'()*+,;=:]+)\]|[\w\-.~%!$&'()*+,;=]+)(?::\d{0,5})?$/i;
const CLOSE = /(?:^|,)[ \t]*close[ \t]*(?:,|$)/i;
const ABSOLUTE = /^https?:\/\/([^/?#]*)/i;

/** What llhttp takes and this codec refuses. */
export const REFUSED: readonly RequestDivergence[] = [
  {
    name: 'empty lines before a request line are CRLF',
    rfc: 'RFC 9112 section 2.2',
    covers: ({ text }) => /^(?:\r\n)*(?:\n|\r[^\n])/.test(text),
  },
  {
    name: 'one blank each between method, target and version',
    rfc: 'RFC 9112 section 3',
    covers: ({ text }) => /^[\r\n]*[^ \r\n]+(?: {2,}[^ \r\n]+ +| +[^ \r\n]+ {2,})HTTP/.test(text),
  },
  {
    name: 'RTSP and ICE are not HTTP',
    rfc: 'RFC 9112 section 2.3',
    covers: ({ text }) => /^[^\r\n]* (?:RTSP|ICE)\/\d\.\d\r\n/.test(text.trimStart()),
  },
  {
    name: 'only HTTP/1.0 and HTTP/1.1 are spoken',
    rfc: 'RFC 9112 section 2.3',
    covers: ({ theirs }) => theirs !== null && theirs.version !== '1.0' && theirs.version !== '1.1',
  },
  {
    name: 'HTTP/1.1 has one Host',
    rfc: 'RFC 9112 section 3.2',
    covers: ({ theirs }) => {
      const hosts = theirs === null ? [] : values(theirs.fields, 'host').length;
      return theirs !== null && (hosts === 0 ? theirs.version === '1.1' : Number(hosts) > 1);
    },
  },
  {
    name: 'Host is a host and a port',
    rfc: 'RFC 9112 section 3.2',
    covers: ({ theirs }) => theirs !== null && values(theirs.fields, 'host').some((value) => !HOST.test(value)),
  },
  {
    name: 'an absolute-form names a host and a port',
    rfc: 'RFC 9112 section 3.2.2',
    covers: ({ theirs }) => {
      const host = theirs === null ? undefined : ABSOLUTE.exec(theirs.url)?.[1];
      return host !== undefined && !HOST.test(host);
    },
  },
  {
    name: 'an absolute-form and Host name one host',
    rfc: 'RFC 9112 section 3.2.2',
    covers: ({ theirs }) => {
      const host = theirs === null ? undefined : ABSOLUTE.exec(theirs.url)?.[1];
      return (
        host !== undefined &&
        values(theirs?.fields ?? [], 'host').some((value) => value.toLowerCase() !== host.toLowerCase())
      );
    },
  },
  {
    name: 'a target is a path, an http URI, or * for OPTIONS',
    rfc: 'RFC 9112 section 3.2',
    covers: ({ theirs }) =>
      theirs !== null &&
      (theirs.url === '*' ? theirs.method !== 'OPTIONS' : !/^(?:\/|https?:\/\/[^/?@])/i.test(theirs.url)),
  },
  {
    name: 'an absolute-form has no userinfo',
    rfc: 'RFC 9110 section 4.2.4',
    covers: ({ theirs }) => theirs !== null && /^https?:\/\/[^/?#]*@/i.test(theirs.url),
  },
  {
    name: 'a target has no fragment and nothing but visible ASCII',
    rfc: 'RFC 9112 section 3.2',
    covers: ({ theirs }) => theirs !== null && /[^\x21-\x22\x24-\x7e]/.test(theirs.url),
  },
  {
    // llhttp lets keep-alive outweigh it in HTTP/1.0, and does not know it with a tab behind it.
    name: 'close closes, whatever stands beside it',
    rfc: 'RFC 9112 section 9.3',
    covers: ({ before }) => before !== null && CLOSE.test(values(before.fields, 'connection').join()),
  },
  {
    ...PERSISTENCE,
    covers: ({ before }) => before?.keepAlive === false && values(before.fields, 'proxy-connection').length > 0,
  },
  ...STRICT_FRAMING,
];
