import { describe, expect, test } from 'vitest';
import { data, END_HEADERS, frame, get, PREFACE, settings } from './frames.ts';
import { TestPeer } from './peer.ts';
import { CASES } from './rfc9113-cases.ts';

describe('what RFC 9113 and RFC 7541 ask of a server', () => {
  test.each(CASES)('$section $name', ({ send, expect: frames }) => {
    const peer = TestPeer.server();
    peer.feed(...send);
    expect(peer.frames()).toEqual(frames);
  });

  test.each(CASES)('$section $name, byte by byte', ({ send, expect: frames }) => {
    const peer = TestPeer.server();
    for (const bytes of send) for (const byte of bytes) peer.feed(Buffer.from([byte]));
    expect(peer.frames()).toEqual(frames);
  });

  test('3.4 what is not the preface', () => {
    const peer = new TestPeer('server');
    peer.skip();
    peer.feed(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    expect(peer.frames()).toEqual(['GOAWAY 0 PROTOCOL_ERROR']);
  });

  test('3.4 the first frame is not SETTINGS', () => {
    const peer = new TestPeer('server');
    peer.skip();
    peer.feed(PREFACE, Buffer.from([0, 0, 0, 0x16, 0, 0, 0, 0, 0]));
    expect(peer.frames()).toEqual(['GOAWAY 0 PROTOCOL_ERROR']);
  });

  test('3.4 both ends begin with their settings', () => {
    const server = new TestPeer('server');
    server.feed(PREFACE, settings());
    expect(server.frames()).toEqual(['SETTINGS', 'WINDOW_UPDATE 0 983041', 'SETTINGS ack']);
    const client = new TestPeer('client');
    expect(client.written().subarray(0, PREFACE.length)).toEqual(PREFACE);
    expect(client.frames()).toEqual(['SETTINGS', 'WINDOW_UPDATE 0 983041']);
  });

  test.each([
    ['DATA', data(1, 0, 'x'), 'RST_STREAM 1 STREAM_CLOSED'],
    ['HEADERS', get(1), 'RST_STREAM 1 STREAM_CLOSED'],
    ['CONTINUATION', frame('CONTINUATION', END_HEADERS, 1, Buffer.alloc(0)), 'GOAWAY 1 PROTOCOL_ERROR'],
  ])('5.1 half-closed and not answered yet: %s', (_, more, answer) => {
    const peer = TestPeer.server();
    peer.answers = false;
    peer.feed(get(1), more);
    expect(peer.frames()).toEqual([answer]);
  });

  test('6.5.3 of several values of one setting the last holds', () => {
    const peer = TestPeer.server({}, [4, 100], [4, 1]);
    peer.answers = false;
    peer.feed(get(1));
    peer.half.respond();
    peer.half.stream.sendData(Buffer.from('two'), 0, 3);
    expect(peer.frames()).toEqual(['HEADERS 1', 'DATA 1 1']);
  });
});
