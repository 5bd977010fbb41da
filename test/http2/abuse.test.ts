/** Known ways to make an HTTP/2 server work for nothing. In each the connection ends with the right code, and memory stays bounded. */
import { describe, expect, test } from 'vitest';
import {
  ACK,
  block,
  data,
  END_HEADERS,
  END_STREAM,
  frame,
  GET,
  get,
  headers,
  ping,
  post,
  priority,
  rst,
  settings,
  uint32,
  windowUpdate,
} from './frames.ts';
import { TestPeer } from './peer.ts';

const EMPTY = Buffer.alloc(0);
const CALM = 'GOAWAY';

/** Sends until the connection ends; fails when it takes more than `most` rounds. */
function until(peer: TestPeer, most: number, round: (i: number) => Uint8Array): number {
  for (let i = 0; i < most; i++) {
    if (peer.connection.isClosed) return i;
    peer.feed(round(i));
  }
  expect(peer.connection.isClosed).toBe(true);
  return most;
}

function endedCalmly(peer: TestPeer): void {
  const last = peer.frames().at(-1) ?? '';
  expect(last.startsWith(CALM)).toBe(true);
  expect(last.endsWith('ENHANCE_YOUR_CALM')).toBe(true);
}

describe('abuse ends the connection', () => {
  test('rapid reset (CVE-2023-44487)', () => {
    const peer = TestPeer.server();
    peer.answers = false;
    const rounds = until(peer, 1_000, (i) => Buffer.concat([post(i * 2 + 1), rst(i * 2 + 1, 8)]));
    expect(rounds).toBeLessThanOrEqual(101);
    expect(peer.connection.openStreams).toBe(0);
    endedCalmly(peer);
  });

  test('MadeYouReset (CVE-2025-8671): the server is made to reset its streams', () => {
    const peer = TestPeer.server();
    peer.answers = false;
    const rounds = until(peer, 1_000, (i) => Buffer.concat([post(i * 2 + 1), windowUpdate(i * 2 + 1, 0)]));
    expect(rounds).toBeLessThanOrEqual(101);
    expect(peer.halves.length).toBeLessThanOrEqual(101);
    endedCalmly(peer);
  });

  test.each([
    ['a window that overflows', (id: number) => [post(id), windowUpdate(id, 0x7fffffff)]],
    ['PRIORITY of another length', (id: number) => [post(id), frame('PRIORITY', 0, id, EMPTY)]],
    ['more data than announced', (id: number) => [post(id, ['content-length', '1']), data(id, 0, 'xx')]],
    ['HEADERS behind the end', (id: number) => [get(id), headers(id, END_HEADERS | END_STREAM, ['x', 'y'])]],
    ['a request that is malformed', (id: number) => [headers(id, END_HEADERS | END_STREAM, ...GET, ['X', 'y'])]],
  ])('MadeYouReset by %s', (_, attack) => {
    const peer = TestPeer.server();
    peer.answers = false;
    until(peer, 1_000, (i) => Buffer.concat(attack(i * 2 + 1)));
    endedCalmly(peer);
  });

  test('streams beyond the limit, again and again', () => {
    const peer = TestPeer.server({ maxConcurrentStreams: 10 });
    peer.answers = false;
    until(peer, 100, (i) => post(i * 2 + 1));
    endedCalmly(peer);
  });

  test.each([
    ['CONTINUATION of nothing', EMPTY, 40],
    ['CONTINUATION of much', block(['x', 'y'.repeat(8_000)]), 12],
  ])('a flood of %s (CVE-2024-27983)', (_, content, most) => {
    const peer = TestPeer.server();
    peer.feed(headers(1, END_STREAM, ...GET));
    until(peer, most, () => frame('CONTINUATION', 0, 1, content));
    endedCalmly(peer);
  });

  test.each([
    ['SETTINGS', settings([4, 65_535])],
    ['SETTINGS acknowledgements', frame('SETTINGS', ACK, 0, EMPTY)],
    ['PING', ping()],
    ['PING answers', ping(ACK)],
    ['PRIORITY', priority(1, 3)],
    ['WINDOW_UPDATE', windowUpdate(0, 1)],
    ['unknown frames', frame(0x20, 0, 0, EMPTY)],
  ])('a flood of %s', (_, one) => {
    const peer = TestPeer.server();
    until(peer, 2_000, () => one);
    endedCalmly(peer);
  });

  test.each([
    ['empty DATA', (id: number) => data(id, 0, '')],
    ['DATA that is all padding', (id: number) => frame('DATA', 8, id, Buffer.alloc(10, 9).fill(0, 1))],
    ['WINDOW_UPDATE for a stream', (id: number) => windowUpdate(id, 1)],
    ['RST_STREAM for a stream that is over', () => rst(1, 8)],
  ])('a flood of %s', (_, one) => {
    const peer = TestPeer.server();
    peer.feed(get(1), post(3));
    until(peer, 2_000, () => one(3));
    endedCalmly(peer);
  });

  test('an HPACK bomb: a large entry referred to again and again is answered 431 and kept nowhere', () => {
    const peer = TestPeer.server();
    const value = Buffer.from('v'.repeat(3_000));
    const entry = Buffer.concat([Buffer.from([0x40, 1, 0x78, 127, 0xb9, 0x16]), value]);
    const references = Buffer.alloc(12_000, 0x80 | 62);
    peer.feed(frame('HEADERS', END_HEADERS | END_STREAM, 1, Buffer.concat([block(...GET), entry, references])));
    expect(peer.events).toEqual(['settings', 'refused headTooLarge']);
    expect(peer.refused?.fields.flat.join('').length).toBeLessThan(16_384);
  });

  test.each([
    ['too many bytes', Array.from({ length: 90 }, (_, i) => [`x-${i}`, 'y'.repeat(170)] as const)],
    ['too many fields', Array.from({ length: 101 }, (_, i) => [`x-${i}`, ''] as const)],
  ])('a head of %s is refused, and the connection goes on', (_, fields) => {
    const peer = TestPeer.server();
    peer.feed(get(1, ...fields), get(3));
    expect(peer.events).toEqual(['settings', 'refused headTooLarge']);
    expect(peer.frames()).toEqual(['HEADERS 1 end', 'HEADERS 3 end']);
  });

  test('a head of many times what is allowed ends the connection', () => {
    const peer = TestPeer.server();
    peer.feed(headers(1, END_STREAM, ...GET));
    until(peer, 10, () => frame('CONTINUATION', 0, 1, block(['x', 'y'.repeat(15_000)])));
    endedCalmly(peer);
  });
});

describe('what is no abuse goes on', () => {
  test('as many calls as may be open, all cancelled at once, and then the same again in time', () => {
    const peer = TestPeer.server();
    peer.answers = false;
    let nowMs = 1_000;
    peer.connection.sweep(nowMs);
    for (let round = 0; round < 5; round++) {
      const ids = Array.from({ length: 100 }, (_, i) => (round * 100 + i) * 2 + 1);
      peer.feed(...ids.map((id) => post(id)));
      peer.feed(...ids.map((id) => rst(id, 8)));
      peer.connection.sweep((nowMs += 1_000));
    }
    expect(peer.connection.isClosed).toBe(false);
  });

  test('any number of cancelled calls, as long as others are answered', () => {
    const peer = TestPeer.server();
    for (let i = 0; i < 2_000; i++) {
      const id = i * 4 + 1;
      peer.feed(post(id), rst(id, 8), get(id + 2));
    }
    expect(peer.connection.isClosed).toBe(false);
  });

  test('calls cancelled in the middle of their answers', () => {
    const peer = TestPeer.server();
    peer.answers = false;
    for (let i = 0; i < 2_000; i++) {
      peer.feed(get(i * 2 + 1));
      peer.half.respond();
      peer.feed(rst(i * 2 + 1, 8));
    }
    expect(peer.connection.isClosed).toBe(false);
  });

  test('a ping for every message', () => {
    const peer = TestPeer.server();
    peer.feed(post(1));
    for (let i = 0; i < 10_000; i++) peer.feed(data(1, 0, 'message'), ping());
    expect(peer.connection.isClosed).toBe(false);
  });
});

describe('a peer that does not take what it asked for', () => {
  test('zero window: the stream ends when its data has waited too long, others are served', () => {
    const peer = TestPeer.server({ stallMs: 5_000 }, [4, 0]);
    peer.answers = false;
    peer.connection.sweep(1_000);
    peer.feed(get(1));
    peer.half.respond();
    expect(peer.half.stream.sendData(Buffer.from('answer'), 0, 6)).toBe(false);
    peer.half.stream.sendEnd(null);
    const stalled = peer.half;
    peer.connection.sweep(5_900);
    expect(stalled.events).toEqual(['end']);
    peer.answers = true;
    peer.feed(get(3));
    peer.connection.sweep(6_000);
    expect(stalled.events).toEqual(['end', 'reset 8 fault']);
    expect(peer.frames()).toEqual(['HEADERS 1', 'HEADERS 3 end', 'RST_STREAM 1 CANCEL']);
    expect(peer.connection.openStreams).toBe(0);
  });

  test('a window that opens a byte at a time is progress', () => {
    const peer = TestPeer.server({ stallMs: 5_000 }, [4, 0]);
    peer.answers = false;
    peer.feed(get(1));
    peer.half.respond();
    peer.half.stream.sendData(Buffer.from('answer'), 0, 6);
    for (let i = 1; i < 6; i++) {
      peer.connection.sweep(i * 4_000);
      peer.feed(frame('WINDOW_UPDATE', 0, 1, uint32(1)));
    }
    expect(peer.half.events).toEqual(['end']);
  });
});
