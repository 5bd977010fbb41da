/** Requests sent ahead: in order, once, and not at the cost of the proxy's memory. */
import { describe, expect, test } from 'vitest';
import { codeClass } from '../../src/domain/counts.ts';
import { type Plane, until, type Wire } from './harness.ts';
import type { ReceivedMessage } from './message.ts';
import { answering, backend, connect, gone, head, inflight, message, OK, plane } from './scene.ts';

/** The route is for what is below /shop/; the proxy itself answers the rest. */
const SHOP = { match: { path: '/shop/' } };
const UNROUTED = 1;

function get(path: string, fields = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
}

function post(path: string, body: string): string {
  return `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

/** Resolves with a number when it has stopped to rise. */
async function settled(what: string, read: () => number): Promise<number> {
  let last = -1;
  let polls = 0;
  await until(what, () => {
    const now = read();
    polls = now === last ? polls + 1 : 0;
    last = now;
    return now > 0 && polls > 20;
  });
  return last;
}

function unrouted(proxy: Plane): number {
  return proxy.count(codeClass(404), 0, UNROUTED);
}

test('regression: a request whose turn came by the failure of the one before was told to have begun long before, and timed out early', async () => {
  const origin = await backend();
  const proxy = await plane({ old: [origin], timeouts: { responseHeadMs: 2000 } });
  const client = await connect(proxy, post('/1', '') + get('/2'));
  const first = await origin.asked();
  proxy.skip(1500);
  first.socket.resetAndDestroy();
  expect((await message(client)).status).toBe(502);
  const second = await origin.asked(1);
  await proxy.pass(1000);
  second.say(OK);
  expect((await message(client)).status).toBe(200);
});

describe('order', () => {
  test('answers of backends and of the proxy itself come in the order of their requests', async () => {
    const origin = await backend(async (wire) => {
      for (;;) {
        const { startLine, body } = await message(wire);
        const text = `${startLine.split(' ')[1]} ${body}`;
        wire.say(`HTTP/1.1 200 OK\r\ncontent-length: ${text.length}\r\n\r\n${text}`);
      }
    });
    const client = await connect(await plane({ old: [origin], route: SHOP }));
    const requests = [get('/shop/1'), get('/no/2'), post('/shop/3', 'three'), post('/no/4', 'four'), get('/shop/5')];
    client.say([...requests, ...requests].join(''));
    for (let round = 0; round < 2; round++) {
      expect((await message(client)).body).toBe('/shop/1 ');
      expect((await message(client)).status).toBe(404);
      expect((await message(client)).body).toBe('/shop/3 three');
      expect((await message(client)).status).toBe(404);
      expect((await message(client)).body).toBe('/shop/5 ');
    }
    expect(client.received).toBe('');
  });

  test('requests in single bytes are the same requests', async () => {
    const seen: ReceivedMessage[] = [];
    const client = await connect(await plane({ old: [await answering(OK, seen)], route: SHOP }));
    client.socket.setNoDelay(true);
    for (const byte of get('/shop/1') + post('/no/2', 'two') + post('/shop/3', 'three')) {
      await new Promise((written) => client.socket.write(byte, 'latin1', written));
    }
    expect([(await message(client)).status, (await message(client)).status]).toEqual([200, 404]);
    expect((await message(client)).status).toBe(200);
    expect(seen.map(({ startLine, body }) => `${startLine} ${body}`)).toEqual([
      'GET /shop/1 HTTP/1.1 ',
      'POST /shop/3 HTTP/1.1 three',
    ]);
  });
});

describe('a client that does not read its answers', () => {
  const MOST = 24 << 20;

  test('is not answered on and on by the proxy itself, and gets all answers when it reads again', async () => {
    const proxy = await plane({ route: SHOP });
    const probe = await connect(proxy, get('/no', 'Connection: keep-alive\r\n'));
    const length =
      (await message(probe)).head.length +
      Number((await message(await connect(proxy, get('/no')))).get('content-length'));
    const before = unrouted(proxy);
    const requests = Math.ceil((2 * MOST) / length);
    const client = await connect(proxy);
    client.socket.pause();
    client.say(get('/no').repeat(requests));
    const answered = (await settled('the answers to stop', () => unrouted(proxy))) - before;
    expect(answered * length).toBeLessThan(MOST);
    client.socket.resume();
    await until('all answers', () => client.received.length >= requests * length);
    expect(client.received).toHaveLength(requests * length);
    client.take();
    client.say(get('/no'));
    expect((await message(client)).status).toBe(404);
  });

  test('is not sent more and more answers without a body', async () => {
    const answer = `HTTP/1.1 204 No Content\r\nx-large: ${'y'.repeat(16_000)}\r\n\r\n`;
    const requests = Math.ceil((2 * MOST) / answer.length);
    let asked = 0;
    // The proxy asks for one at a time, and a head of this size comes in one piece.
    const origin = await backend(async (wire) => {
      wire.socket.on('data', () => {
        asked++;
        wire.say(answer);
      });
    });
    const client = await connect(await plane({ old: [origin] }));
    client.socket.pause();
    client.say(get('/').repeat(requests));
    expect((await settled('the requests to stop', () => asked)) * answer.length).toBeLessThan(MOST);
    client.socket.resume();
    await until('all answers', () => client.received.length >= requests * answer.length);
    expect(client.received).toHaveLength(requests * answer.length);
    expect(asked).toBe(requests);
  });

  test('does not make the proxy keep what a backend says between times', async () => {
    const interim = `HTTP/1.1 103 Early Hints\r\nlink: ${'y'.repeat(16_000)}\r\n\r\n`;
    const origin = await backend(async (wire) => {
      await head(wire);
      for (let said = 0; said < 3 * MOST; said += interim.length) {
        if (!wire.socket.write(interim)) await new Promise((resolve) => wire.socket.once('drain', resolve));
      }
      wire.say(OK);
    });
    const client = await connect(await plane({ old: [origin] }));
    client.socket.pause();
    client.say(get('/'));
    await until('the backend to have said all', () => (origin.wires[0]?.socket.bytesWritten ?? 0) > 3 * MOST);
    client.socket.resume();
    await client.sees('\r\n\r\nok');
    expect(client.received.length).toBeLessThan(MOST);
    client.take();
    client.say(get('/'));
  });
});

describe('the end of the connection', () => {
  test('a client that half-closes behind its requests gets every answer, and a clean end', async () => {
    const seen: ReceivedMessage[] = [];
    const client = await connect(await plane({ old: [await answering(OK, seen)], route: SHOP }));
    client.socket.end(get('/shop/1') + post('/no/2', 'two') + post('/shop/3', 'three') + get('/no/4'));
    for (const status of [200, 404, 200, 404]) expect((await message(client)).status).toBe(status);
    await gone(client);
    expect([client.error, client.received]).toEqual(['', '']);
    expect(seen).toHaveLength(2);
  });

  test.each([
    ['Connection: close', get('/shop/2', 'Connection: close\r\n'), 200],
    ['HTTP/1.0', 'GET /shop/2 HTTP/1.0\r\nHost: a\r\n\r\n', 200],
    ['Connection: close, without a route', get('/no/2', 'Connection: close\r\n'), 404],
    ['what is no HTTP', 'GET /shop/2\r\n\r\n', 400],
    ['two lengths', 'POST /shop/2 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy', 400],
  ])('%s in the middle is the last that is answered; nothing behind it is carried out', async (_name, text, status) => {
    const seen: ReceivedMessage[] = [];
    const client = await connect(await plane({ old: [await answering(OK, seen)], route: SHOP }));
    client.say(`${get('/shop/1')}${text}${post('/shop/3', 'three')}${get('/no/4')}`);
    expect((await message(client)).status).toBe(200);
    const last = await message(client);
    expect([last.status, last.get('connection')]).toEqual([status, 'close']);
    await client.isClosed();
    expect(client.received).toBe('');
    expect(seen.some(({ startLine }) => startLine.includes('/shop/3'))).toBe(false);
  });

  test('a fault in the body of a request whose answer was the last is not answered as well', async () => {
    const proxy = await plane({ route: SHOP });
    const client = await connect(proxy);
    client.say(`POST /no HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n`);
    expect((await message(client)).status).toBe(404);
    await client.isClosed();
    expect(client.received).toBe('');
    expect(unrouted(proxy)).toBe(1);
  });

  test('a request behind a body that was too much to throw away is not carried out', async () => {
    const origin = await backend();
    const client = await connect(await plane({ old: [origin], route: SHOP }));
    client.say(post('/no', 'x'.repeat((1 << 20) + 100)) + get('/shop/2'));
    expect((await message(client)).status).toBe(404);
    await client.isClosed();
    expect(client.received).toBe('');
    expect(origin.wires).toHaveLength(0);
  });

  test('requests of a client that is gone are not carried out behind the one under way', async () => {
    const seen: Wire[] = [];
    const origin = await backend(async (wire) => {
      for (;;) {
        await head(wire);
        seen.push(wire);
      }
    });
    const proxy = await plane({ old: [origin] });
    // Two connections at rest, so that a second request would leave at once.
    const early = [await connect(proxy, get('/')), await connect(proxy, get('/'))];
    await until('both requests', () => seen.length === 2);
    for (const wire of seen) wire.say(OK);
    for (const client of early) expect((await message(client)).body).toBe('ok');
    const client = await connect(proxy, get('/1') + post('/2', '') + post('/3', ''));
    await until('the request', () => seen.length === 3);
    client.socket.resetAndDestroy();
    await until('the end of the connection', () => client.closed);
    // The proxy notices that nobody is there when it writes the answer.
    seen[2]?.say(`HTTP/1.1 200 OK\r\ncontent-length: 20000\r\n\r\n${'x'.repeat(20_000)}`);
    await until('the request to end', () => inflight(proxy) === 0);
    expect(seen).toHaveLength(3);
  });
});
