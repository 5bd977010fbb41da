/** Clients that speak HTTP/2 (RFC 9113), from the same port as those of HTTP/1.1, to backends that speak HTTP/1.1. */
import { describe, expect, test } from 'vitest';
import { AT_ATTEMPTS, AT_REQUESTS, CODE_CLASSES, codeClass } from '../../src/domain/counts.ts';
import { LIMITS, type Plane, until } from './harness.ts';
import { Http2Client, INTERNAL_ERROR } from './http2-client.ts';
import { answering, backend, head, message, OK, plane } from './scene.ts';

const H2_2XX = AT_REQUESTS + CODE_CLASSES.length + codeClass(200);

function client(proxy: Plane): Http2Client {
  return new Http2Client(`http://127.0.0.1:${proxy.port}`);
}

describe('requests', () => {
  test('authority becomes Host, cookies become one field, and the answer counts as h2', async () => {
    const seen: { head: string }[] = [];
    const proxy = await plane({ old: [await answering(OK, seen as never)] });
    const answer = await client(proxy).ask({ ':path': '/a?b', cookie: ['a=1', 'b=2'], te: 'trailers', x: '1' });
    expect([answer.status, answer.body, answer.reset]).toEqual([200, 'ok', 0]);
    expect(seen[0]?.head).toBe(
      'GET /a?b HTTP/1.1\r\nhost: shop.example\r\nx: 1\r\ncookie: a=1; b=2\r\n' +
        'x-forwarded-for: 127.0.0.1\r\nx-forwarded-proto: http\r\nvia: 2.0 crossfade\r\n' +
        'forwarded: for=127.0.0.1;proto=http;host="shop.example"\r\nx-forwarded-host: shop.example\r\n' +
        'connection: te\r\nte: trailers\r\n\r\n',
    );
    await until('the count', () => proxy.count(H2_2XX) === 1);
  });

  test('many streams are many requests at a time', async () => {
    const origin = await backend();
    const proxy = await plane({ old: [origin] });
    const h2 = client(proxy);
    const calls = Array.from({ length: 20 }, (_, i) => h2.open({ ':path': `/${i}` }));
    await until('all of them', () => origin.wires.length === 20);
    for (const wire of origin.wires.toReversed()) {
      const { startLine } = await message(wire);
      wire.say(
        `HTTP/1.1 200 OK\r\ncontent-length: ${startLine.split(' ')[1]?.length}\r\n\r\n${startLine.split(' ')[1]}`,
      );
    }
    const answers = await Promise.all(calls.map((call) => call.answer()));
    expect(answers.map(({ body }) => body)).toEqual(calls.map((_, i) => `/${i}`));
  });

  test('a body of unknown length goes chunked, and trailers pass both ways with 1xx before', async () => {
    const origin = await backend();
    const proxy = await plane({ old: [origin] });
    const call = client(proxy).open({ ':method': 'POST', ':path': '/' }, false);
    call.stream.write('ping');
    const wire = await origin.asked();
    wire.say('HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n');
    await until('the hint', () => call.interim.length > 0);
    call.stream.end();
    const seen = await message(wire);
    expect(seen.body).toBe('ping');
    wire.say(
      'HTTP/1.1 200 OK\r\nconnection: x-hop\r\nx-hop: 1\r\ntransfer-encoding: chunked\r\n\r\n4\r\npong\r\n0\r\nsum: 7\r\n\r\n',
    );
    const answer = await call.answer();
    expect(answer).toMatchObject({ status: 200, body: 'pong', trailers: { sum: '7' }, interim: [103], reset: 0 });
    expect(answer.head['x-hop']).toBeUndefined();
    expect(answer.head['transfer-encoding']).toBeUndefined();
  });

  test('HEAD keeps its length and has no body', async () => {
    const proxy = await plane({ old: [await answering('HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n')] });
    const answer = await client(proxy).ask({ ':method': 'HEAD', ':path': '/' });
    expect([answer.status, answer.body, answer.head['content-length'], answer.reset]).toEqual([200, '', '7', 0]);
  });

  test('no route is 404 as problem details, and the connection goes on', async () => {
    const proxy = await plane({ old: [await answering(OK)], route: { match: { path: '/in/' } } });
    const h2 = client(proxy);
    const answer = await h2.ask({ ':path': '/out' });
    expect([answer.status, JSON.parse(answer.body)]).toMatchObject([404, { code: 'noRoute', status: 404 }]);
    expect((await h2.ask({ ':path': '/in/' })).status).toBe(200);
  });

  test('a body over the limit is 413, announced or not', async () => {
    const origin = await backend();
    const limits = { ...LIMITS, bodyBytes: 10 };
    const proxy = await plane({ old: [origin], table: { limits } });
    const h2 = client(proxy);
    const announced = h2.open({ ':method': 'POST', ':path': '/', 'content-length': '11' }, false);
    expect((await announced.answer()).status).toBe(413);
    const unannounced = h2.open({ ':method': 'POST', ':path': '/' }, false);
    unannounced.stream.write('more than ten bytes');
    expect((await unannounced.answer()).status).toBe(413);
  });
});

describe('endings', () => {
  test('a client that resets its stream has its request abandoned at once, and counts against nobody', async () => {
    const origin = await backend();
    const proxy = await plane({ old: [origin] });
    const call = client(proxy).open({ ':path': '/' });
    const wire = await origin.asked();
    call.stream.close(8);
    await wire.isClosed();
    await until('its count', () => proxy.count(AT_ATTEMPTS + 3) === 1);
    expect(proxy.count(AT_ATTEMPTS + 1)).toBe(0);
  });

  test('an answer that breaks off is reset, never ended', async () => {
    const origin = await backend();
    const proxy = await plane({ old: [origin] });
    const call = client(proxy).open({ ':path': '/' });
    const wire = await origin.asked();
    wire.say('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf');
    await until('the half', () => call.body === 'half');
    wire.socket.destroy();
    expect(await call.answer()).toMatchObject({ status: 200, body: 'half', reset: INTERNAL_ERROR });
  });

  test('a drain says GOAWAY, finishes what runs and closes', async () => {
    const origin = await backend();
    const proxy = await plane({ old: [origin], table: { drainMs: 10_000 } });
    const h2 = client(proxy);
    const call = h2.open({ ':path': '/' });
    const wire = await origin.asked();
    proxy.service.drain(0);
    proxy.skip(5000);
    await until('GOAWAY', () => h2.goaways > 0);
    wire.say(OK);
    expect(await call.answer()).toMatchObject({ status: 200, body: 'ok', reset: 0 });
    await until('the close', () => h2.closed && proxy.exited);
  });

  test('a connection without a stream is closed when its idle time is over', async () => {
    const proxy = await plane({ old: [await answering(OK)] });
    const h2 = client(proxy);
    await h2.ask({ ':path': '/' });
    await proxy.pass(60_001);
    await until('the close', () => h2.closed, 5000);
  });
});

describe('backpressure', () => {
  test('a client that does not read holds the backend back, and another stream goes on', async () => {
    const origin = await backend();
    const proxy = await plane({ old: [origin] });
    const h2 = client(proxy);
    const slow = h2.open({ ':path': '/slow' });
    slow.stream.pause();
    const wire = await origin.asked();
    await head(wire);
    const total = 32 << 20;
    wire.say(`HTTP/1.1 200 OK\r\ncontent-length: ${total}\r\n\r\n${'x'.repeat(total)}`);
    await until('a backend that is held', () => wire.socket.writableLength > 8 << 20);
    const quick = h2.open({ ':path': '/quick' });
    const second = await origin.asked(1);
    second.say(OK);
    expect((await quick.answer()).body).toBe('ok');
    expect(wire.socket.writableLength).toBeGreaterThan(8 << 20);
    slow.stream.resume();
    expect((await slow.answer()).body).toHaveLength(total);
  });

  test('a backend that does not read holds the client back', async () => {
    const origin = await backend();
    const proxy = await plane({ old: [origin] });
    const call = client(proxy).open({ ':method': 'POST', ':path': '/' }, false);
    const wire = await origin.asked();
    wire.socket.pause();
    const total = 32 << 20;
    call.stream.end(Buffer.alloc(total, 'x'));
    await until('a client that is held', () => call.stream.writableLength > 8 << 20);
    wire.socket.resume();
    const { body } = await message(wire);
    expect(body).toHaveLength(total);
    wire.say(OK);
    expect((await call.answer()).status).toBe(200);
  });
});
