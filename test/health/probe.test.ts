/** Each kind of check against real servers that pass, fail, hang and are not there. */
import { createServer, type Server as HttpServer } from 'node:http';
import { createServer as createHttp2Server, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { CheckKind } from '../../src/domain/health-policy.ts';
import type { ProbeResult } from '../../src/health/check.ts';
import { probe } from '../../src/health/probe.ts';
import { Prober } from '../../src/health/prober.ts';
import { until } from '../supervisor/until.ts';

async function listen(server: Server | HttpServer | Http2Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

function ask(port: number, kind: CheckKind, timeoutMs = 5_000): Promise<ProbeResult> {
  const policy = { ask: kind, intervalMs: 1, timeoutMs, rise: 1, fall: 1, jitter: 0 };
  return probe({ host: '127.0.0.1', port, tls: null }, policy);
}

const HTTP = { kind: 'http', path: '/healthz', host: null, statuses: null } as const;
const TCP = { kind: 'tcp' } as const;

test('http: the status decides; path and Host are as configured', async () => {
  const asked: string[] = [];
  const port = await listen(
    createServer((request, response) => {
      asked.push(`${request.method} ${request.url} ${request.headers.host}`);
      response.writeHead(request.url === '/healthz' ? 204 : 503).end();
    }),
  );
  expect(await ask(port, HTTP)).toEqual({ ok: true });
  expect(await ask(port, { ...HTTP, path: '/x', host: 'app.example' })).toEqual({ ok: false, reason: 'status 503' });
  expect(await ask(port, { ...HTTP, path: '/x', statuses: [503] })).toEqual({ ok: true });
  expect(asked).toEqual([`GET /healthz 127.0.0.1:${port}`, 'GET /x app.example', `GET /x 127.0.0.1:${port}`]);
});

test.each([HTTP, TCP, { kind: 'grpc', service: '' } as const])('$kind: nobody listens', async (kind) => {
  const server = createTcpServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  expect(await ask(port, kind)).toMatchObject({ ok: false, reason: expect.stringContaining('ECONNREFUSED') });
});

test.each([HTTP, { kind: 'grpc', service: '' } as const])('$kind: a server that says nothing is late', async (kind) => {
  const server = createTcpServer((socket) => {
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => undefined);
  });
  const port = await listen(server);
  expect(await ask(port, kind, 50)).toEqual({ ok: false, reason: 'no answer within 50 ms' });
  expect(await ask(port, TCP, 5_000)).toEqual({ ok: true });
});

/** A Health service whose answer is one byte of status, or a gRPC status. */
function healthService(answer: (service: string) => { serving: number } | { grpcStatus: number }): Http2Server {
  const server = createHttp2Server();
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      expect(headers[':path']).toBe('/grpc.health.v1.Health/Check');
      const told = answer(Buffer.concat(chunks).subarray(7).toString());
      if ('grpcStatus' in told) {
        stream.respond({ 'content-type': 'application/grpc', 'grpc-status': told.grpcStatus }, { endStream: true });
        return;
      }
      stream.respond({ 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(told.serving === 0 ? Buffer.from([0, 0, 0, 0, 0]) : Buffer.from([0, 0, 0, 0, 2, 8, told.serving]));
    });
  });
  return server;
}

test('grpc: only SERVING passes, for the service that is named', async () => {
  const known: Record<string, number> = { '': 1, 'a.B': 2, 'a.C': 0 };
  const port = await listen(
    healthService((service) => {
      const serving = known[service];
      return serving === undefined ? { grpcStatus: 5 } : { serving };
    }),
  );
  const service = (name: string): Promise<ProbeResult> => ask(port, { kind: 'grpc', service: name });
  expect(await service('')).toEqual({ ok: true });
  expect(await service('a.B')).toEqual({ ok: false, reason: 'NOT_SERVING' });
  expect(await service('a.C')).toEqual({ ok: false, reason: 'UNKNOWN' });
  expect(await service('x'.repeat(200))).toEqual({ ok: false, reason: 'gRPC status 5' });
});

test('endpoints are asked again and again, new ones at once, those that are gone no more', async () => {
  const asked: string[] = [];
  const prober = new Prober({
    policy: { ask: TCP, intervalMs: 2, timeoutMs: 1, rise: 1, fall: 1, jitter: 0.5 },
    random: Math.random,
    probe: async (key) => {
      asked.push(key);
      return { ok: true };
    },
    onResult: () => undefined,
  });
  prober.follow(['a']);
  await until('a again', () => asked.length > 2);
  prober.follow(['b']);
  asked.length = 0;
  await until('b again', () => asked.length > 2);
  expect(new Set(asked)).toEqual(new Set(['b']));
  prober.close();
});
