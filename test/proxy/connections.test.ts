import { describe, expect, test } from 'vitest';
import { AT_ATTEMPTS } from '../../src/domain/counts.ts';
import { until } from './harness.ts';
import type { ReceivedMessage } from './message.ts';
import { answering, ask, backend, connect, GET, gone, head, message, OK, ok, plane } from './scene.ts';

describe('keep-alive', () => {
  test('one connection on each side serves request after request', async () => {
    const origin = await answering(OK);
    const proxy = await plane({ old: [origin] });
    const client = await connect(proxy);
    for (let i = 0; i < 5; i++) expect((await ask(client, GET)).body).toBe('ok');
    expect(origin.wires).toHaveLength(1);
    expect(proxy.count(AT_ATTEMPTS)).toBe(5);
  });

  test('clients share the connections to a backend', async () => {
    const origin = await answering(OK);
    const proxy = await plane({ old: [origin] });
    for (let i = 0; i < 3; i++) await message(await connect(proxy, GET));
    expect(origin.wires).toHaveLength(1);
  });

  test('a backend that is named instead of numbered gets requests and their bodies, on one connection', async () => {
    const seen: ReceivedMessage[] = [];
    const origin = await answering(OK, seen);
    const proxy = await plane();
    const { generation } = proxy.table;
    const added = [{ host: 'localhost', port: origin.port }];
    proxy.service.onMessage({ kind: 'endpoints', generation, backend: 0, removed: [], added });
    const client = await connect(proxy);
    const body = 'x'.repeat(200_000);
    const asked = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    for (const request of [asked, GET, asked]) expect((await ask(client, request)).body).toBe('ok');
    expect(seen.map((message) => message.body.length)).toEqual([body.length, 0, body.length]);
    expect(origin.wires).toHaveLength(1);
  });

  test('a client that asks to close is closed after its answer', async () => {
    const origin = await answering(OK);
    const proxy = await plane({ old: [origin] });
    const client = await connect(proxy, 'GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n');
    expect((await message(client)).get('connection')).toBe('close');
    await client.isClosed();
  });

  test('a backend that closes after its answer is asked on a new connection next time', async () => {
    const origin = await backend(async (wire) => {
      await message(wire);
      wire.say('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok');
      wire.socket.end();
    });
    const proxy = await plane({ old: [origin] });
    const client = await connect(proxy);
    for (let i = 0; i < 3; i++) expect((await ask(client, GET)).get('connection')).toBeUndefined();
    expect(origin.wires).toHaveLength(3);
  });

  test('a backend that says how long it keeps a connection is not asked on it later than that', async () => {
    const origin = await answering('HTTP/1.1 200 OK\r\nkeep-alive: timeout=5\r\ncontent-length: 0\r\n\r\n');
    const proxy = await plane({ old: [origin] });
    const client = await connect(proxy);
    await ask(client, GET);
    proxy.skip(4_000);
    await until('the idle connection to be closed', () => origin.wires[0]?.ended);
    await ask(client, GET);
    expect(origin.wires).toHaveLength(2);
  });
});

describe('HTTP/1.0 clients', () => {
  test('are answered and closed', async () => {
    const proxy = await plane({ old: [await answering(OK)] });
    const client = await connect(proxy, 'GET / HTTP/1.0\r\n\r\n');
    expect((await message(client)).body).toBe('ok');
    await client.isClosed();
  });

  test('are kept when they ask for it', async () => {
    const proxy = await plane({ old: [await answering(OK)] });
    const client = await connect(proxy);
    for (let i = 0; i < 2; i++) {
      const answer = await ask(client, 'GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n');
      expect(answer.get('connection')).toBe('keep-alive');
    }
  });

  test('get a chunked body without its coding, ended by the connection', async () => {
    const proxy = await plane({
      old: [await answering('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n')],
    });
    const client = await connect(proxy, 'GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n');
    const answer = await message(client);
    expect(answer.body).toBe('abcde');
    expect(answer.get('transfer-encoding')).toBeUndefined();
    expect(answer.get('connection')).toBe('close');
  });

  test('get no interim responses', async () => {
    const proxy = await plane({ old: [await answering(`HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${OK}`)] });
    const client = await connect(proxy, 'GET / HTTP/1.0\r\n\r\n');
    expect((await message(client)).status).toBe(200);
  });

  test('without Host are sent on with one', async () => {
    const seen: ReceivedMessage[] = [];
    const proxy = await plane({ old: [await answering(OK, seen)] });
    await message(await connect(proxy, 'GET / HTTP/1.0\r\n\r\n'));
    expect(seen[0]?.startLine).toBe('GET / HTTP/1.1');
    expect(seen[0]?.get('host')).toMatch(/^127\.0\.0\.1:\d+$/);
  });
});

describe('backends of HTTP/1.0 and with bodies that end with the connection', () => {
  test('a body without a length reaches an HTTP/1.1 client chunked, and the client is kept', async () => {
    const origin = await backend(async (wire) => {
      await message(wire);
      wire.say('HTTP/1.0 200 OK\r\n\r\nto the end');
      wire.socket.end();
    });
    const proxy = await plane({ old: [origin] });
    const client = await connect(proxy);
    for (let i = 0; i < 2; i++) {
      const answer = await ask(client, GET);
      expect(answer.startLine).toBe('HTTP/1.1 200 OK');
      expect(answer.get('transfer-encoding')).toBe('chunked');
      expect(answer.body).toBe('to the end');
    }
  });

  test('a connection of HTTP/1.0 is not used again unless it says so', async () => {
    const origin = await answering('HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\nx');
    const proxy = await plane({ old: [origin] });
    const client = await connect(proxy);
    for (let i = 0; i < 2; i++) await ask(client, GET);
    expect(origin.wires).toHaveLength(2);
  });

  test('a connection of HTTP/1.0 with keep-alive is', async () => {
    const origin = await answering('HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 1\r\n\r\nx');
    const proxy = await plane({ old: [origin] });
    const client = await connect(proxy);
    for (let i = 0; i < 2; i++) await ask(client, GET);
    expect(origin.wires).toHaveLength(1);
  });
});

describe('pipelining', () => {
  test('answers come in the order of the requests, however the backend takes its time', async () => {
    const origin = await backend(async (wire) => {
      for (;;) {
        const path = (await message(wire)).startLine.split(' ')[1] as string;
        // The first answers are the slowest: the order must come from the proxy.
        for (let turns = Math.max(0, 20 - Number(path.slice(1))); turns > 0; turns--) await new Promise(setImmediate);
        wire.say(ok(path));
      }
    });
    const proxy = await plane({ old: [origin] });
    const paths = Array.from({ length: 50 }, (_, i) => `/${i}`);
    const client = await connect(proxy, paths.map((path) => `GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`).join(''));
    for (const path of paths) expect((await message(client)).body).toBe(path);
  });

  test('requests with bodies do not run into each other', async () => {
    const origin = await backend(async (wire) => {
      for (;;) wire.say(ok((await message(wire)).body));
    });
    const proxy = await plane({ old: [origin] });
    const client = await connect(
      proxy,
      'POST /a HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\none' +
        'POST /b HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n' +
        'POST /c HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nthree',
    );
    for (const body of ['one', 'two', 'three']) expect((await message(client)).body).toBe(body);
  });

  test('after a request that asks to close nothing more is read', async () => {
    const origin = await answering(OK);
    const proxy = await plane({ old: [origin] });
    const client = await connect(proxy, `GET /1 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n${GET}`);
    expect((await message(client)).status).toBe(200);
    await client.isClosed();
    expect(client.received).toBe('');
    expect(proxy.count(AT_ATTEMPTS)).toBe(1);
  });

  test('requests beyond the first wait in the kernel while the first is under way', async () => {
    const origin = await backend();
    const proxy = await plane({ old: [origin] });
    const client = await connect(proxy, GET.repeat(200_000));
    const wire = await origin.asked();
    await head(wire);
    const before = process.memoryUsage().arrayBuffers;
    await until('the client to be held back', () => client.socket.writableLength > 0);
    expect(client.socket.bytesWritten - client.socket.writableLength).toBeLessThan(GET.length * 200_000);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 20);
    expect(origin.wires).toHaveLength(1);
  });
});

describe('half-close', () => {
  test('a client that sends FIN after its request gets its answer', async () => {
    const origin = await backend();
    const proxy = await plane({ old: [origin] });
    const client = await connect(proxy, GET);
    client.socket.end();
    const wire = await origin.asked();
    await head(wire);
    wire.say(OK);
    const answer = await message(client);
    expect(answer.body).toBe('ok');
    await gone(client);
    expect(client.error).toBe('');
  });

  test('a client that sends FIN after several requests gets all answers', async () => {
    const proxy = await plane({ old: [await answering(OK)] });
    const client = await connect(proxy, GET.repeat(3));
    client.socket.end();
    for (let i = 0; i < 3; i++) expect((await message(client)).body).toBe('ok');
    await gone(client);
  });

  test('a FIN between requests closes the connection', async () => {
    const proxy = await plane({ old: [await answering(OK)] });
    const client = await connect(proxy, GET);
    await message(client);
    client.socket.end();
    await gone(client);
    expect(client.error).toBe('');
  });

  test('a FIN in the middle of a request head closes the connection', async () => {
    const proxy = await plane();
    const client = await connect(proxy, 'GET / HT');
    client.socket.end();
    await gone(client);
  });
});
