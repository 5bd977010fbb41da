/** A client of HTTP/2 that ends its sending side with streams under way: it may wait for its answers, or be gone. */
import { connect as connectTls } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { AT_ATTEMPTS } from '../../src/domain/counts.ts';
import { data, describeFrame, get, PREFACE, parseFrames, post, settings } from '../http2/frames.ts';
import { type Plane, ScriptedBackend, shows, until, Wire } from './harness.ts';
import { backend, connect, inflight, OK, ok, plane } from './scene.ts';
import { certificate, key } from './secured-backends.ts';

/** Stream 1, asked in full, has its answer; stream 3, cut in its body, is cancelled. */
const FIRST_ANSWERED = ['RST_STREAM 3 CANCEL', 'GOAWAY 3 NO_ERROR', 'HEADERS 1', 'DATA 1 2 end', 'GOAWAY 3 NO_ERROR'];

/** Frames that say what became of streams and the connection. */
function frames(wire: Wire): string[] {
  return parseFrames(Buffer.from(wire.received, 'latin1'))
    .map(describeFrame)
    .filter((text) => /^(?:HEADERS|DATA|RST_STREAM|GOAWAY)/.test(text));
}

async function say(proxy: Plane, ...pieces: readonly Buffer[]): Promise<Wire> {
  const wire = await connect(proxy);
  wire.socket.write(Buffer.concat([PREFACE, settings(), ...pieces]));
  return wire;
}

test('what was asked in full is answered, and then the connection ends', async () => {
  const origin = await backend();
  const proxy = await plane({ old: [origin] });
  const wire = await say(proxy, get(1), get(3));
  wire.socket.end();
  await until('GOAWAY', () => frames(wire).includes('GOAWAY 3 NO_ERROR'));
  for (const n of [0, 1]) (await origin.asked(n)).say(OK);
  await wire.isClosed();
  expect(frames(wire).toSorted()).toEqual(
    ['HEADERS 1', 'DATA 1 2 end', 'HEADERS 3', 'DATA 3 2 end', 'GOAWAY 3 NO_ERROR', 'GOAWAY 3 NO_ERROR'].toSorted(),
  );
  await until('the close', () => wire.closed);
});

test('a request that is not whole is cancelled, and the one beside it answered', async () => {
  const origin = await backend();
  const proxy = await plane({ old: [origin] });
  const wire = await say(proxy, get(1), post(3), data(3, 0, 'half'));
  const whole = await origin.asked(0);
  const half = await origin.asked(1);
  wire.socket.end();
  await half.isClosed();
  whole.say(OK);
  await wire.isClosed();
  expect(frames(wire)).toEqual(FIRST_ANSWERED);
  // Cancelled by its client, which is nobody's fault.
  await until('its count', () => proxy.count(AT_ATTEMPTS + 3) === 1);
  expect(proxy.count(AT_ATTEMPTS + 1)).toBe(0);
});

test('an answer goes as far as the windows, which nobody can widen any more', async () => {
  const origin = await backend();
  const proxy = await plane({ old: [origin], timeouts: { idleMs: 0 }, table: { idleMs: 0 } });
  const wire = await connect(proxy);
  wire.socket.write(Buffer.concat([PREFACE, settings([4, 10]), get(1)]));
  const asked = await origin.asked();
  wire.socket.end();
  await until('GOAWAY', () => frames(wire).length > 0);
  asked.say(ok('more than ten bytes'));
  await wire.isClosed();
  expect(frames(wire)).toEqual([
    'GOAWAY 1 NO_ERROR',
    'HEADERS 1',
    'DATA 1 10',
    'RST_STREAM 1 CANCEL',
    'GOAWAY 1 NO_ERROR',
  ]);
});

test('a client that has closed its connection altogether has its request abandoned', async () => {
  const origin = await backend();
  const proxy = await plane({ old: [origin] });
  const wire = await say(proxy, get(1));
  const asked = await origin.asked();
  await until('settings', () => wire.received !== '');
  wire.socket.destroy();
  await asked.isClosed();
  await until('its count', () => proxy.count(AT_ATTEMPTS + 3) === 1);
});

test('without a stream the connection ends at once', async () => {
  const proxy = await plane();
  const wire = await say(proxy);
  await until('settings', () => wire.received !== '');
  wire.socket.end();
  await until('the close', () => wire.closed);
  expect(frames(wire)).toEqual([]);
});

test('the same behind TLS', async () => {
  const origin = await backend();
  const proxy = await plane({ old: [origin], tls: shows(certificate, key) });
  const socket = connectTls({
    port: proxy.port,
    host: '127.0.0.1',
    rejectUnauthorized: false,
    ALPNProtocols: ['h2'],
    allowHalfOpen: true,
  } as object);
  onTestFinished(() => void socket.destroy());
  const wire = new Wire(socket);
  socket.end(Buffer.concat([PREFACE, settings(), get(1), post(3)]));
  (await origin.asked(0)).say(OK);
  await wire.isClosed();
  expect(frames(wire)).toEqual(FIRST_ANSWERED);
});

test.each([
  ['regression: answers that had not left yet were lost when their client ended its sending side behind them', 60_000],
  ['regression: without a time-out for idle clients they were lost a second later', 0],
])('%s', async (_name, idleMs) => {
  const count = 600;
  // Heads that no window holds up, and no table of fields keeps: more than the kernels take for a client that does not read.
  const origin = await ScriptedBackend.answering('', `x-large: ${'~'.repeat(15_000)}\r\n`).listen();
  onTestFinished(() => origin.close());
  const proxy = await plane({ old: [origin], table: { idleMs } });
  const wire = await say(proxy);
  await until('settings', () => wire.received !== '');
  wire.socket.pause();
  for (let n = 0; n < count; n++) wire.socket.write(get(2 * n + 1));
  await until('all answers', () => proxy.count(AT_ATTEMPTS) === count && inflight(proxy) === 0);
  wire.socket.end();
  for (const ms of [1, 1_500]) await proxy.pass(ms);
  wire.socket.resume();
  await wire.isClosed();
  expect(frames(wire).filter((text) => text.startsWith('HEADERS'))).toHaveLength(count);
});
