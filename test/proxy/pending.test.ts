/** When all connections to a backend are taken: who waits, for how long, and who does not suffer from it. */
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { Plane, until } from './harness.ts';
import { Http2Client } from './http2-client.ts';
import { ask, backend, connect, GET, gone, message, OK, ok, plane } from './scene.ts';

const WAIT_MS = 5_000;

function limited(requests: number, more: { protocol?: 'h2' } = {}) {
  const pending = { requests, waitMs: WAIT_MS };
  return {
    backends: [
      { name: 'backend-old', connections: 1, pending, ...more },
      { name: 'backend-new', connections: 0 },
    ],
  };
}

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;

/** Whether the queue has room is told by who is refused, so those before must have come in. */
async function waits(proxy: Plane, path: string) {
  const client = await connect(proxy, get(path));
  // Its head has been read when a later one on a connection of its own has been answered.
  expect((await ask(await connect(proxy), 'GET * HTTP/1.1\r\nHost: a\r\n\r\n')).status).toBe(400);
  return client;
}

test('requests wait in their order for the connection, and one that finds no room is told to come back', async () => {
  const origin = await backend();
  const proxy = await plane({ old: [origin], table: limited(2) });
  const first = await connect(proxy, get('/1'));
  const wire = await origin.asked();
  const [second, third] = [await waits(proxy, '/2'), await waits(proxy, '/3')];
  const refused = await ask(await connect(proxy), get('/4'));
  expect([refused.status, refused.get('retry-after'), refused.body.includes('poolExhausted')]).toEqual([
    503,
    '1',
    true,
  ]);
  for (const [client, path] of [
    [first, '/1'],
    [second, '/2'],
    [third, '/3'],
  ] as const) {
    await wire.sees(`GET ${path} `);
    expect(wire.received.match(/^GET /gm)).toHaveLength(Number(path.slice(1)));
    wire.say(ok(path));
    expect((await message(client)).body).toBe(path);
  }
  expect(origin.wires).toHaveLength(1);
});

test('one that has waited for its time is told to come back, in gRPC by its status', async () => {
  const origin = await backend();
  const proxy = await plane({ old: [origin], table: limited(2) });
  await connect(proxy, get('/1'));
  const wire = await origin.asked();
  const late = await waits(proxy, '/2');
  const call = await connect(
    proxy,
    'POST /a.B/C HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc-web\r\nContent-Length: 0\r\n\r\n',
  );
  await waitsToo(proxy);
  proxy.skip(WAIT_MS);
  const answer = await message(late);
  expect([answer.status, answer.get('retry-after'), answer.body.includes('pendingTimeout')]).toEqual([503, '1', true]);
  expect((await message(call)).get('grpc-status')).toBe('14');
  wire.say(OK);
});

/** Both places are taken once a third is refused. */
async function waitsToo(proxy: Plane): Promise<void> {
  await until('a full queue', async () => {
    const client = await connect(proxy, GET);
    const { status } = await message(client);
    return status === 503;
  });
}

test('a client that leaves gives its place to another', async () => {
  const origin = await backend();
  const proxy = await plane({ old: [origin], table: limited(1) });
  const first = await connect(proxy, get('/1'));
  const wire = await origin.asked();
  const leaving = await waits(proxy, '/2');
  leaving.socket.resetAndDestroy();
  await gone(leaving);
  let next = await connect(proxy, get('/3'));
  await until('a place', async () => {
    expect((await ask(await connect(proxy), 'GET * HTTP/1.1\r\nHost: a\r\n\r\n')).status).toBe(400);
    if (next.received === '') return true;
    next = await connect(proxy, get('/3'));
    return false;
  });
  wire.say(OK);
  expect((await message(first)).body).toBe('ok');
  await wire.sees('GET /3 ');
  wire.say(OK);
  expect((await message(next)).body).toBe('ok');
  expect(wire.received).not.toContain('/2');
});

test('a body that comes while its request waits is kept for it', async () => {
  const origin = await backend();
  const proxy = await plane({ old: [origin], table: limited(2) });
  const first = await connect(proxy, get('/1'));
  const wire = await origin.asked();
  const body = 'x'.repeat(300_000);
  const second = await connect(proxy, `POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  const third = new Http2Client(`http://127.0.0.1:${proxy.port}`).open({ ':method': 'POST', ':path': '/3' }, false);
  third.stream.end('y'.repeat(200_000));
  await waitsToo(proxy);
  wire.say(OK);
  await message(first);
  await until('the body', () => wire.received.includes(body));
  wire.say(OK);
  expect((await message(second)).body).toBe('ok');
  await until('the other body', () => wire.received.match(/y/g)?.length === 200_000);
  wire.say(OK);
  expect(await third.answer()).toMatchObject({ status: 200, body: 'ok' });
});

test('an endpoint with a connection to spare is taken before anybody waits', async () => {
  const [busy, spare] = [await backend(), await backend()];
  const proxy = await plane({ old: [busy, spare], table: limited(1), random: () => 0 });
  const clients = [await connect(proxy, GET), await connect(proxy, GET)];
  for (const origin of [busy, spare]) (await origin.asked()).say(OK);
  for (const client of clients) expect((await message(client)).body).toBe('ok');
});

test('streams of HTTP/2 are waited for as connections are', async () => {
  const held: (() => void)[] = [];
  const server = createServer({ settings: { maxConcurrentStreams: 1 } });
  server.on('stream', (stream) => {
    stream.respond({ ':status': 200 });
    held.push(() => stream.end('ok'));
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const proxy = await plane({ old: [port], table: limited(5, { protocol: 'h2' }) });
  const first = await connect(proxy, get('/1'));
  // Only then are the backend's settings known.
  await until('the first stream', () => held.length === 1);
  const others = [await waits(proxy, '/2'), await waits(proxy, '/3')];
  expect(held).toHaveLength(1);
  for (const [i, client] of [first, ...others].entries()) {
    await until('its stream', () => held.length === i + 1);
    held[i]?.();
    expect((await message(client)).body).toBe('ok');
  }
});

test('a backend that hangs with a full queue takes nothing from the routes beside it', async () => {
  const [hung, well] = [await backend(), await backend(async (wire) => answerAll(wire))];
  const timeouts = { connectMs: 1_000, requestHeadMs: 0, responseHeadMs: 0, idleMs: 0, totalMs: 0 };
  const route = { sticky: [], salt: 'r', timeouts, rescue: { budget: 0.2, toNew: false, bodyBytes: 0 } };
  const proxy = await plane({
    old: [hung],
    new: [well],
    table: {
      ...limited(20),
      routes: [
        { name: 'hung', match: { path: '/hung/' }, old: 0, new: 0, ...route },
        { name: 'well', match: { path: '/' }, old: 1, new: 1, ...route },
      ],
    },
  });
  for (let i = 0; i < 21; i++) await connect(proxy, get('/hung/'));
  await until('a full queue', async () => (await ask(await connect(proxy), get('/hung/'))).status === 503);
  for (let i = 0; i < 100; i++) expect((await ask(await connect(proxy), GET)).status).toBe(200);
  expect(hung.wires).toHaveLength(1);
});

async function answerAll(wire: Parameters<typeof message>[0]): Promise<void> {
  for (;;) {
    await message(wire);
    wire.say(OK);
  }
}
