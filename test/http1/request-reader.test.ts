import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RequestFault } from '../../src/http1/fault.ts';
import { RequestReader } from '../../src/http1/request-reader.ts';
import { bytesOf, cutAt, everyCut, singleBytes } from './cuts.ts';
import { REQUEST_LIMITS, RequestTranscript, readRequests } from './transcript.ts';

function read(text: string): RequestTranscript {
  return readRequests([bytesOf(text)]);
}

function faultOf(text: string, limits = REQUEST_LIMITS): RequestFault | null {
  return readRequests([bytesOf(text)], limits).fault;
}

const GET = 'GET /a?b=c HTTP/1.1\r\nHost: h\r\n\r\n';
const CHUNKED = 'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n';

describe('a head', () => {
  test('is told with its parts as they came', () => {
    const { requests, fault } = read(
      'M-SEARCH /a/../b%20?c HTTP/1.1\r\nhOST: h:80\r\nX-A: \t b \t \r\nX-Empty:\r\nX-Text: \xe9\xff\r\n\r\n',
    );
    expect(fault).toBeNull();
    expect(requests).toEqual([
      {
        method: 'M-SEARCH',
        target: '/a/../b%20?c',
        authority: 'h:80',
        minorVersion: 1,
        keepAlive: true,
        wantsUpgrade: false,
        fields: ['hOST', 'h:80', 'X-A', 'b', 'X-Empty', '', 'X-Text', '\xe9\xff'],
        body: '',
        trailers: [],
        isComplete: true,
      },
    ]);
  });

  test.each(['GET', 'get', 'BREW', "!#$%&'*+-.^_`|~09"])('has any token for a method: %s', (method) => {
    expect(read(`${method} / HTTP/1.1\r\nHost: h\r\n\r\n`).last?.method).toBe(method);
  });

  test.each([
    ['http://h/a?b', '/a?b', 'GET'],
    ['HTTPS://h', '/', 'GET'],
    ['http://h?q', '/?q', 'GET'],
    ['http://h', '*', 'OPTIONS'],
    ['http://h/', '/', 'OPTIONS'],
    ['*', '*', 'OPTIONS'],
    ['//h/a', '//h/a', 'GET'],
  ])('asks for %s as %s (%s)', (target, expected, method) => {
    expect(read(`${method} ${target} HTTP/1.1\r\nHost: h\r\n\r\n`).last).toMatchObject({
      target: expected,
      authority: 'h',
    });
  });

  test.each(['h', 'h:80', 'h:', '127.0.0.1:1', '[::1]', '[::]:443', '[2001:db8::1]:80', '[v1.a:b]', 'a_b.c', '%41'])(
    'has %s for a Host',
    (host) => {
      expect(read(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`).last?.authority).toBe(host);
    },
  );

  test.each(['[::1', '::1', '[]', '[::1]x', '[g]', '[::1]:x', 'h:123456', ':80', 'h:80:80'])(
    'refuses %s for a Host',
    (host) => {
      expect(faultOf(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)).toBe('badRequest');
    },
  );

  test('HTTP/1.0 needs no Host', () => {
    expect(read('GET / HTTP/1.0\r\n\r\n').last).toMatchObject({ authority: '', minorVersion: 0, isComplete: true });
  });

  test.each([
    ['1.1', '', true],
    ['1.1', 'Connection: close\r\n', false],
    ['1.1', 'Connection: X-A, CLOSE\r\n', false],
    ['1.1', 'Connection: keep-alive\r\nConnection: close\r\n', false],
    ['1.1', 'Connection: closed\r\n', true],
    ['1.0', '', false],
    ['1.0', 'Connection: Keep-Alive\r\n', true],
    ['1.0', 'Connection: keep-alive, close\r\n', false],
  ])('of HTTP/%s with %j keeps the connection: %s', (version, line, keepAlive) => {
    expect(read(`GET / HTTP/${version}\r\nHost: h\r\n${line}\r\n`).last?.keepAlive).toBe(keepAlive);
  });

  test('tells which fields are meant for one hop, but never gives up those that frame', () => {
    const { reader } = read(
      'GET / HTTP/1.1\r\nHost: h\r\nConnection: X-A, content-length,, Transfer-Encoding , host,upgrade\r\n\r\n',
    );
    expect(reader.head.connection).toEqual({ close: false, keepAlive: false, upgrade: true, nominated: ['x-a'] });
  });
});

describe('a body', () => {
  test.each([
    ['by length', 'Content-Length: 5\r\n\r\nhello', 'hello'],
    ['of length 0', 'Content-Length: 0\r\n\r\n', ''],
    ['in chunks', 'Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n', 'hello'],
    ['in no chunks', 'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n', ''],
    [
      'in chunks with extensions',
      'Transfer-Encoding: chunked\r\n\r\n5;a="\\"\xe9";b=c;d\r\nhello\r\n0;x\r\n\r\n',
      'hello',
    ],
  ])('%s', (_name, rest, body) => {
    for (const pieces of everyCut(bytesOf(`PUT / HTTP/1.1\r\nHost: h\r\n${rest}${GET}`))) {
      const { requests, fault } = readRequests(pieces);
      expect(fault).toBeNull();
      expect(requests).toMatchObject([
        { body, isComplete: true },
        { method: 'GET', isComplete: true },
      ]);
    }
  });

  test('hands on trailers but those that mean something to a head', () => {
    const trailers =
      'X-T: v\r\nHost: x\r\nTE: trailers\r\nVia: x\r\nForwarded: for=x\r\nX-Forwarded-For: x\r\nExpect: x\r\nX-U:\r\n';
    expect(read(`${CHUNKED}0\r\n${trailers}\r\n`).last).toMatchObject({
      trailers: ['X-T', 'v', 'X-U', ''],
      isComplete: true,
    });
  });

  test('is not complete before its last byte', () => {
    const bytes = bytesOf(`${CHUNKED}1\r\na\r\n0\r\nX-T: v\r\n\r\n`);
    const transcript = new RequestTranscript();
    for (const piece of singleBytes(bytes)) {
      expect(transcript.last?.isComplete ?? false).toBe(false);
      transcript.feed(piece);
    }
    expect(transcript.last?.isComplete).toBe(true);
  });
});

describe('one after the other', () => {
  test('requests that came at once wait for next', () => {
    const told: string[] = [];
    const reader = new RequestReader(REQUEST_LIMITS, {
      onHead: ({ target }) => told.push(target),
      onBody: () => {},
      onEnd: () => told.push('end'),
      onFault: (fault) => told.push(fault),
    });
    reader.feed(bytesOf('GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\nGE'));
    expect(told).toEqual(['/1', 'end']);
    expect(reader.isMidway).toBe(false);
    reader.next();
    expect(told).toEqual(['/1', 'end', '/2', 'end']);
    reader.next();
    expect(reader.isMidway).toBe(true);
    reader.feed(bytesOf('T /3 HTTP/1.1\r\nHost: h\r\n\r\n'));
    expect(told).toEqual(['/1', 'end', '/2', 'end', '/3', 'end']);
    expect(reader.buffered).toBe(0);
  });

  test('a thousand at once do not deepen the stack', () => {
    const { requests, fault } = read(GET.repeat(1_000));
    expect(fault).toBeNull();
    expect(requests).toHaveLength(1_000);
  });

  test('trailers and extensions of one leave nothing behind for the next', () => {
    const long = `${CHUNKED}1;x=${'y'.repeat(3_000)}\r\na\r\n0\r\nX-T: ${'v'.repeat(100)}\r\n\r\n`;
    const short = `${CHUNKED}0\r\nX: y\r\n\r\n`;
    const [inPieces, atOnce] = [singleBytes(bytesOf(long)), [bytesOf(short)]];
    const { requests, fault } = readRequests([...inPieces, ...atOnce, ...inPieces, ...atOnce, ...inPieces]);
    expect(fault).toBeNull();
    expect(requests.map(({ trailers }) => trailers[1]?.length)).toEqual([100, 1, 100, 1, 100]);
  });

  test('nothing is told behind a fault', () => {
    const transcript = read(`${GET}GET / HTTP/1.1\r\n\r\n${GET}`);
    transcript.feed(bytesOf(GET));
    expect(transcript.fault).toBe('badRequest');
    expect(transcript.requests).toHaveLength(1);
  });

  test('what was taken in and not worked on can be taken over', () => {
    const told: string[] = [];
    const reader = new RequestReader(REQUEST_LIMITS, {
      onHead: () => {},
      onBody: () => {},
      onEnd: () => told.push('end'),
      onFault: (fault) => told.push(fault),
    });
    reader.feed(bytesOf(`${GET}\x00tunnelled`));
    expect(told).toEqual(['end']);
    expect(reader.takePending().toString('latin1')).toBe('\x00tunnelled');
    expect(reader.buffered).toBe(0);
  });
});

describe('a pause', () => {
  /** Pauses at each range of body. */
  class Pausing extends RequestTranscript {
    override onBody(bytes: Buffer, start: number, end: number): void {
      super.onBody(bytes, start, end);
      this.reader.pause();
    }
  }

  test('holds back body ranges and the end, and keeps what arrives', () => {
    const transcript = new Pausing();
    transcript.feed(bytesOf(`${CHUNKED}1\r\na\r\n1\r\nb\r\n`));
    transcript.feed(bytesOf(`1\r\nc\r\n0\r\n\r\n${GET}`));
    for (const body of ['a', 'ab', 'abc']) {
      expect(transcript.requests).toMatchObject([{ body, isComplete: false }]);
      transcript.reader.resume();
    }
    expect(transcript.requests).toMatchObject([{ body: 'abc', isComplete: true }, { target: '/a?b=c' }]);
  });

  test('at the last byte of a length holds back the end', () => {
    const transcript = new Pausing();
    transcript.feed(bytesOf('PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\na'));
    expect(transcript.last).toMatchObject({ body: 'a', isComplete: false });
    transcript.reader.resume();
    expect(transcript.last).toMatchObject({ body: 'a', isComplete: true });
  });

  test('that ends within the same call loses nothing', () => {
    class Flapping extends RequestTranscript {
      override onBody(bytes: Buffer, start: number, end: number): void {
        this.reader.pause();
        super.onBody(bytes, start, end);
        this.reader.resume();
      }
    }
    const transcript = new Flapping();
    transcript.feed(bytesOf(`${CHUNKED}1\r\na\r\n1\r\nb\r\n0\r\n\r\n`));
    expect(transcript.last).toMatchObject({ body: 'ab', isComplete: true });
  });

  test('anywhere changes nothing', () => {
    const bytes = bytesOf(`${CHUNKED}1\r\na\r\n2;x\r\nbc\r\n0\r\nX-T: v\r\n\r\n${GET}`);
    for (const pieces of everyCut(bytes)) {
      const transcript = new Pausing();
      for (const piece of pieces) {
        transcript.feed(piece);
        if (transcript.last?.body.length === 2) transcript.reader.resume();
      }
      for (let i = 0; i < 4; i++) transcript.reader.resume();
      expect(transcript.told).toEqual(readRequests([bytes]).told);
    }
  });
});

describe('limits', () => {
  const limits = { headBytes: 200, fields: 3, targetBytes: 50, bodyBytes: 10 };
  const start = 'GET / HTTP/1.1\r\nHost: h\r\n';
  const room = 200 - start.length - 'X: \r\n\r\n'.length;

  test.each<[string, string, RequestFault | null]>([
    ['a head as large as allowed', `${start}X: ${'y'.repeat(room)}\r\n\r\n`, null],
    ['a head one byte larger', `${start}X: ${'y'.repeat(room + 1)}\r\n\r\n`, 'headTooLarge'],
    ['a head without end', `${start}X: ${'y'.repeat(room + 10)}`, 'headTooLarge'],
    ['as many fields as allowed', `${start}A: 1\r\nB: 2\r\n\r\n`, null],
    ['one field more', `${start}A: 1\r\nB: 2\r\nC: 3\r\n\r\n`, 'headTooLarge'],
    ['a target as long as allowed', `GET /${'y'.repeat(49)} HTTP/1.1\r\nHost: h\r\n\r\n`, null],
    ['a target one byte longer', `GET /${'y'.repeat(50)} HTTP/1.1\r\nHost: h\r\n\r\n`, 'targetTooLong'],
    ['a target longer than a head', `GET /${'y'.repeat(300)} HTTP/1.1\r\nHost: h\r\n\r\n`, 'targetTooLong'],
    ['a target without end', `GET /${'y'.repeat(300)}`, 'targetTooLong'],
    ['a body as large as allowed', 'PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n0123456789', null],
    ['a body one byte larger', 'PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n', 'bodyTooLarge'],
    ['chunks as large as allowed', `${CHUNKED}5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n`, null],
    ['chunks one byte larger', `${CHUNKED}5\r\n01234\r\n6\r\n567890\r\n0\r\n\r\n`, 'bodyTooLarge'],
    ['more trailer fields than allowed', `${CHUNKED}0\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n\r\n`, 'badRequest'],
    ['a trailer section without end', `${CHUNKED}0\r\nA: ${'y'.repeat(300)}`, 'badRequest'],
  ])('%s', (_name, text, fault) => {
    for (const pieces of [[bytesOf(text)], singleBytes(bytesOf(text)), cutAt(bytesOf(text), [100, 201])]) {
      expect(readRequests(pieces, limits).fault).toBe(fault);
    }
  });

  test('never hold back more than a head', () => {
    const endless = [GET, CHUNKED, 'GET /', `${CHUNKED}0\r\n`, `${CHUNKED}1;`, '\r\n'];
    for (const beginning of endless) {
      const transcript = new RequestTranscript(limits);
      transcript.feed(bytesOf(beginning));
      for (let i = 0; i < 100; i++) transcript.feed(bytesOf('0123456789'));
      expect(transcript.mostBuffered).toBeLessThanOrEqual(limits.headBytes);
    }
  });
});

describe('the same bytes', () => {
  /** Parts of requests, good and bad, that join to all sorts of streams. */
  const part = fc.constantFrom(
    GET,
    CHUNKED,
    'PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n',
    'abc',
    '3\r\nabc\r\n',
    '0\r\n\r\n',
    '0\r\nX-T: v\r\n\r\n',
    '\r\n',
    '\r',
    '\n',
    '\x00',
    ' ',
    'GET / HTTP/2.0\r\n',
    'Host: h\r\n',
    'GET ',
    '/ HTTP/1.1\r\n',
  );

  test('have the same meaning however they are cut', () => {
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), fc.array(fc.nat(300), { maxLength: 8 }), (parts, places) => {
        const bytes = bytesOf(parts.join(''));
        const whole = readRequests([bytes]).told;
        const sorted = [...places].sort((a, b) => a - b);
        expect(readRequests(cutAt(bytes, sorted)).told).toEqual(whole);
        expect(readRequests(singleBytes(bytes)).told).toEqual(whole);
      }),
      { numRuns: 500 },
    );
  });

  test('of any kind never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), (bytes, place) => {
        const { requests } = readRequests(cutAt(bytes, [place]));
        for (const request of requests) expect(request.method).not.toBe('');
      }),
      { numRuns: 500 },
    );
  });
});

describe('regressions', () => {
  test('an empty line cut between CR and LF was taken for a part of the request line', () => {
    expect(readRequests([bytesOf('\r'), bytesOf(`\n${GET}`)]).last?.isComplete).toBe(true);
    expect(readRequests([bytesOf('\r\n\r'), bytesOf(`\n${GET}`)]).last?.isComplete).toBe(true);
  });

  test('a request line that ends behind its target was read beyond the end of the bytes', () => {
    expect(faultOf('GET / \r\n\r\n')).toBe('badRequest');
    expect(faultOf('GET / \r\n')).toBe('badRequest');
  });

  test('a Host of an IPv6 address that begins with :: was refused', () => {
    expect(read('GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n').last?.authority).toBe('[::1]:8080');
  });

  test('the fault of a head depended on where it was cut', () => {
    for (const text of [
      'GET / HTTP/2.0\r\nX\n',
      `GET / HTTP/1.1\r\n${'x'.repeat(17_000)}\n`,
      'GET / HTTP/2.0\r\nHost: h\n\r\n\r\n',
    ]) {
      expect(readRequests(singleBytes(bytesOf(text))).fault).toBe(faultOf(text));
    }
  });

  test('Connection: content-length made a body lose its length on the way on', () => {
    const { reader } = read('PUT / HTTP/1.1\r\nHost: h\r\nConnection: content-length\r\nContent-Length: 1\r\n\r\na');
    expect(reader.head.connection.nominated).toBeNull();
  });

  test('a no-break space was stripped from a Connection option', () => {
    expect(read('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\xa0\r\n\r\n').last?.keepAlive).toBe(true);
  });

  test('a tab behind a framing value was taken, which llhttp frames otherwise', () => {
    expect(faultOf('PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1 \t\r\n\r\na')).toBe('badRequest');
    expect(faultOf('PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n')).toBe('badRequest');
    expect(faultOf('PUT / HTTP/1.1\r\nHost: h\r\nContent-Length:\t1 \r\n\r\na')).toBeNull();
  });

  test('obs-text in a quoted chunk extension was refused', () => {
    expect(read(`${CHUNKED}0;x="\xe9\\\xe9"\r\n\r\n`).last?.isComplete).toBe(true);
  });
});
