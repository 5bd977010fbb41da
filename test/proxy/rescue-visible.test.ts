/** Calls that may be made twice, and what clients can be told of a rescue. */
import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { AT_RESCUES } from '../../src/domain/counts.ts';
import { NEW, PPM, type RescuePolicy } from '../../src/domain/route.ts';
import { freePort, type Plane } from './harness.ts';
import { Http2Client } from './http2-client.ts';
import { answering, ask, connect, GET, OK, plane } from './scene.ts';

const RESCUE = { budget: 0.2, toNew: false, bodyBytes: 65_536, safeMethods: ['/shop.v1.Shop/Get'] };
const H2 = {
  backends: [
    { name: 'old', connections: 0, protocol: 'h2' as const },
    { name: 'new', connections: 0, protocol: 'h2' as const },
  ],
};

interface CallBackend {
  readonly port: number;
  /** Bodies of the calls that came. */
  readonly seen: string[];
}

/** @param answer given when the request is whole */
async function callBackend(answer: (stream: ServerHttp2Stream) => void): Promise<CallBackend> {
  const seen: string[] = [];
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer();
  server.on('session', (session) => sessions.add(session.on('error', () => {})));
  server.on('stream', (stream) => {
    let body = '';
    stream.on('error', () => {});
    stream.setEncoding('latin1').on('data', (text: string) => (body += text));
    stream.on('end', () => {
      seen.push(body);
      answer(stream);
    });
  });
  onTestFinished(() => {
    server.close();
    for (const session of sessions) session.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, seen };
}

function unavailable(stream: ServerHttp2Stream): void {
  const fields = { 'content-type': 'application/grpc', 'grpc-status': '14', 'grpc-message': 'full' };
  stream.respond({ ':status': 200, ...fields }, { endStream: true });
}

function fine(stream: ServerHttp2Stream): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end('answer');
}

const call = (method: string) => ({
  ':method': 'POST',
  ':path': `/shop.v1.Shop/${method}`,
  'content-type': 'application/grpc',
  te: 'trailers',
});

/** All requests are drawn to new. */
function planeOf(old: CallBackend, fresh: CallBackend, rescue: RescuePolicy = RESCUE): Promise<Plane> {
  return plane({ old: [old.port], new: [fresh.port], weightPpm: PPM, table: H2, route: { rescue } });
}

async function calls(proxy: Plane, method: string) {
  const made = new Http2Client(`http://127.0.0.1:${proxy.port}`).open(call(method), false);
  made.stream.end('question');
  return made.answer();
}

test('a call of a safe method that a backend is not available for is made at another one', async () => {
  const [full, well] = [await callBackend(unavailable), await callBackend(fine)];
  const proxy = await planeOf(well, full, { ...RESCUE, responseField: 'x-rescued' });
  const answer = await calls(proxy, 'Get');
  expect(answer).toMatchObject({ status: 200, body: 'answer', trailers: { 'grpc-status': '0' } });
  expect(answer.head['x-rescued']).toBe('new grpcStatus');
  expect([full.seen, well.seen]).toEqual([['question'], ['question']]);
  expect(proxy.count(AT_RESCUES, NEW)).toBe(1);
});

test('one of any other method is not: the client is told what the backend said', async () => {
  const [full, well] = [await callBackend(unavailable), await callBackend(fine)];
  const proxy = await planeOf(well, full);
  expect((await calls(proxy, 'Buy')).head).toMatchObject({ 'grpc-status': '14', 'grpc-message': 'full' });
  expect([full.seen, well.seen]).toEqual([['question'], []]);
});

test('when nobody else is there, the client of a safe method is told the same', async () => {
  const full = await callBackend(unavailable);
  const proxy = await plane({ old: [full.port], table: H2, route: { rescue: RESCUE } });
  expect((await calls(proxy, 'Get')).head).toMatchObject({ 'grpc-status': '14', 'grpc-message': 'full' });
  expect(full.seen).toEqual(['question']);
});

test('a safe method whose connection ends without an answer is called again, another is not', async () => {
  const dying = await callBackend((stream) => stream.session?.destroy());
  const well = await callBackend(fine);
  const proxy = await planeOf(well, dying);
  expect(await calls(proxy, 'Get')).toMatchObject({ body: 'answer' });
  expect((await calls(proxy, 'Buy')).head).toMatchObject({ 'grpc-status': '14' });
  expect(well.seen).toEqual(['question']);
});

test('clients are told what they were rescued from only where that is wished for', async () => {
  const ends = { old: [await answering(OK)], new: [await freePort()], weightPpm: PPM };
  const silent = await plane({ ...ends, route: { rescue: { ...RESCUE, safeMethods: [] } } });
  expect((await ask(await connect(silent), GET)).get('x-rescued')).toBeUndefined();
  const telling = await plane({ ...ends, route: { rescue: { ...RESCUE, responseField: 'x-rescued' } } });
  const client = await connect(telling);
  expect((await ask(client, GET)).get('x-rescued')).toBe('new connectRefused');
  telling.weight(0, 2);
  expect((await ask(client, GET)).get('x-rescued')).toBeUndefined();
});
