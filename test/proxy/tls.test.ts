/** Listeners and backends over TLS: the same exchange, with certificates, sessions and handshakes. */
import { readFileSync } from 'node:fs';
import { createServer as createTlsServer, connect as dialTls, type TLSSocket } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { AT_FAULTS } from '../../src/domain/counts.ts';
import { FAULT_KINDS } from '../../src/domain/errors.ts';
import type { BackendSpec, ListenerTls } from '../../src/seam.ts';
import { type Plane, shows, until, Wire } from './harness.ts';
import type { ReceivedMessage } from './message.ts';
import { answering, ask, backend, connect, GET, head, message, OK, plane } from './scene.ts';

const fixture = (name: string): string => readFileSync(new URL(`../fixtures/tls/${name}`, import.meta.url), 'utf8');
const certificate = fixture('localhost.crt');
const key = fixture('localhost.key');

function secured(options: Parameters<typeof plane>[0] = {}): Promise<Plane> {
  return plane({ ...options, tls: shows(certificate, key) });
}

async function dial(proxy: Plane, text = ''): Promise<Wire> {
  const socket = dialTls({ port: proxy.port, host: '127.0.0.1', ca: certificate, allowHalfOpen: true } as object);
  onTestFinished(() => void socket.destroy());
  await new Promise<void>((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  const wire = new Wire(socket);
  if (text !== '') wire.say(text);
  return wire;
}

/** A backend that answers everything over TLS. */
async function securedBackend(): Promise<number> {
  const sockets: TLSSocket[] = [];
  const server = createTlsServer({ cert: certificate, key }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', () => socket.write(OK));
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as { port: number }).port;
}

describe('a listener with a certificate', () => {
  test('serves request after request and says https to the backend', async () => {
    const seen: ReceivedMessage[] = [];
    const proxy = await secured({ old: [await answering(OK, seen)] });
    const client = await dial(proxy);
    for (let i = 0; i < 3; i++) expect((await ask(client, GET)).body).toBe('ok');
    expect(seen.map((request) => request.get('x-forwarded-proto'))).toEqual(['https', 'https', 'https']);
  });

  test('passes a large body to a slow reader', async () => {
    const large = 'z'.repeat(16 << 20);
    const origin = await backend(async (wire) => {
      await head(wire);
      wire.say(`HTTP/1.1 200 OK\r\ncontent-length: ${large.length}\r\n\r\n${large}`);
    });
    const proxy = await secured({ old: [origin] });
    const client = await dial(proxy, GET);
    client.socket.on('data', () => {
      client.socket.pause();
      setImmediate(() => client.socket.resume());
    });
    expect((await message(client)).body).toHaveLength(large.length);
  });

  test('a broken close-delimited answer to HTTP/1.0 ends that connection and not the worker', async () => {
    const origin = await backend(async (wire) => {
      await head(wire);
      wire.say('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n');
      wire.socket.end();
    });
    const proxy = await secured({ old: [origin] });
    const client = await dial(proxy, 'GET / HTTP/1.0\r\nHost: a\r\n\r\n');
    expect(await client.isClosed()).not.toContain('chunked');
    expect(await head(await dial(proxy, GET))).toMatch(/^HTTP\/1\.1 200 /);
  });

  test('a client that speaks something else is dropped, and the next is served', async () => {
    const proxy = await secured({ old: [await answering(OK)] });
    const confused = await connect(proxy, GET);
    await confused.isClosed();
    expect((await ask(await dial(proxy), GET)).body).toBe('ok');
  });

  test('a client that leaves in the middle of the handshake leaves nothing behind', async () => {
    const proxy = await secured({ old: [await answering(OK)] });
    const leaving = await connect(proxy, '\x16\x03\x01');
    leaving.socket.resetAndDestroy();
    expect((await ask(await dial(proxy), GET)).body).toBe('ok');
  });
});

function spec(tls: object): { backends: BackendSpec[] } {
  return { backends: ['old', 'new'].map((name) => ({ name, connections: 0, tls: { insecure: false, ...tls } })) };
}

describe('a backend with a certificate', () => {
  test('is verified against the CA given', async () => {
    const proxy = await plane({ old: [await securedBackend()], table: spec({ ca: certificate }) });
    const client = await connect(proxy);
    for (let i = 0; i < 2; i++) expect((await ask(client, GET)).body).toBe('ok');
  });

  test.each([
    ['by nobody known', {}],
    ['for another name', { ca: certificate, serverName: 'elsewhere.example' }],
  ])('is refused when it is signed %s', async (_how, tls) => {
    const proxy = await plane({ old: [await securedBackend()], table: spec(tls) });
    const answer = await ask(await connect(proxy), GET);
    expect(answer.status).toBe(502);
    expect(answer.body).not.toContain('127.0.0.1');
    expect(proxy.count(AT_FAULTS + FAULT_KINDS.indexOf('tlsFailed'))).toBe(1);
  });

  test('is taken as it is when told so', async () => {
    const proxy = await plane({ old: [await securedBackend()], table: spec({ insecure: true }) });
    expect((await ask(await connect(proxy), GET)).body).toBe('ok');
  });

  test('that does not speak TLS is a 502', async () => {
    const origin = await backend(async (wire) => {
      await until('something', () => wire.received !== '');
      wire.say('HTTP/1.1 400 Bad Request\r\n\r\n');
    });
    const proxy = await plane({ old: [origin], table: spec({ ca: certificate }) });
    expect((await ask(await connect(proxy), GET)).status).toBe(502);
  });
});

/** The next table, with other TLS files on the same listener; what the worker says of it. */
async function renew(proxy: Plane, generation: number, tls: ListenerTls) {
  const listeners = proxy.table.listeners.map((listener) => ({ ...listener, tls }));
  proxy.service.onMessage({ ...proxy.table, generation, listeners });
  proxy.service.onMessage({ kind: 'weights', generation, revision: generation, held: [], weights: [[0, 0, 0]] });
  return until('the listeners', () =>
    proxy.messages.find((told) => told.kind === 'listening' && told.generation === generation),
  );
}

describe('a certificate that is renewed', () => {
  const renewed = fixture('renewed.crt');
  const other = shows(renewed, fixture('renewed.key'));

  /** Serial number of what a new client is shown. */
  async function shown(proxy: Plane): Promise<string> {
    const socket = dialTls({ port: proxy.port, host: '127.0.0.1', ca: [certificate, renewed] });
    onTestFinished(() => void socket.destroy());
    await new Promise<void>((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
    return socket.getPeerCertificate().serialNumber;
  }

  test('is shown to new clients, and those that are there stay', async () => {
    const proxy = await secured();
    const client = await dial(proxy);
    const before = await shown(proxy);
    expect(await renew(proxy, 2, other)).toMatchObject({ failure: null });
    expect(await shown(proxy)).not.toBe(before);
    client.say(GET);
    expect((await message(client)).status).toBe(503);
    expect(client.closed).toBe(false);
  });

  test('with a key of another one ended the worker', async () => {
    const proxy = await secured();
    const before = await shown(proxy);
    const told = await renew(proxy, 2, shows(renewed, key));
    expect(told).toMatchObject({ failure: { address: proxy.table.listeners[0]?.address } });
    expect(await shown(proxy)).toBe(before);
    expect(await renew(proxy, 3, other)).toMatchObject({ failure: null });
    expect(await shown(proxy)).not.toBe(before);
  });
});

/** Whether a second proxy resumes the session that the first began. */
async function resumes(first: Plane, second: Plane, version: 'TLSv1.2' | 'TLSv1.3'): Promise<boolean> {
  const options = { host: '127.0.0.1', ca: certificate, minVersion: version, maxVersion: version };
  const before = dialTls({ ...options, port: first.port });
  onTestFinished(() => void before.destroy());
  before.resume();
  const session = await new Promise<Buffer>((resolve, reject) => before.once('session', resolve).once('error', reject));
  const after = dialTls({ ...options, port: second.port, session });
  onTestFinished(() => void after.destroy());
  await new Promise<void>((resolve, reject) => after.once('secureConnect', resolve).once('error', reject));
  return after.isSessionReused();
}

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('a session of %s', (version) => {
  test('is resumed by another worker with the same keys, after a renewal too', async () => {
    const [first, second] = [await secured(), await secured()];
    expect(await resumes(first, second, version)).toBe(true);
    await renew(second, 2, shows(certificate, key));
    expect(await resumes(first, second, version)).toBe(true);
  });

  test('is begun anew where the keys are others', async () => {
    const other = await secured({ table: { ticketKeys: new Uint8Array(48).fill(8) } });
    expect(await resumes(await secured(), other, version)).toBe(false);
  });
});
