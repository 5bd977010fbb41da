/** What a client may not have too much of: the last that is allowed, the first that is not, and what is said then. */
import { connect as connectTo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { LIMITS, type Plane, ScriptedBackend, TIMEOUTS, until, Wire } from './harness.ts';
import type { ReceivedMessage } from './message.ts';
import { answering, ask, backend, connect, GET, head, message, OK, plane } from './scene.ts';

const SMALL = { ...LIMITS, headBytes: 1000, fields: 10, targetBytes: 200, bodyBytes: 100 };

/** Says what is wrong in few words of its own, and nothing about what is behind. */
function expectProblem(answer: ReceivedMessage, status: number, code: string, port = 0): void {
  expect([answer.status, answer.get('content-type'), answer.get('content-length')]).toEqual([
    status,
    'application/problem+json',
    String(answer.body.length),
  ]);
  expect(JSON.parse(answer.body)).toEqual({ type: 'about:blank', title: expect.any(String), status, code });
  expect(answer.head + answer.body).not.toMatch(new RegExp(`127\\.0\\.|${port || 'localhost'}|ECONN|\\.ts`));
}

function headOf(bytes: number): string {
  const rest = 'GET / HTTP/1.1\r\nHost: a\r\nx: \r\n\r\n';
  return rest.replace('x: ', `x: ${'y'.repeat(bytes - rest.length)}`);
}

function withFields(count: number): string {
  return `GET / HTTP/1.1\r\nHost: a\r\n${'x: y\r\n'.repeat(count - 1)}\r\n`;
}

function withTarget(bytes: number): string {
  return `GET /${'y'.repeat(bytes - 1)} HTTP/1.1\r\nHost: a\r\n\r\n`;
}

function withBody(bytes: number, method = 'POST'): string {
  return `${method} / HTTP/1.1\r\nHost: a\r\nContent-Length: ${bytes}\r\n\r\n${'y'.repeat(bytes)}`;
}

function withChunks(bytes: number): string {
  const chunks = '1\r\ny\r\n'.repeat(bytes);
  return `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`;
}

describe('size', () => {
  test.each([
    ['bytes of a head', headOf(1000), headOf(1001), 431, 'headTooLarge'],
    ['fields', withFields(10), withFields(11), 431, 'headTooLarge'],
    ['a target', withTarget(200), withTarget(201), 414, 'targetTooLong'],
    ['a body with a length', withBody(100), withBody(101), 413, 'bodyTooLarge'],
    ['a chunked body', withChunks(100), withChunks(101), 413, 'bodyTooLarge'],
  ])('%s: the limit passes, one more does not', async (_name, most, tooMuch, status, code) => {
    const origin = await answering(OK);
    const client = await connect(await plane({ old: [origin], table: { limits: SMALL } }));
    expect((await ask(client, most)).body).toBe('ok');
    const answer = await ask(client, tooMuch);
    expectProblem(answer, status, code, origin.port);
    expect(answer.get('connection')).toBe('close');
    await client.isClosed();
  });

  test('what does not end is refused before its end', async () => {
    const proxy = await plane({ table: { limits: SMALL } });
    expectProblem(await ask(await connect(proxy), `GET /${'y'.repeat(2000)}`), 414, 'targetTooLong');
    expectProblem(await ask(await connect(proxy), `GET / HTTP/1.1\r\nx: ${'y'.repeat(2000)}`), 431, 'headTooLarge');
  });

  test('a body that is announced as too large costs the backend nothing', async () => {
    const origin = await backend();
    const client = await connect(await plane({ old: [origin], table: { limits: SMALL } }));
    client.say('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 101\r\n\r\n');
    expect((await message(client)).status).toBe(413);
    await client.isClosed();
    expect(origin.wires).toHaveLength(0);
  });

  test('a chunked body that becomes too large is broken off at the backend, not ended', async () => {
    const origin = await backend();
    const client = await connect(await plane({ old: [origin], table: { limits: SMALL } }));
    client.say(withChunks(60).replace('0\r\n\r\n', ''));
    const wire = await origin.asked();
    await wire.sees('y');
    client.say('1\r\ny\r\n'.repeat(60));
    expect((await message(client)).status).toBe(413);
    expect(await wire.isClosed()).not.toContain('0\r\n\r\n');
  });

  test('an answer that has begun when the body becomes too large is cut', async () => {
    const origin = await backend(async (wire) => {
      await head(wire);
      wire.say('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nsome');
    });
    const client = await connect(await plane({ old: [origin], table: { limits: SMALL } }));
    client.say(withChunks(60).replace('0\r\n\r\n', ''));
    await client.sees('some');
    client.say('1\r\ny\r\n'.repeat(60));
    expect(await client.isClosed()).toMatch(/\r\n\r\nsome$/);
  });
});

describe('time', () => {
  test('a head that does not come in time is refused, however its bytes trickle', async () => {
    const proxy = await plane({ table: { requestHeadMs: 5000 } });
    const client = await connect(proxy, 'GET / HT');
    for (const piece of ['TP/1.1\r\n', 'Host: a\r\n', 'X: y\r\n']) {
      client.say(piece);
      await proxy.pass(2000);
    }
    const answer = await message(client);
    expectProblem(answer, 408, 'requestHeadTimeout');
    expect(answer.get('connection')).toBe('close');
    await client.isClosed();
  });

  test.each([
    ['before its first request', 0],
    ['between requests', 1],
  ])('a connection that is idle %s is closed without a word', async (_name, requests) => {
    const proxy = await plane({ old: [await answering(OK)], table: { idleMs: 5000 } });
    const client = await connect(proxy);
    for (let i = 0; i < requests; i++) expect((await ask(client, GET)).body).toBe('ok');
    await proxy.pass(4000);
    expect(client.ended).toBe(false);
    await proxy.pass(2000);
    expect(await client.isClosed()).toBe('');
  });

  test('a client that goes on sending when it has been refused is not reset before it can have read why', async () => {
    const proxy = await plane({ table: { limits: SMALL } });
    const client = await connect(proxy, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n');
    expect((await message(client)).status).toBe(413);
    for (let i = 0; i < 5; i++) {
      client.say('y'.repeat(1000));
      await proxy.pass(700);
    }
    expect([client.closed, client.error]).toEqual([false, '']);
    let rounds = 0;
    for (; rounds < 20 && !client.closed; rounds++) {
      client.say('y'.repeat(1000));
      await proxy.pass(700);
    }
    expect(rounds).toBeLessThan(20);
  });
});

async function from(proxy: Plane, localAddress: string): Promise<Wire> {
  const wire = new Wire(connectTo({ port: proxy.port, host: '127.0.0.1', localAddress, allowHalfOpen: true }));
  onTestFinished(() => void wire.socket.destroy());
  await until('the connection', () => !wire.socket.connecting);
  return wire;
}

async function expectRefused(client: Wire): Promise<void> {
  client.say(GET);
  const answer = await message(client);
  expectProblem(answer, 503, 'tooManyConnections');
  expect([answer.get('retry-after'), answer.get('connection')]).toEqual(['1', 'close']);
  await client.isClosed();
}

describe('connections', () => {
  test('beyond the limit are told to come back, and are let in when another has left', async () => {
    const origin = await answering(OK);
    const limits = { ...SMALL, connections: 2 };
    const proxy = await plane({ old: [origin], table: { limits } });
    const first = await from(proxy, '127.0.0.1');
    expect((await ask(first, GET)).body).toBe('ok');
    expect((await ask(await from(proxy, '127.0.0.2'), GET)).body).toBe('ok');
    await expectRefused(await from(proxy, '127.0.0.3'));
    first.socket.end();
    await first.isClosed();
    expect((await ask(await from(proxy, '127.0.0.3'), GET)).body).toBe('ok');
  });

  test('of one client beyond its limit are told to come back, those of others are let in', async () => {
    const limits = { ...SMALL, connectionsPerClient: 2 };
    const proxy = await plane({ old: [await answering(OK)], table: { limits } });
    const first = await from(proxy, '127.0.0.1');
    expect((await ask(first, GET)).body).toBe('ok');
    expect((await ask(await from(proxy, '127.0.0.1'), GET)).body).toBe('ok');
    await expectRefused(await from(proxy, '127.0.0.1'));
    expect((await ask(await from(proxy, '127.0.0.2'), GET)).body).toBe('ok');
    first.socket.resetAndDestroy();
    await until('the connection to be counted out', async () => {
      const again = await from(proxy, '127.0.0.1');
      const { status } = await ask(again, GET);
      if (status !== 200) again.socket.destroy();
      return status === 200;
    });
    await expectRefused(await from(proxy, '127.0.0.1'));
  });

  test('to an endpoint beyond its limit are not made: the client is told to come back', async () => {
    const origin = await backend();
    const backends = [
      { name: 'backend-old', connections: 1 },
      { name: 'backend-new', connections: 0 },
    ];
    const proxy = await plane({ old: [origin], table: { backends } });
    const waiting = await connect(proxy, GET);
    const wire = await origin.asked();
    const answer = await ask(await connect(proxy), GET);
    expectProblem(answer, 503, 'poolExhausted', origin.port);
    expect(answer.get('retry-after')).toBe('1');
    wire.say(OK);
    expect((await message(waiting)).body).toBe('ok');
    expect(origin.wires).toHaveLength(1);
  });
});

describe('an error that answers HEAD has the head of one, and no body', () => {
  test('of the proxy itself and of a backend that fails, on a connection that goes on', async () => {
    const gone = await new ScriptedBackend().listen();
    const { port } = gone;
    gone.close();
    const proxy = await plane({ old: [port], route: { match: { path: '/shop/' } } });
    const client = await connect(proxy);
    for (const [path, status] of [
      ['/no', 404],
      ['/shop/', 502],
      ['/no', 404],
    ] as const) {
      const answer = await ask(client, `HEAD ${path} HTTP/1.1\r\nHost: a\r\n\r\n`, true);
      expect([answer.status, Number(answer.get('content-length')) > 0]).toEqual([status, true]);
    }
    expectProblem(await ask(client, 'GET /no HTTP/1.1\r\nHost: a\r\n\r\n'), 404, 'noRoute');
  });

  test('of a time-out', async () => {
    const origin = await backend();
    const proxy = await plane({ old: [origin] });
    const client = await connect(proxy, 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n');
    await origin.asked();
    proxy.skip(TIMEOUTS.responseHeadMs + 1);
    expect((await message(client, true)).status).toBe(504);
    expectProblem(await ask(client, 'GET * HTTP/1.1\r\nHost: a\r\n\r\n'), 400, 'badRequest');
  });

  test('of a body that is too large', async () => {
    const client = await connect(await plane({ table: { limits: SMALL } }), withBody(101, 'HEAD'));
    expect(await client.isClosed()).toMatch(/^HTTP\/1\.1 413 [^]*\r\n\r\n$/);
  });
});
