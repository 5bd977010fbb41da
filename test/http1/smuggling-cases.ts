/**
 * Every known way to make two parties read one stream of bytes as different requests, as data: for the codec by itself, and for the data
 * plane with a backend behind it.
 */
import type { RequestFault } from '../../src/http1/fault.ts';

export interface ExpectedRequest {
  readonly method: string;
  readonly target: string;
  /** One character a byte. */
  readonly body: string;
}

export interface SmugglingCase {
  readonly family: string;
  readonly name: string;
  /** The section that settles it. */
  readonly rfc: string;
  /** What the client sends, one character a byte. */
  readonly bytes: string;
  /** What a backend may get to see, in full and in this order. */
  readonly requests: readonly ExpectedRequest[];
  /** A request whose head is good and whose body is not: a backend may have seen its head and this much of its body, and never its end. */
  readonly cut?: ExpectedRequest;
  /** Why the rest is refused; null: nothing is wrong with it. */
  readonly fault: RequestFault | null;
}

/** What an attacker wants to get past the proxy. */
export const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';

function head(lines: readonly string[], startLine = 'POST / HTTP/1.1'): string {
  return `${[startLine, 'Host: a', ...lines].join('\r\n')}\r\n\r\n`;
}

type Given = Omit<SmugglingCase, 'family' | 'requests' | 'fault'> & Partial<SmugglingCase>;

/** Cases of one family; unless a case says otherwise the bytes are refused whole. */
function family(name: string, cases: readonly Given[]): SmugglingCase[] {
  return cases.map((given) => ({ requests: [], fault: 'badRequest', ...given, family: name }));
}

const CL_TE = family('CL.TE', [
  {
    name: 'a length that covers the smuggled request, and chunked',
    rfc: 'RFC 9112 section 6.3',
    bytes: head(['Content-Length: 40', 'Transfer-Encoding: chunked']) + `0\r\n\r\n${SMUGGLED}`,
  },
  {
    name: 'a right length, and chunked',
    rfc: 'RFC 9112 section 6.3',
    bytes: `${head(['Content-Length: 5', 'Transfer-Encoding: chunked'])}0\r\n\r\n`,
  },
  {
    name: 'length 0, and chunked',
    rfc: 'RFC 9112 section 6.3',
    bytes: head(['Content-Length: 0', 'Transfer-Encoding: chunked']) + `0\r\n\r\n${SMUGGLED}`,
  },
  {
    name: 'an illegal length, and chunked',
    rfc: 'RFC 9112 section 6.3',
    bytes: `${head(['Content-Length: x', 'Transfer-Encoding: chunked'])}0\r\n\r\n`,
  },
]);

const TE_CL = family('TE.CL', [
  {
    name: 'chunked before a length that ends behind the size line',
    rfc: 'RFC 9112 section 6.3',
    bytes: head(['Transfer-Encoding: chunked', 'Content-Length: 4']) + `23\r\n${SMUGGLED}\r\n0\r\n\r\n`,
  },
  {
    name: 'Connection names the length as a hop’s own',
    rfc: 'RFC 9112 section 6.3',
    bytes:
      head(['Connection: content-length', 'Transfer-Encoding: chunked', 'Content-Length: 4']) +
      `23\r\n${SMUGGLED}\r\n0\r\n\r\n`,
  },
]);

function coding(name: string, line: string, fault: RequestFault = 'badRequest'): Given {
  return { name, rfc: 'RFC 9112 section 6.1', bytes: head([line]) + `0\r\n\r\n${SMUGGLED}`, fault };
}

const TE_TE = family('TE.TE', [
  coding('twice', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked'),
  coding('twice in one field', 'Transfer-Encoding: chunked, chunked'),
  coding('with identity behind it', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity'),
  coding('with identity before it in one field', 'Transfer-Encoding: identity, chunked', 'transferCodingUnknown'),
  coding('with gzip before it', 'Transfer-Encoding: gzip, chunked', 'transferCodingUnknown'),
  coding('with gzip behind it', 'Transfer-Encoding: chunked, gzip'),
  coding('an unknown coding', 'Transfer-Encoding: xchunked'),
  coding('identity alone', 'Transfer-Encoding: identity'),
  coding('quoted', 'Transfer-Encoding: "chunked"'),
  coding('with a parameter', 'Transfer-Encoding: chunked;q=1'),
  coding('with an empty member behind it', 'Transfer-Encoding: chunked,'),
  coding('with an empty member before it', 'Transfer-Encoding: ,chunked'),
  coding('empty', 'Transfer-Encoding:'),
  coding('a vertical tab before it', 'Transfer-Encoding: \x0bchunked'),
  coding('a form feed behind it', 'Transfer-Encoding: chunked\x0c'),
  coding('a tab behind it', 'Transfer-Encoding: chunked\t'),
  coding('a no-break space behind it', 'Transfer-Encoding: chunked\xa0'),
  coding('a NUL behind it', 'Transfer-Encoding: chunked\x00'),
  coding('folded', 'Transfer-Encoding:\r\n chunked'),
  coding('behind a bare LF', 'X-A: b\nTransfer-Encoding: chunked'),
  coding('behind a bare CR', 'X-A: b\rTransfer-Encoding: chunked'),
  coding('a blank before the colon', 'Transfer-Encoding : chunked'),
  coding('a blank before the name', ' Transfer-Encoding: chunked'),
  {
    name: 'in HTTP/1.0',
    rfc: 'RFC 9112 section 6.1',
    bytes: head(['Connection: keep-alive', 'Transfer-Encoding: chunked'], 'POST / HTTP/1.0') + `0\r\n\r\n${SMUGGLED}`,
  },
  {
    name: 'in capitals is chunked',
    rfc: 'RFC 9112 section 7',
    bytes: head(['TRANSFER-ENCODING: CHUNKED']) + `23\r\n${SMUGGLED}\r\n0\r\n\r\n`,
    requests: [{ method: 'POST', target: '/', body: SMUGGLED }],
    fault: null,
  },
  {
    name: 'a name with an underscore is another field',
    rfc: 'RFC 9110 section 5.1',
    bytes: head(['Transfer_Encoding: chunked', 'Content-Length: 35']) + SMUGGLED,
    requests: [{ method: 'POST', target: '/', body: SMUGGLED }],
    fault: null,
  },
]);

const CL_0 = family('CL.0', [
  {
    name: 'a body on GET belongs to GET',
    rfc: 'RFC 9110 section 9.3.1',
    bytes: head(['Content-Length: 35'], 'GET /static HTTP/1.1') + SMUGGLED,
    requests: [{ method: 'GET', target: '/static', body: SMUGGLED }],
    fault: null,
  },
  {
    name: 'a body on HEAD belongs to HEAD',
    rfc: 'RFC 9110 section 9.3.2',
    bytes: head(['Content-Length: 35'], 'HEAD / HTTP/1.1') + SMUGGLED,
    requests: [{ method: 'HEAD', target: '/', body: SMUGGLED }],
    fault: null,
  },
  {
    name: 'a chunked body on GET belongs to GET',
    rfc: 'RFC 9112 section 6.3',
    bytes: head(['Transfer-Encoding: chunked'], 'GET / HTTP/1.1') + `23\r\n${SMUGGLED}\r\n0\r\n\r\n`,
    requests: [{ method: 'GET', target: '/', body: SMUGGLED }],
    fault: null,
  },
  {
    name: 'a body that Expect announces belongs to its request',
    rfc: 'RFC 9110 section 10.1.1',
    bytes: head(['Expect: 100-continue', 'Content-Length: 35']) + SMUGGLED,
    requests: [{ method: 'POST', target: '/', body: SMUGGLED }],
    fault: null,
  },
  {
    name: 'a length that Connection names still counts',
    rfc: 'RFC 9110 section 7.6.1',
    bytes: head(['Connection: content-length', 'Content-Length: 35']) + SMUGGLED,
    requests: [{ method: 'POST', target: '/', body: SMUGGLED }],
    fault: null,
  },
  {
    name: 'without a length there is no body, and what follows is a request of its own',
    rfc: 'RFC 9112 section 6.3',
    bytes: head([]) + SMUGGLED,
    requests: [
      { method: 'POST', target: '/', body: '' },
      { method: 'GET', target: '/smuggled', body: '' },
    ],
    fault: null,
  },
]);

function length(name: string, value: string): Given {
  return { name, rfc: 'RFC 9110 section 8.6', bytes: head([`Content-Length: ${value}`]) + SMUGGLED };
}

const LENGTHS = family('lengths', [
  length('twice and different', '0\r\nContent-Length: 35'),
  length('twice and the same', '35\r\nContent-Length: 35'),
  length('a list', '35, 35'),
  length('a list of different ones', '0, 35'),
  length('a plus sign', '+35'),
  length('a minus sign', '-35'),
  length('minus zero', '-0'),
  length('empty', ''),
  length('hexadecimal', '0x23'),
  length('hexadecimal digits', '2a'),
  length('an exponent', '3e1'),
  length('a fraction', '35.0'),
  length('a blank within', '3 5'),
  length('an underscore within', '3_5'),
  length('a comma behind', '35,'),
  length('a semicolon behind', '35;'),
  length('quoted', '"35"'),
  length('a vertical tab before', '\x0b35'),
  length('a tab behind', '35\t'),
  length('a no-break space behind', '35\xa0'),
  length('digits of another script', '\xb3\xb5'),
  length('2^64, which is 0 to some', '18446744073709551616'),
  length('2^64 and 35', '18446744073709551651'),
  length('2^53 and 1, which is 2^53 to some', '9007199254740993'),
  {
    name: 'a blank before the colon',
    rfc: 'RFC 9112 section 5.1',
    bytes: head(['Content-Length : 35']) + SMUGGLED,
  },
  {
    name: 'leading zeros are decimal',
    rfc: 'RFC 9110 section 8.6',
    bytes: head(['Content-Length: 0035']) + SMUGGLED,
    requests: [{ method: 'POST', target: '/', body: SMUGGLED }],
    fault: null,
  },
]);

function raw(name: string, rfc: string, bytes: string, fault: RequestFault = 'badRequest'): Given {
  return { name, rfc, bytes, fault };
}

const LINES = family('lines', [
  raw('a folded field', 'RFC 9112 section 5.2', head(['X-A: b\r\n c'])),
  raw('a field folded with a tab', 'RFC 9112 section 5.2', head(['X-A: b\r\n\tc'])),
  raw('a first field that is folded', 'RFC 9112 section 2.2', 'GET / HTTP/1.1\r\n Host: a\r\n\r\n'),
  raw('a bare LF behind the request line', 'RFC 9112 section 2.2', 'GET / HTTP/1.1\nHost: a\r\n\r\n'),
  raw('a bare LF behind a field', 'RFC 9112 section 2.2', 'GET / HTTP/1.1\r\nHost: a\nX-A: b\r\n\r\n'),
  raw('bare LFs only', 'RFC 9112 section 2.2', 'GET / HTTP/1.1\nHost: a\n\n'),
  raw('a bare LF as empty line', 'RFC 9112 section 2.2', `GET / HTTP/1.1\r\nHost: a\r\n\n${SMUGGLED}`),
  raw('a bare CR in a value', 'RFC 9112 section 2.2', head(['X-A: b\rX-C: d'])),
  raw('a bare CR at the end of a value', 'RFC 9112 section 2.2', head(['X-A: b\r'])),
  raw('a bare CR behind the request line', 'RFC 9112 section 2.2', 'GET / HTTP/1.1\rHost: a\r\n\r\n'),
  raw('a bare CR before the request line', 'RFC 9112 section 2.2', `\r${SMUGGLED}`),
  raw('a bare LF before the request line', 'RFC 9112 section 2.2', `\n${SMUGGLED}`),
  raw('a NUL in a value', 'RFC 9110 section 5.5', head(['X-A: b\x00c'])),
  raw('a NUL in a name', 'RFC 9110 section 5.1', head(['X\x00A: b'])),
  raw('a NUL in the target', 'RFC 9112 section 3.2', 'GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n'),
  raw('a control character in a value', 'RFC 9110 section 5.5', head(['X-A: b\x08c'])),
  raw('a blank before the colon', 'RFC 9112 section 5.1', head(['X-A : b'])),
  raw('a tab before the colon', 'RFC 9112 section 5.1', head(['X-A\t: b'])),
  raw('no colon', 'RFC 9112 section 5', head(['X-A'])),
  raw('no name', 'RFC 9110 section 5.1', head([': b'])),
  raw('a name with a delimiter', 'RFC 9110 section 5.1', head(['X(A): b'])),
  raw('a name that is not ASCII', 'RFC 9110 section 5.1', head(['X-\xc4: b'])),
  raw('two blanks in the request line', 'RFC 9112 section 3', 'GET  / HTTP/1.1\r\nHost: a\r\n\r\n'),
  raw('a tab in the request line', 'RFC 9112 section 3', 'GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n'),
  raw('a blank behind the version', 'RFC 9112 section 3', 'GET / HTTP/1.1 \r\nHost: a\r\n\r\n'),
  raw('a blank in the target', 'RFC 9112 section 3.2', 'GET /a b HTTP/1.1\r\nHost: a\r\n\r\n'),
  raw('no target', 'RFC 9112 section 3', 'GET  HTTP/1.1\r\nHost: a\r\n\r\n'),
]);

/** A chunked request with this behind its head, and the smuggled request behind that. */
function chunks(name: string, body: string, seen = ''): Given {
  return {
    name,
    rfc: 'RFC 9112 section 7.1',
    bytes: head(['Transfer-Encoding: chunked']) + body + SMUGGLED,
    cut: { method: 'POST', target: '/', body: seen },
  };
}

const CHUNKS = family('chunks', [
  chunks('a size with 0x', '0x3\r\nabc\r\n0\r\n\r\n'),
  chunks('a size with a plus sign', '+3\r\nabc\r\n0\r\n\r\n'),
  chunks('a size with a minus sign', '-3\r\nabc\r\n0\r\n\r\n'),
  chunks('a blank before the size', ' 3\r\nabc\r\n0\r\n\r\n'),
  chunks('a blank behind the size', '3 \r\nabc\r\n0\r\n\r\n'),
  chunks('a tab behind the size', '3\t\r\nabc\r\n0\r\n\r\n'),
  chunks('no size', '\r\nabc\r\n0\r\n\r\n'),
  chunks('a size that is no number', 'g\r\nabc\r\n0\r\n\r\n'),
  chunks('an underscore in the size', '0_3\r\nabc\r\n0\r\n\r\n'),
  chunks('2^64 and 3', '10000000000000003\r\nabc\r\n0\r\n\r\n'),
  chunks('2^32 and 3 as a huge number', '00000000100000003\r\nabc\r\n0\r\n\r\n'),
  chunks('a thousand digits', `${'0'.repeat(1000)}3\r\nabc\r\n0\r\n\r\n`),
  chunks('a bare LF behind the size', '3\nabc\r\n0\r\n\r\n'),
  chunks('a bare CR behind the size', '3\rabc\r\n0\r\n\r\n'),
  chunks('two CR behind the size', '3\r\r\nabc\r\n0\r\n\r\n'),
  chunks('no CRLF behind the data', '3\r\nabc0\r\n\r\n', 'abc'),
  chunks('a bare LF behind the data', '3\r\nabc\n0\r\n\r\n', 'abc'),
  chunks('two other bytes behind the data', '3\r\nabcXX0\r\n\r\n', 'abc'),
  chunks('more data than the size says', '3\r\nabcd\r\n0\r\n\r\n', 'abc'),
  chunks('an extension that ends in a bare LF', '3;x\nabc\r\n0\r\n\r\n'),
  chunks('an extension with a bare CR', '3;x\ry\r\nabc\r\n0\r\n\r\n'),
  chunks('an extension with a NUL', '3;\x00\r\nabc\r\n0\r\n\r\n'),
  chunks('an extension without a name', '3;\r\nabc\r\n0\r\n\r\n'),
  chunks('an extension with = and no value', '3;x=\r\nabc\r\n0\r\n\r\n'),
  chunks('an extension with an open quote over the line', '3;x="\r\nabc\r\n0\r\n\r\n"'),
  chunks('a bare LF as the end of the trailer section', '3\r\nabc\r\n0\r\n\n', 'abc'),
  chunks('extensions beyond all measure', `3;x=${'y'.repeat(9000)}\r\nabc\r\n0\r\n\r\n`),
  {
    name: 'extensions that are well-formed are dropped',
    rfc: 'RFC 9112 section 7.1.1',
    bytes: `${head(['Transfer-Encoding: chunked'])}3;a;b=c;d="e;\\"f"\r\nabc\r\n0;last\r\n\r\n`,
    requests: [{ method: 'POST', target: '/', body: 'abc' }],
    fault: null,
  },
  {
    name: 'leading zeros and capitals are digits',
    rfc: 'RFC 9112 section 7.1',
    bytes: `${head(['Transfer-Encoding: chunked'])}00A\r\n0123456789\r\n000\r\n\r\n`,
    requests: [{ method: 'POST', target: '/', body: '0123456789' }],
    fault: null,
  },
]);

function trailers(name: string, section: string): Given {
  return {
    name,
    rfc: 'RFC 9110 section 6.5.1',
    bytes: head(['Transfer-Encoding: chunked']) + `3\r\nabc\r\n0\r\n${section}`,
    cut: { method: 'POST', target: '/', body: 'abc' },
  };
}

const TRAILERS = family('trailers', [
  trailers('a length', 'Content-Length: 35\r\n\r\n'),
  trailers('a transfer coding', 'Transfer-Encoding: chunked\r\n\r\n'),
  trailers('a folded field', 'X-A: b\r\n c\r\n\r\n'),
  trailers('a blank before the colon', 'X-A : b\r\n\r\n'),
  trailers('a bare LF', 'X-A: b\nX-C: d\r\n\r\n'),
  trailers('a NUL', 'X-A: \x00\r\n\r\n'),
  trailers('a request line', SMUGGLED),
  {
    name: 'what routes or vouches is dropped',
    rfc: 'RFC 9110 section 6.5.1',
    bytes: `${head(['Transfer-Encoding: chunked'])}3\r\nabc\r\n0\r\nHost: other\r\nX-Forwarded-For: 10.0.0.1\r\nConnection: close\r\n\r\n${SMUGGLED}`,
    requests: [
      { method: 'POST', target: '/', body: 'abc' },
      { method: 'GET', target: '/smuggled', body: '' },
    ],
    fault: null,
  },
]);

const HOSTS = family('Host', [
  raw('none', 'RFC 9112 section 3.2', 'GET / HTTP/1.1\r\nX-A: b\r\n\r\n'),
  raw('twice', 'RFC 9112 section 3.2', head(['Host: b'])),
  raw('twice and the same', 'RFC 9112 section 3.2', head(['Host: a'])),
  raw('empty', 'RFC 9112 section 3.2', 'GET / HTTP/1.1\r\nHost:\r\n\r\n'),
  raw('a list', 'RFC 9110 section 7.2', 'GET / HTTP/1.1\r\nHost: a, b\r\n\r\n'),
  raw('a path', 'RFC 9110 section 7.2', 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n'),
  raw('userinfo', 'RFC 9110 section 4.2.4', 'GET / HTTP/1.1\r\nHost: b@a\r\n\r\n'),
  raw('a port that is no number', 'RFC 9110 section 7.2', 'GET / HTTP/1.1\r\nHost: a:b\r\n\r\n'),
  raw('a blank within', 'RFC 9110 section 7.2', 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n'),
  raw('a blank before its colon', 'RFC 9112 section 5.1', 'GET / HTTP/1.1\r\nHost : a\r\n\r\n'),
  raw('folded', 'RFC 9112 section 5.2', 'GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n'),
  raw('an absolute-form that names another', 'RFC 9112 section 3.2.2', head([], 'GET http://b/ HTTP/1.1')),
  raw('an absolute-form that names another port', 'RFC 9112 section 3.2.2', head([], 'GET http://a:81/ HTTP/1.1')),
  raw('an absolute-form with userinfo', 'RFC 9110 section 4.2.4', head([], 'GET http://a@b/ HTTP/1.1')),
  raw('an absolute-form without a host', 'RFC 9110 section 4.2.1', head([], 'GET http:///x HTTP/1.1')),
  raw('an absolute-form of another scheme', 'RFC 9112 section 3.2.2', head([], 'GET ftp://a/ HTTP/1.1')),
  raw('an absolute-form and no Host', 'RFC 9112 section 3.2', 'GET http://a/ HTTP/1.1\r\n\r\n'),
  raw('an authority-form', 'RFC 9112 section 3.2.3', head([], 'GET a:80 HTTP/1.1')),
  raw('a fragment', 'RFC 9112 section 3.2', head([], 'GET /a#b HTTP/1.1')),
  raw('* for another method than OPTIONS', 'RFC 9112 section 3.2.4', head([], 'GET * HTTP/1.1')),
  raw('CONNECT', 'RFC 9110 section 9.3.6', head([], 'CONNECT a:443 HTTP/1.1'), 'methodUnsupported'),
  {
    name: 'an absolute-form that names the same is its path',
    rfc: 'RFC 9112 section 3.2.2',
    bytes: head([], 'GET http://A/x?y HTTP/1.1'),
    requests: [{ method: 'GET', target: '/x?y', body: '' }],
    fault: null,
  },
]);

const VERSIONS = family('versions', [
  raw('HTTP/0.9', 'RFC 9112 section 2.3', 'GET /\r\n'),
  raw('HTTP/0.9 with fields', 'RFC 9112 section 2.3', `GET /\r\nHost: a\r\n\r\n${SMUGGLED}`),
  raw('HTTP/0.9 with a bare LF', 'RFC 9112 section 2.3', 'GET /\n'),
  raw('HTTP/0.9 in words', 'RFC 9112 section 2.3', head([], 'GET / HTTP/0.9'), 'versionUnsupported'),
  raw('HTTP/2.0', 'RFC 9113 section 3.2', head([], 'GET / HTTP/2.0'), 'versionUnsupported'),
  raw('the preface of HTTP/2', 'RFC 9113 section 3.4', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'versionUnsupported'),
  raw('HTTP/3.0', 'RFC 9112 section 2.3', head([], 'GET / HTTP/3.0'), 'versionUnsupported'),
  raw('HTTP/1.2', 'RFC 9112 section 2.3', head([], 'GET / HTTP/1.2'), 'versionUnsupported'),
  raw('HTTP/1.10', 'RFC 9112 section 2.3', head([], 'GET / HTTP/1.10')),
  raw('HTTP/01.1', 'RFC 9112 section 2.3', head([], 'GET / HTTP/01.1')),
  raw('HTTP/1', 'RFC 9112 section 2.3', head([], 'GET / HTTP/1')),
  raw('in lower case', 'RFC 9112 section 2.3', head([], 'GET / http/1.1')),
  raw('another protocol', 'RFC 9112 section 2.3', head([], 'GET / RTSP/1.0')),
]);

const UPGRADES = family('Upgrade', [
  {
    name: 'h2c is an ordinary request, and its body no HTTP/2',
    rfc: 'RFC 9113 section 3.1',
    bytes:
      head([
        'Connection: Upgrade, HTTP2-Settings',
        'Upgrade: h2c',
        'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA',
        'Content-Length: 35',
      ]) + SMUGGLED,
    requests: [{ method: 'POST', target: '/', body: SMUGGLED }],
    fault: null,
  },
  {
    name: 'what follows h2c is HTTP/1.1 or refused',
    rfc: 'RFC 9113 section 3.4',
    bytes: `${head(['Connection: Upgrade', 'Upgrade: h2c'])}PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`,
    requests: [{ method: 'POST', target: '/', body: '' }],
    fault: 'versionUnsupported',
  },
]);

export const SMUGGLING_CASES: readonly SmugglingCase[] = [
  ...CL_TE,
  ...TE_CL,
  ...TE_TE,
  ...CL_0,
  ...LENGTHS,
  ...LINES,
  ...CHUNKS,
  ...TRAILERS,
  ...HOSTS,
  ...VERSIONS,
  ...UPGRADES,
];
