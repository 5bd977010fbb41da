/** A worker with little memory left: idle connections go first, then new requests are told to come back, and what runs goes on. */
import { expect, test } from 'vitest';
import { AT_REJECTIONS } from '../../src/domain/counts.ts';
import { REJECTIONS } from '../../src/domain/errors.ts';
import { LIMITS, type Plane, until } from './harness.ts';
import { Http2Client } from './http2-client.ts';
import { answering, ask, backend, connect, GET, message, OK, plane } from './scene.ts';

const LIMIT = 100 * 2 ** 20;
const limited = { table: { limits: { ...LIMITS, workerMemoryBytes: LIMIT } } };
const share = (of: number) => ({ residentBytes: of * LIMIT, usedBytes: of * LIMIT });

const rejections = (proxy: Plane): number => proxy.count(AT_REJECTIONS + REJECTIONS.indexOf('memoryExhausted'), 0, 1);

const GRPC = { ':method': 'POST', ':path': '/a.B/C', 'content-type': 'application/grpc', te: 'trailers' };

test('beyond the limit new requests are told to come back, those under way are finished, and all goes on when it is over', async () => {
  const origin = await backend();
  const proxy = await plane({ old: [origin], ...limited });
  const running = await connect(proxy, GET);
  const wire = await origin.asked();
  const other = new Http2Client(`http://127.0.0.1:${proxy.port}`);
  await proxy.weigh(share(1));
  const refused = await connect(proxy, GET);
  const answer = await message(refused);
  expect([answer.status, answer.get('retry-after'), answer.get('connection')]).toEqual([503, '1', 'close']);
  expect(answer.body).toContain('memoryExhausted');
  expect(await other.ask({ ':path': '/' })).toMatchObject({ status: 503, head: { 'retry-after': '1' } });
  expect(await other.ask(GRPC)).toMatchObject({ status: 200, head: { 'grpc-status': '14' } });
  expect(rejections(proxy)).toBe(3);
  wire.say(OK);
  expect((await message(running)).body).toBe('ok');
  await proxy.weigh(share(0.79));
  wire.take();
  const served = await connect(proxy, GET);
  await wire.sees('GET ');
  wire.say(OK);
  expect((await message(served)).body).toBe('ok');
  const told = proxy.messages.flatMap((sent) => (sent.kind === 'shedding' ? [sent.isShedding] : []));
  expect(told).toEqual([true, false]);
});

test('before that, connections that lie idle are ended without a reset, and requests are served', async () => {
  const proxy = await plane({ old: [await answering(OK)], ...limited });
  const idle = await connect(proxy, GET);
  await message(idle);
  const silent = await connect(proxy);
  const other = new Http2Client(`http://127.0.0.1:${proxy.port}`);
  expect((await other.ask({ ':path': '/' })).status).toBe(200);
  await proxy.pass(2_000);
  await proxy.weigh(share(0.9));
  for (const client of [idle, silent]) expect([await client.isClosed(), client.error]).toEqual(['', '']);
  await until('the end of the other', () => other.closed);
  expect(other.goaways).toBeGreaterThan(0);
  expect(rejections(proxy)).toBe(3);
  expect((await ask(await connect(proxy), GET)).status).toBe(200);
});
