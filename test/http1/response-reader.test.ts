import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesOf, cutAt, everyCut, singleBytes } from './cuts.ts';
import { RESPONSE_LIMITS, type ResponseReading, ResponseTranscript, readResponse } from './transcript.ts';

function read(text: string, reading: ResponseReading = {}): ResponseTranscript {
  return readResponse([bytesOf(text)], reading);
}

/** Reads however the bytes are cut, and expects the same each time. */
function readCut(text: string, reading: ResponseReading = {}): ResponseTranscript {
  const whole = read(text, reading);
  for (const pieces of everyCut(bytesOf(text))) expect(readResponse(pieces, reading).told).toEqual(whole.told);
  return whole;
}

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

describe('a response', () => {
  test.each<[string, string, ResponseReading, string]>([
    ['by length', OK, {}, 'hello'],
    ['of length 0', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', {}, ''],
    ['in chunks', `${CHUNKED}2;x\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n`, {}, 'hello'],
    ['until the connection ends', 'HTTP/1.1 200 OK\r\n\r\nhello', { ends: true }, 'hello'],
    ['until the connection ends, empty', 'HTTP/1.0 200 OK\r\n\r\n', { ends: true }, ''],
    ['to HEAD with a length', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', { answersHead: true }, ''],
    ['to HEAD with chunked', CHUNKED, { answersHead: true }, ''],
    ['to HEAD without a length', 'HTTP/1.1 200 OK\r\n\r\n', { answersHead: true }, ''],
    ['204', 'HTTP/1.1 204 No Content\r\n\r\n', {}, ''],
    ['204 with a length all the same', 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n', {}, ''],
    ['304 with the length that 200 would have', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n', {}, ''],
    ['without a reason', 'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n', {}, ''],
  ])('%s', (_name, text, reading, body) => {
    const { responses, fault } = readCut(text, reading);
    expect(fault).toBeNull();
    expect(responses).toMatchObject([{ body, isComplete: true }]);
  });

  test('is told with its parts as they came', () => {
    expect(
      read('HTTP/1.1 299 Fine \xe9\r\nx-a:  b \r\nSet-Cookie: c\r\nSet-Cookie: d\r\nContent-Length: 0\r\n\r\n').last,
    ).toEqual({
      status: 299,
      reason: 'Fine \xe9',
      keepAlive: true,
      fields: ['x-a', 'b', 'Set-Cookie', 'c', 'Set-Cookie', 'd', 'Content-Length', '0'],
      body: '',
      trailers: [],
      isComplete: true,
    });
  });

  test('hands on trailers', () => {
    expect(readCut(`${CHUNKED}1\r\na\r\n0\r\nGrpc-Status: 0\r\nVia: x\r\n\r\n`).last).toMatchObject({
      body: 'a',
      trailers: ['Grpc-Status', '0'],
    });
  });

  test.each([
    ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', true],
    ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n', false],
    ['HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n', false],
    ['HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n', true],
  ])('%j keeps the connection: %s', (text, keepAlive) => {
    expect(read(text).last?.keepAlive).toBe(keepAlive);
  });

  test('interim ones come before it', () => {
    const { interim, responses, fault } = readCut(
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\nContent-Length: 3\r\n\r\n${OK}`,
    );
    expect({ interim, fault }).toEqual({ interim: [100, 103], fault: null });
    expect(responses).toMatchObject([{ status: 200, body: 'hello', isComplete: true }]);
  });

  test('101 opens a tunnel when the request asked for it, with the bytes behind it', () => {
    const { tunnel, fault, responses } = read('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n\x00\xffrest', {
      mayUpgrade: true,
    });
    expect({ tunnel, fault, responses }).toEqual({ tunnel: '\x00\xffrest', fault: null, responses: [] });
  });

  test('101 to a request that did not ask is invalid', () => {
    expect(readCut('HTTP/1.1 101 Switching Protocols\r\n\r\nrest')).toMatchObject({
      tunnel: null,
      fault: 'upstreamInvalid',
    });
  });
});

describe('a backend that breaks off', () => {
  test.each<[string, string, string]>([
    ['before its response', '', 'upstreamReset'],
    ['in its head', 'HTTP/1.1 200 OK\r\nContent-Le', 'upstreamReset'],
    ['behind an interim response', 'HTTP/1.1 100 Continue\r\n\r\n', 'upstreamReset'],
    ['in a length', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell', 'upstreamTruncated'],
    ['in a chunk', `${CHUNKED}5\r\nhell`, 'upstreamTruncated'],
    ['between chunks', `${CHUNKED}5\r\nhello\r\n`, 'upstreamTruncated'],
    ['before the end of the trailers', `${CHUNKED}0\r\nX-T: v\r\n`, 'upstreamTruncated'],
  ])('%s: %j is %s', (_name, text, fault) => {
    const transcript = readCut(text, { ends: true });
    expect(transcript.fault).toBe(fault);
    expect(transcript.last?.isComplete ?? false).toBe(false);
  });

  test('at the right place does no harm', () => {
    expect(readCut(OK, { ends: true })).toMatchObject({ fault: null, last: { isComplete: true } });
  });
});

describe('is invalid', () => {
  test.each([
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello'],
    ['a list of lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello'],
    ['a length with a sign', 'HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello'],
    ['an empty length', 'HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n'],
    ['a length beside chunked', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['chunked twice', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n'],
    ['another coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n'],
    ['chunked in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['an interim response of HTTP/1.0', 'HTTP/1.0 100 Continue\r\n\r\n'],
    ['a folded field', 'HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\n\r\n'],
    ['a bare LF', 'HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n'],
    ['a bare CR in the reason', 'HTTP/1.1 200 O\rK\r\n\r\n'],
    ['a NUL in a value', 'HTTP/1.1 200 OK\r\nX-A: \x00\r\n\r\n'],
    ['a blank before the colon', 'HTTP/1.1 200 OK\r\nX-A : b\r\n\r\n'],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
    ['a status below 100', 'HTTP/1.1 099 x\r\n\r\n'],
    ['another version', 'HTTP/2.0 200 OK\r\n\r\n'],
    ['HTTP/0.9', '<html>hello</html>\r\n\r\n'],
    ['an empty line before it', '\r\nHTTP/1.1 200 OK\r\n\r\n'],
    ['a head without end', `HTTP/1.1 200 OK\r\nX-A: ${'y'.repeat(RESPONSE_LIMITS.headBytes)}`],
    ['more fields than allowed', `HTTP/1.1 200 OK\r\n${'X-A: b\r\n'.repeat(RESPONSE_LIMITS.fields + 1)}\r\n`],
  ])('%s', (_name, text) => {
    for (const pieces of [[bytesOf(text)], singleBytes(bytesOf(text))]) {
      const transcript = readResponse(pieces);
      expect(transcript.fault).toBe('upstreamInvalid');
      expect(transcript.responses).toEqual([]);
    }
  });

  test('a body that is malformed is a truncated one', () => {
    const transcript = readCut(`${CHUNKED}3\r\nabcX\r\n0\r\n\r\n`);
    expect(transcript).toMatchObject({ fault: 'upstreamTruncated', last: { body: 'abc', isComplete: false } });
  });
});

describe('a connection', () => {
  test('serves one request after the other', () => {
    const transcript = new ResponseTranscript();
    for (let i = 1; i <= 3; i++) {
      transcript.reader.expect(false, false);
      expect(transcript.reader.hasBegun).toBe(false);
      for (const piece of singleBytes(bytesOf(OK))) transcript.feed(piece);
      expect(transcript.responses).toHaveLength(i);
      expect(transcript.last).toMatchObject({ body: 'hello', isComplete: true });
    }
    expect(transcript.fault).toBeNull();
  });

  test('that speaks unasked is not to be trusted', () => {
    const idle = new ResponseTranscript();
    idle.feed(bytesOf(OK));
    expect(idle).toMatchObject({ fault: 'upstreamInvalid', responses: [] });
    const served = read(OK);
    served.feed(bytesOf('H'));
    expect(served).toMatchObject({ fault: 'upstreamInvalid', responses: [{ isComplete: true }] });
  });

  test('that says more than its response is not to be trusted', () => {
    const { responses, fault } = read(`${OK}HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n`);
    expect(responses).toMatchObject([{ body: 'hello', isComplete: true }]);
    expect(fault).toBe('upstreamInvalid');
  });

  test('has begun to answer from the first byte on', () => {
    const transcript = new ResponseTranscript();
    transcript.reader.expect(false, false);
    transcript.feed(bytesOf('H'));
    expect(transcript.reader.hasBegun).toBe(true);
  });
});

describe('a pause', () => {
  class Pausing extends ResponseTranscript {
    override onBody(bytes: Buffer, start: number, end: number): void {
      super.onBody(bytes, start, end);
      this.reader.pause();
    }
  }

  function pausing(text: string): Pausing {
    const transcript = new Pausing();
    transcript.reader.expect(false, false);
    transcript.feed(bytesOf(text));
    return transcript;
  }

  test('holds back body ranges, the end and the end of the connection', () => {
    const transcript = pausing(`${CHUNKED}1\r\na\r\n1\r\nb\r\n`);
    transcript.feed(bytesOf('1\r\nc\r\n0\r\n\r\n'));
    transcript.reader.end();
    for (const body of ['a', 'ab', 'abc']) {
      expect(transcript).toMatchObject({ fault: null, last: { body, isComplete: false } });
      transcript.reader.resume();
    }
    expect(transcript).toMatchObject({ fault: null, last: { body: 'abc', isComplete: true } });
  });

  test('does not make a broken response whole', () => {
    const transcript = pausing(`${CHUNKED}1\r\na\r\n1\r\nb\r\n`);
    transcript.reader.end();
    transcript.reader.resume();
    transcript.reader.resume();
    expect(transcript).toMatchObject({ fault: 'upstreamTruncated', last: { body: 'ab', isComplete: false } });
  });

  test('in a body until the end of the connection', () => {
    const transcript = pausing('HTTP/1.1 200 OK\r\n\r\na');
    transcript.reader.end();
    expect(transcript.last?.isComplete).toBe(false);
    transcript.reader.resume();
    expect(transcript).toMatchObject({ fault: null, last: { body: 'a', isComplete: true } });
  });
});

describe('the same bytes', () => {
  const part = fc.constantFrom(
    OK,
    CHUNKED,
    '3\r\nabc\r\n',
    '0\r\n\r\n',
    '0\r\nX-T: v\r\n\r\n',
    'HTTP/1.1 100 Continue\r\n\r\n',
    'HTTP/1.1 200',
    '\r\n',
    '\r',
    '\n',
    ' ',
    '\x00',
    'X: y\r\n',
  );

  test('have the same meaning however they are cut', () => {
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 6 }),
        fc.array(fc.nat(200), { maxLength: 8 }),
        fc.boolean(),
        fc.boolean(),
        (parts, places, answersHead, ends) => {
          const bytes = bytesOf(parts.join(''));
          const reading = { answersHead, ends };
          const whole = readResponse([bytes], reading).told;
          const sorted = [...places].sort((a, b) => a - b);
          expect(readResponse(cutAt(bytes, sorted), reading).told).toEqual(whole);
          expect(readResponse(singleBytes(bytes), reading).told).toEqual(whole);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('of any kind never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(readResponse([bytesOf('HTTP/1.1 '), bytes], { ends: true }).fault).not.toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });
});

describe('regressions', () => {
  class Reusing extends ResponseTranscript {
    override onEnd(): void {
      super.onEnd(null);
      this.reader.expect(false, false);
    }
  }

  test('bytes behind a response were taken for the answer to the next request when it was sent at once', () => {
    const transcript = new Reusing();
    transcript.reader.expect(false, false);
    transcript.feed(bytesOf(`${OK}HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npoisoned`));
    expect(transcript.responses).toHaveLength(1);
    expect(transcript.fault).toBe('upstreamInvalid');
  });

  test('a whole body was called truncated when its last byte caused a pause and the backend closed', () => {
    class Pausing extends ResponseTranscript {
      override onBody(bytes: Buffer, start: number, end: number): void {
        super.onBody(bytes, start, end);
        this.reader.pause();
      }
    }
    const transcript = new Pausing();
    transcript.reader.expect(false, false);
    transcript.feed(bytesOf(OK));
    transcript.reader.end();
    transcript.reader.resume();
    expect(transcript).toMatchObject({ fault: null, last: { body: 'hello', isComplete: true } });
  });

  test('a body was called truncated when a pause ended within the call, behind the end of the connection', () => {
    let isHeld = true;
    class Flapping extends ResponseTranscript {
      override onBody(bytes: Buffer, start: number, end: number): void {
        super.onBody(bytes, start, end);
        this.reader.pause();
        if (!isHeld) this.reader.resume();
      }
    }
    const transcript = new Flapping();
    transcript.reader.expect(false, false);
    transcript.feed(bytesOf(`${CHUNKED}1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n`));
    transcript.reader.end();
    isHeld = false;
    transcript.reader.resume();
    expect(transcript).toMatchObject({ fault: null, last: { body: 'abc', isComplete: true } });
  });

  test('a connection that broke off behind an interim response looked as if it had never answered', () => {
    expect(read('HTTP/1.1 100 Continue\r\n\r\n', { ends: true }).reader.hasBegun).toBe(true);
  });

  test('a tab behind chunked was taken, which llhttp reads until the end of the connection', () => {
    expect(read('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n').fault).toBe('upstreamInvalid');
  });
});
