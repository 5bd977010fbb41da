/** Backends that choose their protocol by ALPN: Node's own servers, replaced under way by such as choose the other. */

import type { AddressInfo } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { Metadata, status } from '@grpc/grpc-js';
import { describe, expect, onTestFinished, test } from 'vitest';
import { AT_FAULTS } from '../../src/domain/counts.ts';
import { FAULT_KINDS } from '../../src/domain/errors.ts';
import type { BackendSpec } from '../../src/seam.ts';
import { Caller } from '../grpc/calls.ts';
import { type Plane, until } from './harness.ts';
import { ask, connect, GET, message, OK, plane } from './scene.ts';
import { certificate, key, type Spoken, securedBackend } from './secured-backends.ts';

const AUTO: readonly BackendSpec[] = ['old', 'new'].map((name) => ({
  name,
  connections: 0,
  protocol: 'auto',
  tls: { ca: certificate, insecure: false },
}));

function proxyTo(port: number, backends: readonly BackendSpec[] = AUTO): Promise<Plane> {
  return plane({ old: [port], table: { backends } });
}

const post = (length: number): string => `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`;
const VERSIONS: [Spoken, string][] = [
  ['h2', '2.0'],
  ['both', '2.0'],
  ['http1', '1.1'],
];

describe.each(VERSIONS)('an endpoint of protocol auto that speaks %s', (spoken, version) => {
  test('is asked in the protocol that it chooses, on one connection', async () => {
    const origin = await securedBackend(spoken);
    const client = await connect(await proxyTo(origin.port));
    for (let i = 0; i < 3; i++) expect((await ask(client, GET)).body).toBe(`${version} GET 0`);
    expect(origin.seen.connections).toBe(1);
  });

  test('gets the whole of a body that came with the first request', async () => {
    const origin = await securedBackend(spoken);
    const client = await connect(await proxyTo(origin.port));
    client.say(post(300_000));
    client.say('x'.repeat(300_000));
    expect((await message(client)).body).toBe(`${version} POST 300000`);
    expect((await ask(client, `${post(5)}hello`)).body).toBe(`${version} POST 5`);
    expect(origin.seen.connections).toBe(1);
  });

  test('is asked by many before it has chosen, and all are answered', async () => {
    const origin = await securedBackend(spoken);
    const proxy = await proxyTo(origin.port);
    const clients = await Promise.all(Array.from({ length: 20 }, () => connect(proxy)));
    const answers = await Promise.all(clients.map((client) => ask(client, `${post(5)}hello`)));
    expect(new Set(answers.map(({ body }) => body))).toEqual(new Set([`${version} POST 5`]));
    expect(origin.seen.connections).toBeLessThanOrEqual(spoken === 'http1' ? 20 : 1);
  });
});

describe('an endpoint that is replaced by one that speaks the other protocol', () => {
  test('is asked in the other from then on, there and back', async () => {
    let origin = await securedBackend('http1');
    const proxy = await proxyTo(origin.port);
    const client = await connect(proxy);
    expect((await ask(client, GET)).body).toBe('1.1 GET 0');
    for (const [spoken, version] of [...VERSIONS, ...VERSIONS]) {
      await origin.stop();
      origin = await securedBackend(spoken, origin.port);
      // A request that may be repeated finds out that the connection kept is gone.
      for (const text of [GET, `${post(5)}hello`]) {
        const answer = await ask(client, text);
        expect([answer.status, answer.body.slice(0, 3)]).toEqual([200, version]);
      }
      expect(origin.seen.versions).toEqual([version, version]);
    }
  });

  test('while requests flow: none is broken off, and none fails but for want of a listener', async () => {
    let origin = await securedBackend('http1');
    const proxy = await proxyTo(origin.port);
    const flowing = new AbortController();
    const answered = new Map<string, number>();
    const flow = Array.from({ length: 4 }, async () => {
      const client = await connect(proxy);
      while (!flowing.signal.aborted) {
        const { status: told, body } = await ask(client, GET);
        const kind = told === 200 ? body.slice(0, 3) : `failed ${told}`;
        answered.set(kind, (answered.get(kind) ?? 0) + 1);
      }
    });
    for (const [spoken, version] of VERSIONS.toReversed()) {
      await origin.drain();
      origin = await securedBackend(spoken, origin.port);
      const before = answered.get(version) ?? 0;
      await until('answers of the new one', () => (answered.get(version) ?? 0) > before + 20);
    }
    flowing.abort();
    await Promise.all(flow);
    expect([...answered.keys()].filter((kind) => !['1.1', '2.0', 'failed 502', 'failed 503'].includes(kind))).toEqual(
      [],
    );
    for (const kind of ['tlsFailed', 'upstreamInvalid', 'upstreamTruncated'] as const) {
      expect([kind, proxy.count(AT_FAULTS + FAULT_KINDS.indexOf(kind))]).toEqual([kind, 0]);
    }
  });
});

describe('a gRPC call of a backend of protocol auto', () => {
  test('is refused as UNAVAILABLE by one without HTTP/2, and carried once there is one', async () => {
    let origin = await securedBackend('http1');
    const proxy = await proxyTo(origin.port);
    const caller = new Caller(proxy.port);
    for (let i = 0; i < 2; i++) {
      const call = caller.unary(Buffer.from('x'), new Metadata());
      const told = await until('the refusal', () => call.told());
      expect(told.code).toBe(status.UNAVAILABLE);
      expect(told.details).toBe('The connection to the backend could not be secured');
    }
    expect(origin.seen.versions).toEqual([]);
    // What is no gRPC is served meanwhile.
    expect((await ask(await connect(proxy), GET)).body).toBe('1.1 GET 0');
    await origin.stop();
    origin = await securedBackend('h2', origin.port);
    const call = caller.unary(Buffer.from('x'), new Metadata());
    await until('an answer', () => call.told());
    expect(origin.seen.versions).toEqual(['2.0']);
  });
});

test('a WebSocket goes by HTTP/1.1 to an endpoint that would choose HTTP/2', async () => {
  const origin = await securedBackend('both');
  const proxy = await proxyTo(origin.port);
  expect((await ask(await connect(proxy), GET)).body).toBe('2.0 GET 0');
  const client = await connect(proxy, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  expect(await client.sees('\r\n\r\n')).toMatch(/^HTTP\/1\.1 101 /);
  client.say('ping');
  await client.sees('ping');
});

/** Secures connections, and says nothing of ALPN. */
async function scripted(onSocket: (socket: TLSSocket) => void): Promise<{ port: number; connections: number }> {
  const seen = { port: 0, connections: 0 };
  const server = createTlsServer({ cert: certificate, key }, (socket) => {
    seen.connections++;
    socket.on('error', () => undefined);
    onTestFinished(() => void socket.destroy());
    onSocket(socket);
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  seen.port = (server.address() as AddressInfo).port;
  return seen;
}

test('an endpoint that knows nothing of ALPN speaks HTTP/1.1', async () => {
  const origin = await scripted((socket) => socket.on('data', () => socket.write(OK)));
  const client = await connect(await proxyTo(origin.port));
  for (let i = 0; i < 3; i++) expect((await ask(client, GET)).body).toBe('ok');
  expect(origin.connections).toBe(1);
});

test('an endpoint that closes instead of answering is a 502, and is not asked for ever', async () => {
  const origin = await scripted((socket) => socket.on('data', () => socket.destroy()));
  expect((await ask(await connect(await proxyTo(origin.port)), GET)).status).toBe(502);
  expect(origin.connections).toBeLessThanOrEqual(2);
});

test('a limit of one connection holds for an endpoint of HTTP/1.1', async () => {
  const origin = await securedBackend('http1');
  const proxy = await proxyTo(
    origin.port,
    AUTO.map((spec) => ({ ...spec, connections: 1 })),
  );
  const client = await connect(proxy);
  for (let i = 0; i < 3; i++) expect((await ask(client, GET)).status).toBe(200);
  expect(origin.seen.connections).toBe(1);
});
