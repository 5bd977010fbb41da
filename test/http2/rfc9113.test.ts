import { describe, expect, test } from 'vitest';
import { PREFACE, settings } from './frames.ts';
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
});
