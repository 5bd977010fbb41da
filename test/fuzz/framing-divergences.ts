/** Divergences of requests and responses alike: how a body is framed. */
import { type Divergence, values } from './divergence.ts';

interface Ours {
  readonly isComplete: boolean;
}

interface Theirs {
  readonly version: string;
  readonly fields: readonly string[];
}

type FramingDivergence = Divergence<Ours, Theirs>;

const SIZE_LINE = /(?<=\n)[\da-f]+;[^\r\n]*(?=\r\n)/gi;
const EXTENDED_SIZE = /^[\da-f]+(?:;[\w!#$%&'*+\-.^`|~]+(?:=(?:[\w!#$%&'*+\-.^`|~]+|"(?:[^"\\]|\\.)*"))?)*$/i;

/** Where llhttp is laxer about framing. */
export const STRICT_FRAMING: readonly FramingDivergence[] = [
  {
    // White space by RFC 9110 section 5.5; llhttp refuses it in requests, and in responses reads a body that is not chunked.
    name: 'no tab behind a value that frames',
    rfc: 'RFC 9112 section 6.3',
    covers: ({ text }) => /\r\n(?:Content-Length|Transfer-Encoding):[ \t]*\w+ *\t[ \t]*\r\n/i.test(text),
  },
  {
    name: 'a length of more than 15 digits is not believed',
    rfc: 'RFC 9110 section 8.6',
    covers: ({ theirs }) => values(theirs?.fields ?? [], 'content-length').some((value) => value.length > 15),
  },
  {
    name: 'HTTP/1.0 has no transfer coding',
    rfc: 'RFC 9112 section 6.1',
    covers: ({ theirs }) => theirs?.version === '1.0' && values(theirs.fields, 'transfer-encoding').length > 0,
  },
  {
    name: 'the only transfer coding is chunked, once',
    rfc: 'RFC 9112 section 6.1',
    covers: ({ theirs }) => {
      const codings = values(theirs?.fields ?? [], 'transfer-encoding');
      return codings.length > 1 || codings.some((value) => value.toLowerCase() !== 'chunked');
    },
  },
  {
    name: 'a chunk size of more than 13 digits is not believed',
    rfc: 'RFC 9112 section 7.1',
    covers: ({ ours, text }) => ours?.isComplete === false && /\r\n[\da-f]{14,}[\r;]/i.test(text),
  },
  {
    name: 'a chunk extension is a name, or a name and a token or quoted string',
    rfc: 'RFC 9112 section 7.1.1',
    covers: ({ ours, text }) =>
      ours?.isComplete === false && (text.match(SIZE_LINE) ?? []).some((line) => !EXTENDED_SIZE.test(line)),
  },
];
