/** What a gRPC client is told when the proxy itself ends its call: always a gRPC status, never HTML or a bare 502. */
import { describe, expect, test } from 'vitest';
import { AT_ATTEMPTS, AT_GRPC, GRPC_STATUSES } from '../../src/domain/counts.ts';
import { type Plane, until } from '../proxy/harness.ts';
import { Http2Client } from '../proxy/http2-client.ts';
import type { ReceivedMessage } from '../proxy/message.ts';
import { answering, backend, message, ok, plane } from '../proxy/scene.ts';

const CALL = {
  ':method': 'POST',
  ':path': '/shop.v1.Shop/Buy',
  'content-type': 'application/grpc+proto',
  te: 'trailers',
} as const;

const client = (proxy: Plane): Http2Client => new Http2Client(`http://127.0.0.1:${proxy.port}`);
const counted = (proxy: Plane, status: (typeof GRPC_STATUSES)[number]): number =>
  proxy.count(AT_GRPC + GRPC_STATUSES.indexOf(status));

describe('trailers-only', () => {
  test('no route is UNIMPLEMENTED', async () => {
    const proxy = await plane({ route: { match: { path: '/elsewhere' } } });
    const answer = await client(proxy).ask(CALL);
    expect(answer).toMatchObject({ status: 200, body: '', reset: 0 });
    expect(answer.head).toMatchObject({ 'content-type': 'application/grpc+proto', 'grpc-status': '12' });
  });

  test('no endpoint and a refused connection are UNAVAILABLE', async () => {
    const proxy = await plane({ old: [1] });
    const refused = await client(proxy).ask(CALL);
    expect(refused.head).toMatchObject({ ':status': 200, 'grpc-status': '14' });
    proxy.endpoints(0, []);
    const none = await client(proxy).ask(CALL);
    expect(none.head).toMatchObject({ ':status': 200, 'grpc-status': '14' });
    expect(counted(proxy, 'UNAVAILABLE')).toBe(2);
  });

  test('gRPC-Web over HTTP/1.1 gets its status in the head', async () => {
    const proxy = await plane({ old: [1] });
    const answer = await proxy.ask(
      'POST /shop.v1.Shop/Buy HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/grpc-web+proto\r\ncontent-length: 0\r\n\r\n',
    );
    expect(answer).toMatch(
      /^HTTP\/1\.1 200 OK\r\ncontent-type: application\/grpc-web\+proto\r\ncontent-length: 0\r\ngrpc-status: 14\r\n/,
    );
  });
});

describe('deadlines', () => {
  test('the backend is told what is left, and when it is over the client gets DEADLINE_EXCEEDED and the backend is let go', async () => {
    const origin = await backend();
    const proxy = await plane({ old: [origin] });
    const call = client(proxy).open({ ...CALL, 'grpc-timeout': '5S' });
    const wire = await origin.asked();
    const left = /\r\ngrpc-timeout: (\d+)m\r\n/.exec(wire.received)?.[1];
    expect(Number(left)).toBeLessThan(5000);
    expect(Number(left)).toBeGreaterThan(3000);
    expect(wire.received.match(/grpc-timeout/g)).toHaveLength(1);
    proxy.skip(5000);
    const answer = await call.answer();
    expect(answer.head).toMatchObject({ ':status': 200, 'grpc-status': '4' });
    await wire.isClosed();
    expect([counted(proxy, 'DEADLINE_EXCEEDED'), proxy.count(AT_ATTEMPTS + 1)]).toEqual([1, 1]);
  });

  test('of gRPC-Web over HTTP/1.1 are told by what is left, too; what is no call keeps what it says', async () => {
    const seen: ReceivedMessage[] = [];
    const proxy = await plane({ old: [await answering(ok(''), seen)] });
    for (const type of ['application/json', 'application/grpc-web+proto']) {
      await proxy.ask(
        `POST /shop.v1.Shop/Buy HTTP/1.1\r\nhost: a\r\nconnection: close\r\nGrpc-Timeout: 5S\r\ncontent-type: ${type}\r\ncontent-length: 0\r\n\r\n`,
      );
    }
    const [plain = [], call = []] = seen.map(({ head }) => head.match(/^grpc-timeout: .*$/gim) ?? []);
    expect(plain).toEqual(['Grpc-Timeout: 5S']);
    expect(call).toEqual([expect.stringMatching(/^grpc-timeout: \d+[mu]$/)]);
  });

  test('in the middle of the response it is told in trailers', async () => {
    const origin = await backend();
    const proxy = await plane({ old: [origin] });
    const call = client(proxy).open({ ...CALL, 'grpc-timeout': '5S' });
    const wire = await origin.asked();
    wire.say('HTTP/1.1 200 OK\r\ncontent-type: application/grpc\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n');
    await until('the half', () => call.body === 'half');
    proxy.skip(5000);
    expect(await call.answer()).toMatchObject({ body: 'half', trailers: { 'grpc-status': '4' }, reset: 0 });
  });
});

describe('a backend in the middle of its response', () => {
  test('that dies gives the client UNAVAILABLE in trailers, and is a fault', async () => {
    const origin = await backend();
    const proxy = await plane({ old: [origin] });
    const call = client(proxy).open(CALL);
    const wire = await origin.asked();
    wire.say('HTTP/1.1 200 OK\r\ncontent-type: application/grpc\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n');
    await until('the half', () => call.body === 'half');
    wire.socket.resetAndDestroy();
    expect(await call.answer()).toMatchObject({ body: 'half', trailers: { 'grpc-status': '14' }, reset: 0 });
    expect(proxy.count(AT_ATTEMPTS + 1)).toBe(1);
  });
});

describe('the outcome is that of the status at the end of the stream', () => {
  test.each([
    ['0', 'OK', 0],
    ['13', 'INTERNAL', 1],
    ['5', 'NOT_FOUND', 2],
    ['1', 'CANCELLED', 3],
    [null, 'missing', 1],
  ] as const)('%s', async (status, name, outcome) => {
    const origin = await backend();
    const proxy = await plane({ old: [origin] });
    const call = client(proxy).open(CALL);
    const wire = await origin.asked();
    await message(wire);
    const trailer = status === null ? '' : `grpc-status: ${status}\r\n`;
    wire.say(
      `HTTP/1.1 200 OK\r\ncontent-type: application/grpc\r\ntransfer-encoding: chunked\r\n\r\n0\r\n${trailer}\r\n`,
    );
    expect((await call.answer()).trailers['grpc-status']).toBe(status ?? undefined);
    expect([counted(proxy, name), proxy.count(AT_ATTEMPTS + outcome)]).toEqual([1, 1]);
  });
});
