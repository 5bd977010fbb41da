/** Backends that speak HTTP/2 over TLS: who is believed, by which name, and what is refused. */
import { readFileSync } from 'node:fs';
import { createSecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { AT_FAULTS } from '../../src/domain/counts.ts';
import { FAULT_KINDS } from '../../src/domain/errors.ts';
import type { BackendSpec } from '../../src/seam.ts';
import { ask, connect, GET, OK, plane } from './scene.ts';

const fixture = (name: string): string => readFileSync(new URL(`../fixtures/tls/${name}`, import.meta.url), 'utf8');
const certificate = fixture('localhost.crt');
const key = fixture('localhost.key');

function table(tls: object): { backends: BackendSpec[] } {
  return {
    backends: ['old', 'new'].map((name) => ({
      name,
      connections: 0,
      protocol: 'h2',
      tls: { insecure: false, ...tls },
    })),
  };
}

/** A backend that answers with the name it was asked by, and counts its sessions and requests. */
async function securedBackend() {
  const seen = { port: 0, sessions: 0, schemes: [] as unknown[] };
  const sessions = new Set<{ destroy(): void }>();
  const server = createSecureServer({ cert: certificate, key });
  server.on('session', (session) => {
    sessions.add(session);
    seen.sessions++;
  });
  server.on('sessionError', () => undefined);
  server.on('tlsClientError', () => undefined);
  server.on('stream', (stream, fields) => {
    stream.on('error', () => undefined);
    seen.schemes.push(fields[':scheme']);
    stream.respond({ ':status': 200 });
    const socket = stream.session?.socket as (TLSSocket & { servername: string | false }) | undefined;
    stream.end(String(socket?.servername));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  seen.port = (server.address() as AddressInfo).port;
  return seen;
}

describe('a backend that speaks HTTP/2 over TLS', () => {
  test('is verified against the CA given, asked by the name set, and keeps its session', async () => {
    const origin = await securedBackend();
    const proxy = await plane({ old: [origin.port], table: table({ ca: certificate, serverName: 'localhost' }) });
    const client = await connect(proxy);
    for (let i = 0; i < 3; i++) expect((await ask(client, GET)).body).toBe('localhost');
    expect(origin.schemes).toEqual(['https', 'https', 'https']);
    expect(origin.sessions).toBe(1);
  });

  test.each([
    ['by nobody known', {}],
    ['for another name', { ca: certificate, serverName: 'elsewhere.example' }],
  ])('is refused when its certificate is signed %s, and sees no request', async (_how, tls) => {
    const origin = await securedBackend();
    const proxy = await plane({ old: [origin.port], table: table(tls) });
    expect((await ask(await connect(proxy), GET)).status).toBe(502);
    expect(proxy.count(AT_FAULTS + FAULT_KINDS.indexOf('tlsFailed'))).toBe(1);
    expect(origin.schemes).toEqual([]);
  });

  test('is taken as it is when told so', async () => {
    const origin = await securedBackend();
    const proxy = await plane({ old: [origin.port], table: table({ insecure: true }) });
    expect((await ask(await connect(proxy), GET)).status).toBe(200);
  });

  test('that speaks HTTP/1.1 alone is a 502, and sees no request', async () => {
    let bytes = 0;
    const sockets: TLSSocket[] = [];
    const server = createTlsServer({ cert: certificate, key }, (socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      socket.on('data', (more: Buffer) => {
        bytes += more.length;
        socket.write(OK);
      });
    });
    server.on('tlsClientError', () => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    const proxy = await plane({ old: [(server.address() as AddressInfo).port], table: table({ ca: certificate }) });
    expect((await ask(await connect(proxy), GET)).status).toBe(502);
    expect(bytes).toBe(0);
  });
});
