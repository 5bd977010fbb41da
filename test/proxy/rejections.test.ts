import { afterEach, expect, test } from 'vitest';
import { AT_REJECTIONS } from '../../src/domain/counts.ts';
import { REJECTIONS } from '../../src/domain/errors.ts';
import { Plane, type PlaneOptions, ScriptedBackend, until } from './harness.ts';

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

const LIMITS = {
  headBytes: 400,
  fields: 5,
  targetBytes: 40,
  bodyBytes: 10,
  connections: 2,
  connectionsPerClient: 0,
  concurrentStreams: 1,
  workerMemoryBytes: 0,
};

/** Each limit that a client can run into: what it does, and how much time passes. */
const CASES: [reason: (typeof REJECTIONS)[number], sent: string, skipMs: number][] = [
  ['badRequest', 'GET / HTTP/1.1\r\nHost : x\r\n\r\n', 0],
  ['versionUnsupported', 'GET / HTTP/2.0\r\nHost: x\r\n\r\n', 0],
  ['methodUnsupported', 'CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n', 0],
  ['targetTooLong', `GET /${'a'.repeat(50)} HTTP/1.1\r\nHost: x\r\n\r\n`, 0],
  ['headTooLarge', `GET / HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(500)}\r\n\r\n`, 0],
  ['headTooLarge', `GET / HTTP/1.1\r\nHost: x\r\n${'A: a\r\n'.repeat(6)}\r\n`, 0],
  ['bodyTooLarge', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n', 0],
  ['bodyTooLarge', 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n12345678901\r\n', 0],
  ['requestHeadTimeout', 'GET / HTTP/1.1\r\nHo', 10_000],
  ['requestBodyTimeout', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc', 10_000],
  ['idle', '', 60_000],
];

async function started(options: Partial<PlaneOptions>): Promise<Plane> {
  const origin = await new ScriptedBackend().listen();
  stops.push(() => origin.close());
  const proxy = await Plane.start({ old: [origin.port], ...options });
  stops.push(() => proxy.stop());
  return proxy;
}

const count = (proxy: Plane, reason: (typeof REJECTIONS)[number]): number =>
  proxy.count(AT_REJECTIONS + REJECTIONS.indexOf(reason), 0, 1);

test.each(CASES)('%s is counted under its name: %j', async (reason, sent, skipMs) => {
  // Where time passes: short, for when the skip comes before the proxy has taken the connection, as it mostly does.
  const short = skipMs > 0 ? { table: { limits: LIMITS, requestHeadMs: 300 }, timeouts: { idleMs: 300 } } : undefined;
  const proxy = await started(short ?? { table: { limits: LIMITS } });
  const client = await proxy.connect();
  client.say(sent);
  // Skipped once: if the proxy reads what was sent only afterwards, the time-out comes in real time, for the same reason.
  proxy.skip(skipMs);
  await until('the end of the connection', () => client.closed || client.ended);
  await client.isClosed();
  expect(REJECTIONS.filter((other) => count(proxy, other) > 0)).toEqual([reason]);
  expect(count(proxy, reason)).toBe(1);
});

test('a connection beyond the limit is told so and counted', async () => {
  const proxy = await started({ table: { limits: LIMITS } });
  await proxy.connect();
  await proxy.connect();
  const third = await proxy.connect();
  expect(await third.isClosed()).toMatch(/^HTTP\/1\.1 503 [^]*retry-after: 1\r\n/);
  expect(count(proxy, 'tooManyConnections')).toBe(1);
});
