/** Faults that were found, each test named after one, and what stands close to them. */
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { AT_ATTEMPTS, AT_FAULTS, AT_REQUESTS, codeClass } from '../../src/domain/counts.ts';
import { FAULT_KINDS } from '../../src/domain/errors.ts';
import { OUTCOME_FAULT } from '../../src/domain/outcome.ts';
import { until, type Wire } from './harness.ts';
import { ask, backend, connect, GET, gone, head, message, OK, plane } from './scene.ts';

const FAULTS = AT_ATTEMPTS + OUTCOME_FAULT;
const faultOf = (kind: (typeof FAULT_KINDS)[number]): number => AT_FAULTS + FAULT_KINDS.indexOf(kind);

test('a reused connection that broke off in the middle of an answer’s head was taken for a race and the request sent twice', async () => {
  const origin = await backend(async (wire) => {
    await message(wire);
    wire.say(OK);
    await message(wire);
    wire.say('HTTP/1.1 200 O');
    wire.socket.end();
  });
  const proxy = await plane({ old: [origin] });
  const client = await connect(proxy);
  await ask(client, GET);
  expect((await ask(client, GET)).status).toBe(502);
  expect(origin.wires).toHaveLength(1);
  expect(proxy.count(faultOf('upstreamReset'))).toBe(1);
});

test('an upgrade with a body made a tunnel of the middle of the body', async () => {
  const origin = await backend();
  const proxy = await plane({ old: [origin] });
  await connect(
    proxy,
    'POST / HTTP/1.1\r\nHost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\ncontent-length: 10\r\n\r\n12345',
  );
  const asked = await head(await origin.asked());
  expect(asked).not.toMatch(/^(upgrade|connection):/im);
});

test('an upgrade by HTTP/1.0 was carried out, which must be ignored', async () => {
  const origin = await backend();
  const proxy = await plane({ old: [origin] });
  await connect(proxy, 'GET / HTTP/1.0\r\nHost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
  const asked = await head(await origin.asked());
  expect(asked).not.toMatch(/^(upgrade|connection):/im);
});

test('a tunnel did not count against the limit of connections to its endpoint', async () => {
  const origin = await backend(async (wire) => {
    await head(wire);
    wire.say('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
  });
  const backends = [
    { name: 'old', connections: 1 },
    { name: 'new', connections: 1 },
  ];
  const proxy = await plane({ old: [origin], table: { backends } });
  const tunnel = await connect(proxy, 'GET / HTTP/1.1\r\nHost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
  await head(tunnel);
  expect((await ask(await connect(proxy), GET)).status).toBe(503);
  tunnel.socket.resetAndDestroy();
  await until('the place to be free again', async () => {
    const next = await connect(proxy, GET.replace('\r\n\r\n', '\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n'));
    return (await head(next)).startsWith('HTTP/1.1 101');
  });
});

test('a tunnel whose client was dropped after its FIN left the backend’s connection open', async () => {
  const origin = await backend(async (wire) => {
    await head(wire);
    wire.say('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
  });
  const proxy = await plane({ old: [origin], table: { drainMs: 0 } });
  const tunnel = await connect(proxy, 'GET / HTTP/1.1\r\nHost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
  await head(tunnel);
  tunnel.socket.end();
  const wire = origin.wires[0] as Wire;
  await wire.isClosed();
  // The time to drain is over: the client's connection is ended by the proxy.
  proxy.service.drain(0);
  await gone(tunnel);
  await until('the backend to learn that nobody listens', () => {
    if (!wire.closed) wire.say('into the void');
    return wire.closed;
  });
});

test('a backend that stopped reading a request was held for a client that stopped sending it', async () => {
  const origin = await backend(async (wire) => {
    await head(wire);
    wire.socket.pause();
  });
  const proxy = await plane({ old: [origin], timeouts: { idleMs: 5_000, responseHeadMs: 5_000 } });
  const client = await connect(proxy, `POST / HTTP/1.1\r\nHost: a\r\ncontent-length: ${64 << 20}\r\n\r\n`);
  client.say('x'.repeat(64 << 20));
  let last = -1;
  let same = 0;
  await until('the client to be held back', () => {
    const { bytesWritten, writableLength } = client.socket;
    same = bytesWritten - writableLength === last && writableLength > 0 ? same + 1 : 0;
    last = bytesWritten - writableLength;
    return same > 10;
  });
  proxy.skip(6_000);
  expect((await message(client)).status).toBe(504);
  expect(proxy.count(faultOf('responseHeadTimeout'))).toBe(1);
});

test('a client that stopped sending its body was put down to the side by the time limit of the whole request', async () => {
  const origin = await backend();
  const proxy = await plane({ old: [origin], timeouts: { totalMs: 5_000 } });
  const client = await connect(proxy, 'POST / HTTP/1.1\r\nHost: a\r\ncontent-length: 10\r\n\r\n12345');
  await origin.asked();
  proxy.skip(6_000);
  expect((await message(client)).status).toBe(408);
  expect(proxy.count(FAULTS)).toBe(0);
});

test('a head that came too slowly was not counted', async () => {
  const proxy = await plane();
  const client = await connect(proxy, 'GET / HT');
  await until('the head to have begun', () => client.socket.bytesWritten > 0);
  await until('a refusal', () => {
    proxy.skip(10_001);
    return client.received !== '';
  });
  expect((await message(client)).status).toBe(408);
  expect(proxy.count(codeClass(408), 0, 1)).toBe(1);
});

test('that there are too many connections reaches a client whose request is never read', async () => {
  const proxy = await plane({ table: { limits: { ...LIMITS, connections: 1 } } });
  const first = await connect(proxy);
  for (let i = 0; i < 5; i++) {
    const refused = await connect(
      proxy,
      `POST / HTTP/1.1\r\nHost: a\r\ncontent-length: 65536\r\n\r\n${'x'.repeat(65_536)}`,
    );
    const answer = await message(refused);
    expect([answer.status, answer.get('connection'), answer.get('retry-after')]).toEqual([503, 'close', '1']);
    refused.socket.end();
    await gone(refused);
    expect(refused.error).toBe('');
  }
  expect(first.closed).toBe(false);
});

const LIMITS = {
  headBytes: 16_384,
  fields: 100,
  targetBytes: 8_192,
  bodyBytes: 0,
  connections: 1_000,
  connectionsPerClient: 0,
  concurrentStreams: 1024,
  workerMemoryBytes: 0,
};

test('without a time limit for idle connections a last answer reaches a slow reader whole', async () => {
  const large = 'z'.repeat(32 << 20);
  const origin = await backend(async (wire) => {
    await head(wire);
    wire.say(`HTTP/1.1 200 OK\r\ncontent-length: ${large.length}\r\n\r\n${large}`);
  });
  const proxy = await plane({ old: [origin], table: { idleMs: 0 } });
  const client = await connect(proxy, 'GET / HTTP/1.1\r\nHost: a\r\nconnection: close\r\n\r\n');
  client.socket.pause();
  client.socket.on('data', () => {
    client.socket.pause();
    setImmediate(() => client.socket.resume());
  });
  client.socket.resume();
  expect((await message(client)).body).toHaveLength(large.length);
});

test('counts of requests between a table and its weights were dropped', async () => {
  const origin = await backend(async (wire) => {
    for (;;) {
      await message(wire);
      wire.say(OK);
    }
  });
  const proxy = await plane({ old: [origin] });
  const client = await connect(proxy);
  await ask(client, GET);
  proxy.count(0);
  // The next table is there, its weights are not: the one before still serves.
  proxy.service.onMessage({ ...proxy.table, generation: 2 });
  proxy.service.beat();
  proxy.service.beat();
  await ask(client, GET);
  expect(proxy.count(AT_REQUESTS + codeClass(200))).toBe(2);
});

test('two tables at once opened the same listener twice', async () => {
  const proxy = await plane();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  const listeners = [...proxy.table.listeners, { address: `127.0.0.1:${port}`, host: '127.0.0.1', port }];
  for (const generation of [2, 3]) {
    proxy.service.onMessage({ ...proxy.table, generation, listeners });
    proxy.service.onMessage({ kind: 'weights', generation, revision: generation, held: [], weights: [[0, 0, 0]] });
  }
  const listening = await until('both to be listening', () => {
    const found = proxy.messages.filter((m) => m.kind === 'listening' && m.generation > 1);
    return found.length === 2 && found;
  });
  expect(listening.map((m) => m.kind === 'listening' && m.failure)).toEqual([null, null]);
});

test('a client whose answer was broken off gets what there is of it, and is forgotten', async () => {
  const origin = await backend(async (wire) => {
    await head(wire);
    wire.say(`HTTP/1.1 200 OK\r\ncontent-length: ${64 << 20}\r\n\r\n${'x'.repeat(1 << 20)}`);
    wire.socket.end();
  });
  const proxy = await plane({ old: [origin] });
  const client = await connect(proxy, GET);
  await client.isClosed();
  expect(client.received.length).toBeGreaterThan(1 << 20);
  await until('the proxy to forget the connection', () => {
    proxy.skip(1_001);
    proxy.service.onMessage({ kind: 'flush', flush: 1 });
    const last = proxy.messages.findLast((m) => m.kind === 'counts');
    return last?.kind === 'counts' && last.connections[0]?.http1 === 0;
  });
  expect(proxy.count(faultOf('upstreamTruncated'))).toBe(1);
});

test('a request that pipelines behind an upgrade that is refused is answered as a request', async () => {
  const origin = await backend(async (wire) => {
    const refused = (await head(wire)).includes('upgrade');
    wire.say(refused ? 'HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n' : OK);
  });
  const proxy = await plane({ old: [origin] });
  const client = await connect(
    proxy,
    `GET / HTTP/1.1\r\nHost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n${GET}`,
  );
  expect((await message(client)).status).toBe(400);
  expect((await message(client)).body).toBe('ok');
});

test('an answer that was broken off in its first read reached the client as nothing at all, which invites it to ask again', async () => {
  const origin = await backend(async (wire) => {
    await head(wire);
    wire.say('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf');
    wire.socket.resetAndDestroy();
  });
  const proxy = await plane({ old: [origin] });
  const client = await connect(proxy, 'POST / HTTP/1.1\r\nHost: a\r\ncontent-length: 0\r\n\r\n');
  expect(await client.isClosed()).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nhalf$/);
});
