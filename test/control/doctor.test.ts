/** The doctor's sample of a gRPC route, from real servers of HTTP/2. */
import { createServer, type Http2Server, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { sampleGrpc } from '../../src/control/sampling.ts';
import { compareSides, type Sample, type SideExamination } from '../../src/domain/doctor.ts';
import type { Endpoint } from '../../src/domain/snapshot.ts';

const servers: { readonly server: Http2Server; readonly sessions: Set<ServerHttp2Session> }[] = [];
afterEach(async () => {
  for (const { server, sessions } of servers.splice(0)) {
    for (const session of sessions) session.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
});

interface Heard {
  readonly path: string | undefined;
  readonly tier: string | string[] | undefined;
  readonly body: string;
}

/** Answers calls with this gRPC status: `trailers` after a message, or all in the head. */
async function serving(grpcStatus: string | null, heard: Heard[] = []): Promise<Endpoint> {
  const server = createServer();
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => sessions.add(session));
  server.on('stream', (stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      heard.push({ path: headers[':path'], tier: headers['x-tier'], body: Buffer.concat(chunks).toString('hex') });
      const fields = { ':status': 200, 'content-type': 'application/grpc' };
      if (grpcStatus === null) stream.respond(fields, { endStream: true });
      else if (grpcStatus !== '0') stream.respond({ ...fields, 'grpc-status': grpcStatus }, { endStream: true });
      else {
        stream.respond(fields, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
        stream.end(Buffer.from([0, 0, 0, 0, 2, 8, 1]));
      }
    });
  });
  servers.push({ server, sessions });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

const BACKEND = { name: 'playlist', connections: 0, protocol: 'h2' } as const;
const CALL = { service: 'pl', headers: { 'x-tier': 'gold' } };
const side = (sample: Sample): SideExamination => ({
  backend: 'playlist',
  endpoints: 1,
  alarm: null,
  tried: 1,
  unreachable: [],
  configured: 'h2',
  protocols: ['h2'],
  tls: null,
  sample,
  noSample: null,
});

test('is the health of its service, with the status of its trailers', async () => {
  const heard: Heard[] = [];
  const sample = await sampleGrpc(await serving('0', heard), BACKEND, CALL);
  expect(sample).toMatchObject({ status: 200, grpcStatus: 0, contentType: 'application/grpc' });
  expect(sample.latencyMs).toBeGreaterThan(0);
  // HealthCheckRequest { service: "pl" }, behind its prefix of five bytes.
  expect(heard[0]).toEqual({ path: '/grpc.health.v1.Health/Check', tier: 'gold', body: '00000000040a02706c' });
});

function words(old: Sample, next: Sample): string[] {
  return compareSides(side(old), side(next), 0)
    .filter(({ text }) => text.includes('gRPC status'))
    .map(({ severity, text }) => `${severity}: ${text}`);
}

test('that old answers and new does not breaks; where neither knows it, nothing differs', async () => {
  const ok = await sampleGrpc(await serving('0'), BACKEND, CALL);
  const unknown = await sampleGrpc(await serving('12'), BACKEND, CALL);
  const silent = await sampleGrpc(await serving(null), BACKEND, CALL);
  expect(words(ok, unknown)).toEqual(['breaks: the sample call ends with gRPC status 0 from old and 12 from new']);
  expect(words(ok, silent)).toEqual(['breaks: the sample call ends with gRPC status 0 from old and missing from new']);
  expect(words(unknown, ok)).toEqual(['differs: the sample call ends with gRPC status 12 from old and 0 from new']);
  expect(words(unknown, unknown)).toEqual([]);
});

test('of a server that is not there is refused in words', async () => {
  await expect(sampleGrpc({ host: '127.0.0.1', port: 1 }, BACKEND, CALL)).rejects.toThrow('ECONNREFUSED');
});

test('what new cannot carry of the present traffic is said', () => {
  const sample = { status: 200, fields: [], contentType: null, latencyMs: 1 };
  const lack = "The new side's 2 ready endpoints carry 400 requests a second";
  expect(compareSides(side(sample), side(sample), 0, lack)).toEqual([
    { severity: 'differs', text: `at 100%: ${lack}` },
  ]);
  expect(compareSides(side(sample), side(sample), 0)).toEqual([]);
});
