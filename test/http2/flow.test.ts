/** Streams and windows, both roles (RFC 9113 sections 5.1, 5.2 and 6.9). */
import { describe, expect, test } from 'vitest';
import { NO_SINK } from '../../src/http2/sinks.ts';
import {
  data,
  END_HEADERS,
  END_STREAM,
  get,
  goaway,
  headers,
  ping,
  post,
  rst,
  settings,
  windowUpdate,
} from './frames.ts';
import { OPTIONS, TestPeer } from './peer.ts';

const STATUS = [':status', '200'] as const;

function asking(...pairs: readonly (readonly [number, number])[]): TestPeer {
  const peer = TestPeer.server({}, ...pairs);
  peer.answers = false;
  return peer;
}

const EARLY = ['HEADERS 1', 'DATA 1 0 end'];

/** @param length its Content-Length */
function answeredEarly(length: number): TestPeer {
  const peer = asking();
  peer.feed(post(1, ['content-length', String(length)]), data(1, 0, '12345'));
  peer.half.stream.pause();
  peer.feed(data(1, 0, '67890'));
  peer.half.respond();
  peer.half.stream.sendEnd(null);
  return peer;
}

describe('what is sent', () => {
  test('keeps within the window of the stream, and goes on when it opens', () => {
    const peer = asking([4, 10]);
    peer.feed(get(1));
    peer.half.respond();
    const { stream } = peer.half;
    expect(stream.sendData(Buffer.from('0123456789ab'), 0, 12)).toBe(false);
    stream.sendEnd(null);
    expect(peer.frames()).toEqual(['HEADERS 1', 'DATA 1 10']);
    peer.feed(windowUpdate(1, 1));
    expect(peer.frames()).toEqual(['DATA 1 1']);
    peer.feed(windowUpdate(1, 5));
    expect(peer.frames()).toEqual(['DATA 1 1 end']);
  });

  test('keeps within the window of the connection, a frame a stream and turn', () => {
    const peer = asking([4, 100_000]);
    peer.feed(get(1), get(3));
    const content = Buffer.alloc(60_000);
    for (const half of peer.halves) {
      half.respond();
      half.stream.sendData(content, 0, content.length);
    }
    expect(peer.frames()).toEqual([
      'HEADERS 1',
      'DATA 1 16384',
      'DATA 1 16384',
      'DATA 1 16384',
      'DATA 1 10848',
      'HEADERS 3',
      'DATA 3 5535',
    ]);
    peer.feed(windowUpdate(0, 20_000));
    expect(peer.frames()).toEqual(['DATA 3 16384', 'DATA 3 3616']);
    peer.feed(windowUpdate(0, 1_000_000));
    expect(peer.halves[1]?.events).toEqual(['end', 'drain']);
  });

  test('a lower setting makes a window negative (section 6.9.2)', () => {
    const peer = asking([4, 10]);
    peer.feed(get(1));
    peer.half.respond();
    peer.half.stream.sendData(Buffer.from('0123456789ab'), 0, 12);
    peer.feed(settings([4, 5]));
    peer.feed(windowUpdate(1, 5));
    peer.skip();
    peer.feed(windowUpdate(1, 1));
    expect(peer.frames()).toEqual(['DATA 1 1']);
    peer.feed(settings([4, 100]));
    expect(peer.frames()).toEqual(['SETTINGS ack', 'DATA 1 1']);
  });

  test('waits while the transport takes no more', () => {
    const peer = asking();
    peer.feed(get(1));
    peer.half.respond();
    peer.connection.block();
    expect(peer.half.stream.sendData(Buffer.from('late'), 0, 4)).toBe(false);
    peer.half.stream.sendEnd(null);
    expect(peer.frames()).toEqual(['HEADERS 1']);
    peer.connection.onDrained();
    expect(peer.frames()).toEqual(['DATA 1 4 end']);
  });

  test('ends in the last frame of data when that has not left', () => {
    const peer = asking();
    peer.feed(get(1));
    peer.half.respond();
    peer.half.stream.sendData(Buffer.from('x'), 0, 1);
    peer.half.stream.sendEnd(null);
    expect(peer.frames()).toEqual(['HEADERS 1', 'DATA 1 1 end']);
  });

  test('an answer before the end of the request stops the request without an error', () => {
    const peer = asking();
    peer.feed(post(1));
    peer.half.respond();
    peer.half.stream.sendEnd(null);
    expect(peer.frames()).toEqual(['HEADERS 1', 'DATA 1 0 end', 'RST_STREAM 1 NO_ERROR']);
    peer.feed(data(1, 0, 'on its way'), data(1, END_STREAM, ''), ping());
    expect(peer.frames()).toEqual(['PING ack']);
  });

  describe('an answer before the end of a request that is to end soon', () => {
    test('regression: lets it end, for clients that lose the answer when they are stopped (curl 7.88 did)', () => {
      const peer = answeredEarly(40_010);
      expect(peer.frames()).toEqual(EARLY);
      peer.feed(data(1, 0, Buffer.alloc(16_384)), data(1, 0, Buffer.alloc(16_384)));
      // It may go on to its end.
      expect(peer.frames()).toEqual([expect.stringMatching(/^WINDOW_UPDATE 1 /)]);
      peer.feed(data(1, END_STREAM, Buffer.alloc(7_232)));
      expect([peer.frames(), peer.connection.openStreams]).toEqual([[], 0]);
      expect([peer.half.body, peer.half.events]).toEqual(['12345', []]);
    });

    test('is not waited for when it needs more than its window allows: the client may listen no more', () => {
      expect(answeredEarly(65_535).frames()).toEqual(EARLY);
      expect(answeredEarly(65_536).frames()).toEqual([...EARLY, 'RST_STREAM 1 NO_ERROR']);
    });

    test('does not wait longer than three seconds', () => {
      const peer = answeredEarly(1_000);
      for (const nowMs of [10_000, 11_000, 12_900]) peer.connection.sweep(nowMs);
      expect(peer.frames()).toEqual(EARLY);
      peer.connection.sweep(13_000);
      expect([peer.frames(), peer.connection.openStreams]).toEqual([['RST_STREAM 1 NO_ERROR'], 0]);
    });

    test('still holds it to its length (section 8.1.1)', () => {
      const peer = answeredEarly(20);
      peer.skip();
      peer.feed(data(1, 0, 'x'.repeat(11)));
      expect(peer.frames()).toEqual(['RST_STREAM 1 PROTOCOL_ERROR']);
    });

    test('regression: one that was answered by what a pause had kept back of it threw', () => {
      const peer = asking();
      peer.feed(post(1, ['content-length', '30']));
      const { half } = peer;
      half.stream.pause();
      peer.feed(data(1, 0, '0123456789'), data(1, 0, '0123456789'));
      half.atData(() => {
        half.respond();
        half.stream.sendEnd(null);
      });
      half.stream.resume();
      expect(peer.frames()).toEqual(EARLY);
      peer.feed(data(1, END_STREAM, '0123456789'));
      expect([peer.connection.openStreams, half.body]).toEqual([0, '0123456789']);
    });

    test('puts up with its being broken off, and does not outlive the connection', () => {
      const peer = answeredEarly(1_000);
      peer.feed(rst(1, 8));
      expect(peer.connection.openStreams).toBe(0);
      const other = answeredEarly(1_000);
      other.connection.shutdown();
      other.connection.close(0);
      other.connection.sweep(20_000);
      expect(other.half.events).toEqual([]);
    });
  });
});

describe('what is received', () => {
  test('windows are given back as data is used up', () => {
    const peer = asking();
    peer.feed(post(1));
    peer.feed(data(1, 0, Buffer.alloc(16_384)));
    expect(peer.frames()).toEqual([]);
    peer.connection.sweep(1_000);
    peer.feed(data(1, 0, Buffer.alloc(16_384)));
    expect(peer.frames()).toEqual(['WINDOW_UPDATE 1 32768']);
  });

  test('a window that is used up fast grows, up to its limit', () => {
    const peer = TestPeer.server({ maxWindow: 200_000 });
    peer.answers = false;
    peer.connection.sweep(1_000);
    peer.feed(post(1));
    for (let i = 0; i < 40; i++) peer.feed(data(1, 0, Buffer.alloc(16_384)));
    expect(peer.half.stream.receiveWindow).toBe(200_000);
  });

  test('a window that is used up slowly stays', () => {
    const peer = asking();
    peer.feed(post(1));
    for (let i = 0; i < 40; i++) {
      peer.connection.sweep(i * 1_000 + 1);
      peer.feed(data(1, 0, Buffer.alloc(16_384)));
    }
    expect(peer.half.stream.receiveWindow).toBe(OPTIONS.initialWindow);
  });

  test('a stream that is paused keeps what comes, in order, and gives no window', () => {
    const peer = asking();
    peer.feed(post(1));
    const { half } = peer;
    half.atData(() => half.stream.pause());
    peer.feed(data(1, 0, 'a'), data(1, 0, 'b'.repeat(40_000).slice(0, 16_384)), data(1, 0, 'c'.repeat(16_384)));
    peer.feed(data(1, END_STREAM, 'd'));
    expect(half.body).toBe('a');
    expect(half.events).toEqual([]);
    expect(peer.frames()).toEqual([]);
    half.atData(() => half.stream.pause());
    half.stream.resume();
    expect(half.body.length).toBe(16_385);
    half.stream.resume();
    expect(half.body).toBe(`a${'b'.repeat(16_384)}${'c'.repeat(16_384)}d`);
    expect(half.events).toEqual(['end']);
  });

  test('more than the window of a stream resets it; more than that of the connection ends all', () => {
    const peer = TestPeer.server({ connectionWindow: 150_000 });
    peer.answers = false;
    peer.feed(post(1), post(3));
    for (const half of peer.halves) half.stream.pause();
    for (let i = 0; i < 5; i++) peer.feed(data(1, 0, Buffer.alloc(16_384)));
    expect(peer.frames()).toEqual(['RST_STREAM 1 FLOW_CONTROL_ERROR', 'WINDOW_UPDATE 0 81920']);
    expect(peer.connection.openStreams).toBe(1);
  });
});

describe('the client role', () => {
  test('a response with interim heads, data and trailers', () => {
    const peer = TestPeer.client();
    const half = peer.request('GET', true);
    peer.feed(
      headers(1, END_HEADERS, [':status', '103']),
      headers(1, END_HEADERS, STATUS),
      data(1, 0, 'hello'),
      headers(1, END_HEADERS | END_STREAM, ['grpc-status', '0']),
    );
    expect(half.events).toEqual(['interim 103', 'response 200', 'end']);
    expect(half.body).toBe('hello');
    expect(half.trailers?.flat).toEqual(['grpc-status', '0']);
    expect(peer.connection.openStreams).toBe(0);
  });

  test.each([
    ['data before its head', [data(1, END_STREAM, 'x')]],
    ['no status', [headers(1, END_HEADERS | END_STREAM, ['x', 'y'])]],
    ['status 101', [headers(1, END_HEADERS, [':status', '101'])]],
    ['an interim head that ends it', [headers(1, END_HEADERS | END_STREAM, [':status', '103'])]],
    ['a pseudo-field of requests', [headers(1, END_HEADERS | END_STREAM, STATUS, [':path', '/'])]],
    ['less than its length', [headers(1, END_HEADERS, STATUS, ['content-length', '2']), data(1, END_STREAM, 'x')]],
    ['content with 204', [headers(1, END_HEADERS, [':status', '204']), data(1, END_STREAM, 'x')]],
    [
      'content with 304',
      [headers(1, END_HEADERS, [':status', '304'], ['content-length', '1']), data(1, END_STREAM, 'x')],
    ],
  ])('a response with %s is reset', (_, frames) => {
    const peer = TestPeer.client();
    const half = peer.request('GET', true);
    peer.feed(...frames);
    expect(half.events.at(-1)).toBe('reset 1 fault');
    expect(peer.frames().at(-1)).toBe('RST_STREAM 1 PROTOCOL_ERROR');
    expect(peer.connection.isClosed).toBe(false);
  });

  test('the answer to HEAD has a length and no content', () => {
    const peer = TestPeer.client();
    const half = peer.request('HEAD', true);
    peer.feed(headers(1, END_HEADERS, STATUS, ['content-length', '5']), data(1, END_STREAM, ''));
    expect(half.events).toEqual(['response 200', 'end']);
  });

  test('GOAWAY: streams that it leaves out were refused, the others finish, and no more are opened', () => {
    const peer = TestPeer.client();
    const [first, second] = [peer.request('GET', true), peer.request('POST', false)];
    peer.feed(goaway(1, 0));
    expect(second?.events).toEqual(['reset 7 peer']);
    expect(() => peer.request('GET', true)).toThrow('no stream');
    peer.feed(headers(1, END_HEADERS | END_STREAM, STATUS));
    expect(first?.events).toEqual(['response 200', 'end']);
    expect(peer.events).toEqual(['settings', 'goaway 0', 'closed 0']);
  });

  test('no more streams than the server allows', () => {
    const peer = TestPeer.client({}, [3, 1]);
    peer.request('GET', true);
    expect(() => peer.request('GET', true)).toThrow('no stream');
    peer.feed(headers(1, END_HEADERS | END_STREAM, STATUS));
    expect(peer.request('GET', true).stream.id).toBe(3);
  });

  test('NO_ERROR behind a whole response stops the request and is no failure (section 8.1)', () => {
    const peer = TestPeer.client();
    const half = peer.request('POST', false);
    peer.feed(headers(1, END_HEADERS | END_STREAM, STATUS), rst(1, 0));
    expect(half.events).toEqual(['response 200', 'end']);
    peer.skip();
    expect(half.stream.sendData(Buffer.from('x'), 0, 1)).toBe(true);
    expect(peer.frames()).toEqual([]);
  });

  test('a ping is answered once', () => {
    const peer = TestPeer.client();
    expect([peer.connection.ping(), peer.connection.ping()]).toEqual([true, false]);
    peer.feed(ping(1));
    peer.feed(ping(1));
    expect(peer.events).toEqual(['settings', 'pong']);
  });
});

describe('the end', () => {
  test('a server leaves in two steps, and the second names the last stream that was served', () => {
    const peer = TestPeer.server();
    peer.connection.sweep(1_000);
    peer.connection.shutdown();
    expect(peer.frames()).toEqual(['GOAWAY 2147483647 NO_ERROR', 'PING']);
    peer.feed(get(1));
    peer.feed(ping(1, 'lastcall'));
    expect(peer.frames()).toEqual(['HEADERS 1 end', 'GOAWAY 1 NO_ERROR']);
    expect(peer.events.at(-1)).toBe('closed 0');
  });

  test('a client that goes on though it has heard is served until it pauses', () => {
    const peer = TestPeer.server();
    peer.connection.sweep(1_000);
    peer.feed(post(1));
    peer.connection.shutdown();
    peer.skip();
    peer.feed(ping(1, 'lastcall'), post(3), data(1, END_STREAM, 'x'));
    peer.feed(post(5), data(3, END_STREAM, 'x'), data(5, END_STREAM, 'x'));
    expect(peer.frames()).toEqual(['HEADERS 1 end', 'HEADERS 3 end', 'HEADERS 5 end', 'GOAWAY 5 NO_ERROR']);
  });

  test('a client that does not answer is waited for one second', () => {
    const peer = asking();
    peer.connection.sweep(1_000);
    peer.connection.shutdown();
    peer.connection.sweep(1_900);
    expect(peer.connection.isClosed).toBe(false);
    peer.connection.sweep(2_000);
    expect(peer.events.at(-1)).toBe('closed 0');
  });

  test('every open stream is told when the transport is gone', () => {
    const peer = asking();
    peer.feed(post(1), post(3));
    peer.connection.detach();
    expect(peer.halves.map(({ events }) => events)).toEqual([['reset 8 connection'], ['reset 8 connection']]);
  });

  test('a whole response that waits to be read outlives the transport, one that is not whole does not', () => {
    const peer = TestPeer.client();
    const [whole, half] = [peer.request('POST', false), peer.request('GET', true)];
    for (const { stream } of [whole, half]) {
      stream.pause();
      peer.feed(headers(stream.id, END_HEADERS, STATUS), data(stream.id, 0, 'abc'));
    }
    peer.feed(data(1, END_STREAM, 'def'));
    peer.skip();
    peer.connection.detach();
    expect([whole.events, half.events]).toEqual([['response 200'], ['response 200', 'reset 8 connection']]);
    expect(whole.stream.sendData(Buffer.from('more'), 0, 4)).toBe(true);
    whole.stream.resume();
    half.stream.resume();
    expect([whole.events, whole.body, half.body]).toEqual([['response 200', 'end'], 'abcdef', '']);
    expect([whole.stream.isClosed, peer.connection.openStreams, peer.frames()]).toEqual([true, 0, []]);
  });
});

test('a stream of a client that ends before its head leaves no trace, and those behind it go on', () => {
  const peer = TestPeer.client();
  const silent = peer.connection.open(NO_SINK);
  const next = peer.request('GET', true);
  peer.skip();
  silent?.reset(8);
  expect(peer.frames()).toEqual([]);
  expect(peer.connection.openStreams).toBe(1);
  peer.feed(headers(next.stream.id, END_HEADERS | END_STREAM, STATUS));
  expect(next.events).toEqual(['response 200', 'end']);
});

test('a window that SETTINGS widen is used behind their acknowledgement only, for python3-h2 ends a connection that uses it before', () => {
  const peer = asking([4, 0]);
  peer.feed(get(1));
  peer.half.respond();
  peer.half.stream.sendData(Buffer.from('0123456789'), 0, 10);
  expect(peer.frames()).toEqual(['HEADERS 1']);
  peer.feed(settings([4, 4]));
  expect(peer.frames()).toEqual(['SETTINGS ack', 'DATA 1 4']);
});
