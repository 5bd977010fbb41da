/** What a backend is told of the time that a call has left: what is left when the head leaves, whatever it waited for. */
import { once } from 'node:events';
import { constants, createSecureServer, createServer, type IncomingHttpHeaders } from 'node:http2';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { type Plane, until } from '../proxy/harness.ts';
import { type Call, Http2Client } from '../proxy/http2-client.ts';
import { plane } from '../proxy/scene.ts';
import { certificate, key } from '../proxy/secured-backends.ts';

const CALL = { ':method': 'POST', ':path': '/shop.v1.Shop/Buy', 'content-type': 'application/grpc', te: 'trailers' };
const MESSAGE = Buffer.from('\0\0\0\0\x02ok', 'latin1');

interface Seen {
  readonly fields: IncomingHttpHeaders;
  body: string;
}

/** Whose handshakes wait until they are let go on. */
async function slowBackend(): Promise<{ port: number; held: Socket[]; calls: Seen[]; letGo: () => void }> {
  const calls: Seen[] = [];
  const secured = createSecureServer({ cert: certificate, key });
  secured.on('stream', (stream, fields) => {
    const seen: Seen = { fields, body: '' };
    calls.push(seen);
    stream.on('error', () => undefined);
    stream.on('data', (bytes: Buffer) => {
      seen.body += bytes.toString('latin1');
    });
    stream.on('end', () => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '0' }, { endStream: true });
    });
  });
  const held: Socket[] = [];
  const server = createTcpServer((socket) => {
    socket.on('error', () => undefined);
    held.push(socket);
  });
  const port = await listen(server, held);
  return { port, held, calls, letGo: () => held.splice(0).forEach((socket) => secured.emit('connection', socket)) };
}

async function listen(server: Server, sockets: readonly Socket[]): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const all = new Set<Socket>(sockets);
  server.on('connection', (socket: Socket) => all.add(socket));
  onTestFinished(() => {
    for (const socket of all) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

function secured(port: number): Promise<Plane> {
  const tls = { insecure: true };
  const backends = ['old', 'new'].map((name) => ({ name, connections: 0, protocol: 'h2' as const, tls }));
  return plane({ old: [port], timeouts: { connectMs: 0 }, table: { backends } });
}

function open(client: Http2Client, timeout: string): Call {
  const call = client.open({ ...CALL, 'grpc-timeout': timeout }, false);
  call.stream.end(MESSAGE);
  return call;
}

/** Milliseconds that a `grpc-timeout` says. */
function left({ fields }: Seen): number {
  const value = String(fields['grpc-timeout']);
  expect(value).toMatch(/^\d{1,8}[mu]$/);
  return Number(value.slice(0, -1)) * (value.endsWith('m') ? 1 : 1e-3);
}

test('the wait for a connection is taken off', async () => {
  const origin = await slowBackend();
  const proxy = await secured(origin.port);
  const call = open(new Http2Client(`http://127.0.0.1:${proxy.port}`), '9S');
  await until('a connection', () => origin.held.length === 1);
  await proxy.pass(6_000);
  origin.letGo();
  expect(await call.answer()).toMatchObject({ status: 200, reset: 0 });
  const [seen] = origin.calls as [Seen];
  expect(left(seen)).toBeLessThanOrEqual(3_000);
  expect(left(seen)).toBeGreaterThan(0);
  expect(seen.body).toBe(MESSAGE.toString('latin1'));
});

test('calls that wait for one connection leave whole and in order, and one that is cancelled meanwhile leaves no trace', async () => {
  const origin = await slowBackend();
  const proxy = await secured(origin.port);
  const client = new Http2Client(`http://127.0.0.1:${proxy.port}`);
  // All within the streams of one session.
  const calls = Array.from({ length: 9 }, (_, i) => open(client, `${50 + i}S`));
  const plain = client.open({ ':path': '/plain' });
  await until('a connection', () => origin.held.length === 1);
  const cancelled = calls.splice(4, 1)[0] as Call;
  cancelled.stream.close(constants.NGHTTP2_CANCEL);
  // Answered behind the cancellation, since a connection's frames keep their order.
  const probe = client.open({
    ':method': 'POST',
    ':path': '/grpc.health.v1.Health/Check',
    'content-type': 'application/grpc',
  });
  await probe.answer();
  origin.letGo();
  for (const call of [...calls, plain]) expect(await call.answer()).toMatchObject({ status: 200, reset: 0 });
  expect(origin.calls.map((seen) => ('grpc-timeout' in seen.fields ? Math.ceil(left(seen) / 1_000) : 'none'))).toEqual([
    50,
    51,
    52,
    53,
    55,
    56,
    57,
    58,
    'none',
  ]);
  expect(origin.calls.slice(0, 8).map(({ body }) => body)).toEqual(calls.map(() => MESSAGE.toString('latin1')));
  expect(origin.held).toEqual([]);
});

test('a call that is asked again after a refusal says what is left then', async () => {
  const told: string[] = [];
  const refused: (() => void)[] = [];
  const server = createServer();
  server.on('stream', (stream, fields) => {
    stream.on('error', () => undefined);
    told.push(String(fields['grpc-timeout']));
    if (told.length === 1) refused.push(() => stream.close(constants.NGHTTP2_REFUSED_STREAM));
    else
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '0' }, { endStream: true });
  });
  const port = await listen(server, []);
  const backends = ['old', 'new'].map((name) => ({ name, connections: 0, protocol: 'h2' as const }));
  const proxy = await plane({ old: [port], table: { backends } });
  const call = open(new Http2Client(`http://127.0.0.1:${proxy.port}`), '9S');
  await until('the call', () => refused.length === 1);
  await proxy.pass(6_000);
  refused[0]?.();
  expect(await call.answer()).toMatchObject({ status: 200, reset: 0 });
  expect(told).toHaveLength(2);
  expect(Number.parseInt(told[0] as string, 10)).toBeGreaterThan(3_000);
  expect(Number.parseInt(told[1] as string, 10)).toBeLessThanOrEqual(3_000);
});

test('calls of one client that differ in their time alone are told their own, and nothing else is lost', async () => {
  const seen: IncomingHttpHeaders[] = [];
  const server = createServer();
  server.on('stream', (stream, fields) => {
    seen.push(fields);
    stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '0' }, { endStream: true });
  });
  const port = await listen(server, []);
  const backends = ['old', 'new'].map((name) => ({ name, connections: 0, protocol: 'h2' as const }));
  const proxy = await plane({ old: [port], table: { backends } });
  const client = new Http2Client(`http://127.0.0.1:${proxy.port}`);
  const asked = [30, 40, 40, 50, 20, 30].map((seconds, i) => ({ seconds, token: i < 4 ? 'a' : 'b' }));
  for (const { seconds, token } of asked) {
    const call = client.open({ ...CALL, 'grpc-timeout': `${seconds}S`, 'x-token': token }, false);
    call.stream.end(MESSAGE);
    await call.answer();
  }
  expect(
    seen.map((fields) => ({ seconds: Math.ceil(left({ fields, body: '' }) / 1_000), token: fields['x-token'] })),
  ).toEqual(asked);
  for (const fields of seen) {
    expect(fields).toMatchObject({ te: 'trailers', 'content-type': 'application/grpc', ':path': CALL[':path'] });
    expect(fields['x-forwarded-for']).toBe('127.0.0.1');
  }
});
