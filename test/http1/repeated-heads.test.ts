/** A head that comes once more is not read once more: nobody may be able to tell. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ResponseHead } from '../../src/http1/response.ts';
import { ResponseHeads } from '../../src/http1/response-heads.ts';
import { ResponseReader, type ResponseSink } from '../../src/http1/response-reader.ts';
import { bytesOf, cutAt } from './cuts.ts';
import { RequestTranscript, ResponseTranscript, readRequests } from './transcript.ts';

/** Many of the same length, that differ in one byte only, or begin alike. */
const REQUESTS = [
  'GET /a HTTP/1.1\r\nHost: h\r\n\r\n',
  'GET /b HTTP/1.1\r\nHost: h\r\n\r\n',
  'GET /a HTTP/1.1\r\nHost: i\r\n\r\n',
  'PUT /a HTTP/1.1\r\nHost: h\r\n\r\n',
  'GET /a HTTP/1.1\r\nHost: h\r\nX: 1\r\n\r\n',
  'GET /a HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n',
  'GET http://h/a HTTP/1.1\r\nHost: h\r\n\r\n',
  'POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc',
  'POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nabcd',
  'POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n\r\n\r\n',
  'POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nx: y\r\n\r\n',
  '\r\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n',
];
/** What ends a connection. */
const LAST = [
  'GET /a HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n',
  'GET /a HTTP/1.1\r\nHost : h\r\n\r\n',
  'GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n',
  'GET /a HTTP/1.1\r\n\r\n',
];

test('requests on one connection read as each would alone, whatever came before and however they are cut', () => {
  const sequence = fc.array(fc.constantFrom(...REQUESTS), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(sequence, fc.option(fc.constantFrom(...LAST)), fc.array(fc.nat(600)), (texts, last, cuts) => {
      const all = last === null ? texts : [...texts, last];
      const alone = all.map((text) => readRequests([bytesOf(text)]));
      const together = readRequests(cutAt(bytesOf(all.join('')), cuts));
      expect(together.requests).toEqual(alone.flatMap(({ requests }) => requests));
      expect(together.fault).toBe(alone.at(-1)?.fault ?? null);
    }),
    { numRuns: 500 },
  );
});

const RESPONSES = [
  'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc',
  'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab',
  'HTTP/1.1 201 OK\r\nContent-Length: 3\r\n\r\nabc',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n',
  'HTTP/1.1 204 No Content\r\n\r\n',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc',
];
/** To HEAD: the same heads, and nothing behind them. */
const TO_HEAD = [
  'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
];

function read(transcript: ResponseTranscript, text: string, answersHead: boolean, cuts: readonly number[]): void {
  transcript.reader.expect(answersHead, false);
  for (const piece of cutAt(bytesOf(text), cuts)) transcript.feed(piece);
}

test('responses on one connection read as each would alone, to HEAD and to others in any order', () => {
  const one = fc.oneof(
    fc.record({ text: fc.constantFrom(...RESPONSES), answersHead: fc.constant(false) }),
    fc.record({ text: fc.constantFrom(...TO_HEAD), answersHead: fc.constant(true) }),
  );
  fc.assert(
    fc.property(fc.array(one, { minLength: 1, maxLength: 12 }), fc.array(fc.nat(60)), (responses, cuts) => {
      const together = new ResponseTranscript();
      const alone = responses.map(({ text, answersHead }) => {
        read(together, text, answersHead, cuts);
        const single = new ResponseTranscript();
        read(single, text, answersHead, []);
        return single;
      });
      expect(together.fault).toBeNull();
      expect(together.responses).toEqual(alone.flatMap((each) => each.responses));
      expect(together.interim).toEqual(alone.flatMap(({ interim }) => interim));
    }),
    { numRuns: 500 },
  );
});

test('responses on connections that share their heads read as each would alone', () => {
  // Lengths and places in the table collide, too.
  const sized = fc.nat(40).map((length) => `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n${'x'.repeat(length)}`);
  const dated = fc
    .nat(40)
    .map((at) => `HTTP/1.1 200 OK\r\nDate: ${at}\r\nContent-Length: 1\r\n${'y: z\r\n'.repeat(at % 3)}\r\nx`);
  const text = fc.oneof(fc.constantFrom(...RESPONSES), sized, dated);
  const one = fc.oneof(
    fc.record({ connection: fc.nat(2), text, answersHead: fc.constant(false) }),
    fc.record({ connection: fc.nat(2), text: fc.constantFrom(...TO_HEAD), answersHead: fc.constant(true) }),
  );
  fc.assert(
    fc.property(fc.array(one, { minLength: 1, maxLength: 60 }), fc.array(fc.nat(60)), (responses, cuts) => {
      const heads = new ResponseHeads(100);
      const shared = [0, 1, 2].map(() => new ResponseTranscript(undefined, heads));
      const alone = [0, 1, 2].map((): ResponseTranscript[] => []);
      for (const { connection, text: bytes, answersHead } of responses) {
        read(shared[connection] as ResponseTranscript, bytes, answersHead, cuts);
        const single = new ResponseTranscript();
        read(single, bytes, answersHead, []);
        alone[connection]?.push(single);
      }
      for (const [i, { responses: seen, interim, fault }] of shared.entries()) {
        expect(fault).toBeNull();
        expect(seen).toEqual(alone[i]?.flatMap((each) => each.responses));
        expect(interim).toEqual(alone[i]?.flatMap((each) => each.interim));
      }
    }),
    { numRuns: 500 },
  );
});

test('the head of a response that came before is the same object on all connections, and stays as it is', () => {
  const heads = new ResponseHeads(100);
  const seen: ResponseHead[] = [];
  const sink = new Proxy({} as ResponseSink, {
    get: (_, name) => (name === 'onHead' ? (head: ResponseHead) => seen.push(head) : () => undefined),
  });
  const [text, other] = RESPONSES as [string, string];
  for (const answer of [text, text, other, text, other, other, text]) {
    const reader = new ResponseReader({ headBytes: 1_000, fields: 100 }, heads, sink);
    reader.expect(false, false);
    reader.feed(bytesOf(answer));
  }
  // From the second time on.
  expect(new Set([seen[1], seen[3], seen[6]]).size).toBe(1);
  expect(new Set([seen[4], seen[5]]).size).toBe(1);
  expect(seen[1]?.fields.get('content-length')).toBe('3');
  expect(seen[4]?.fields.get('content-length')).toBe('2');
});

test('the limits of a body hold for a repeated head', () => {
  const transcript = new RequestTranscript({ headBytes: 16_384, fields: 100, targetBytes: 8_192, bodyBytes: 4 });
  const chunked = 'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n';
  transcript.feed(bytesOf(`${chunked}4\r\nabcd\r\n0\r\n\r\n`));
  transcript.feed(bytesOf(`${chunked}5\r\nabcde\r\n0\r\n\r\n`));
  expect(transcript.requests.map(({ isComplete }) => isComplete)).toEqual([true, false]);
  expect(transcript.fault).toBe('bodyTooLarge');
});
