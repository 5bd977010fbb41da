import { describe, expect, test } from 'vitest';
import { bytesOf, everyCut, singleBytes } from './cuts.ts';
import { type ExpectedRequest, SMUGGLING_CASES, type SmugglingCase } from './smuggling-cases.ts';
import { type RequestTranscript, readRequests } from './transcript.ts';

const FAMILIES = new Set(SMUGGLING_CASES.map(({ family }) => family));

function brief({ requests }: RequestTranscript, isComplete: boolean): ExpectedRequest[] {
  return requests
    .filter((request) => request.isComplete === isComplete)
    .map(({ method, target, body }) => ({ method, target, body }));
}

function expectSafe(transcript: RequestTranscript, { requests, cut, fault }: SmugglingCase): void {
  expect(transcript.fault).toBe(fault);
  expect(brief(transcript, true)).toEqual(requests);
  expect(brief(transcript, false)).toEqual(cut === undefined ? [] : [cut]);
}

describe.each([...FAMILIES])('%s', (family) => {
  const cases = SMUGGLING_CASES.filter((each) => each.family === family);

  test.each(cases)('$name ($rfc)', (each) => {
    expectSafe(readRequests([bytesOf(each.bytes)]), each);
  });

  test.each(cases)('$name, byte by byte', (each) => {
    expectSafe(readRequests(singleBytes(bytesOf(each.bytes))), each);
  });
});

test('no case depends on where its bytes are cut', () => {
  for (const { bytes } of SMUGGLING_CASES) {
    if (bytes.length > 1_000) continue;
    const whole = readRequests([bytesOf(bytes)]).told;
    for (const pieces of everyCut(bytesOf(bytes))) expect(readRequests(pieces).told).toEqual(whole);
  }
});

test('a client that waits for an answer to something that is not HTTP gets it before its head is over', () => {
  for (const bytes of [
    'GET /\r\n',
    'GET /\n',
    'GET / HTTP/1.1\n',
    'GET / HTTP/2.0\r\n',
    'PRI * HTTP/2.0\r\n',
    '\x16\x03\x01\x02\x00',
  ]) {
    expect(readRequests([bytesOf(bytes)]).fault).not.toBeNull();
  }
});

test('each case has a name of its own in its family', () => {
  const names = SMUGGLING_CASES.map(({ family, name }) => `${family}: ${name}`);
  expect(new Set(names).size).toBe(names.length);
});
