import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Output } from '../../src/proxy/output.ts';
import { outputTo } from '../../src/proxy/outputs.ts';
import { SocketOutput } from '../../src/proxy/socket-output.ts';
import { Plane, ScriptedBackend, until, Wire } from './harness.ts';
import { SECURED, securedPair, type Version } from './secured-pair.ts';

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

/** Both ends of a connection. */
async function pair(): Promise<{ near: Socket; far: Wire; carrier: Socket }> {
  const server = createServer({ allowHalfOpen: true });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const near = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' });
  const connected = new Promise((resolve) => near.once('connect', resolve));
  near.on('error', () => undefined);
  const far = new Wire(await accepted);
  await connected;
  server.close();
  stops.push(
    () => near.destroy(),
    () => far.socket.destroy(),
  );
  return { near, far, carrier: far.socket };
}

/** More than any of the kernel's buffers takes at once. */
const LARGE = 16 << 20;

function pattern(length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 255));
}

/** Ways in which bytes get out: by the socket's handle, and by its stream where there is no handle to be had. */
describe.each<[string, boolean, Version | null]>([
  ['by the handle', true, null],
  ['by the stream', false, null],
  ...SECURED.flatMap((version): [string, boolean, Version][] => [
    [`over ${version} by the handle`, true, version],
    [`over ${version} by the stream`, false, version],
  ]),
])('%s', (_name, byHandle, version) => {
  let near: Socket;
  let far: Wire;
  let carrier: Socket;
  let output: Output;
  let drains = 0;
  beforeEach(async () => {
    ({ near, far, carrier } = version === null ? await pair() : await securedPair(version));
    drains = 0;
    output = outputTo(
      near,
      () => drains++,
      () => near.destroy(),
    );
    if (byHandle) output.useHandle();
  });

  test('small writes leave at once, in order, every byte as it is', async () => {
    const all = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte)).join('');
    expect(output.text(all)).toBe(true);
    output.bytes(Buffer.from('two,'));
    output.textAndBytes('thr\xe9e,', Buffer.from([0, 255]));
    output.text('');
    output.text('END');
    expect(await far.sees('END')).toBe(`${all}two,thr\xe9e,\x00\xffEND`);
    await until('nothing to wait', () => output.isEmpty);
    expect(output.isFlowing).toBe(true);
    expect(near.destroyed).toBe(false);
  });

  test('a write larger than the kernel takes says so, keeps the order, and tells once when all has left', async () => {
    far.socket.pause();
    const bytes = pattern(LARGE);
    expect(output.text('head ')).toBe(true);
    expect(output.bytes(bytes)).toBe(false);
    expect([output.isEmpty, output.isFlowing]).toEqual([false, false]);
    expect(output.text('text ')).toBe(false);
    expect(output.textAndBytes('both ', Buffer.from('bytes '))).toBe(false);
    expect(output.text('END')).toBe(false);
    expect(drains).toBe(0);
    far.socket.resume();
    await until('the end', () => far.received.length >= LARGE + 24);
    expect(far.received.slice(0, 5)).toBe('head ');
    expect(Buffer.compare(Buffer.from(far.received.slice(5, 5 + LARGE), 'latin1'), bytes)).toBe(0);
    expect(far.received.slice(5 + LARGE)).toBe('text both bytes END');
    await until('the drain', () => drains > 0);
    expect([drains, output.isEmpty, output.isFlowing]).toEqual([1, true, true]);
    expect(output.text('again')).toBe(true);
  });

  test('large texts and pairs arrive whole', async () => {
    const text = 'x'.repeat(LARGE / 4);
    output.text(text);
    output.textAndBytes(`${text}|`, pattern(LARGE / 4));
    await until('all of it', () => far.received.length === LARGE / 4 + LARGE / 4 + 1 + LARGE / 4);
    expect(far.received.startsWith(`${text}${text}|`)).toBe(true);
  });

  test('what waits to leave does so before the end', async () => {
    far.socket.pause();
    output.bytes(pattern(LARGE));
    output.text('END');
    output.end();
    far.socket.resume();
    await until('the end', () => far.ended);
    expect(far.received.length).toBe(LARGE + 3);
    expect(far.received.endsWith('END')).toBe(true);
  });

  test('a peer that is gone ends the socket, and writes after that do nothing', async () => {
    carrier.resetAndDestroy();
    await until('the end', () => {
      output.text('x');
      return near.closed;
    });
    expect(output.text('y')).toBe(false);
    output.bytes(Buffer.from('y'));
    output.textAndBytes('y', Buffer.from('y'));
    output.reset();
    expect(drains).toBe(0);
  });

  // With TLS it is one without a farewell, of which Node does not tell.
  test.runIf(version === null)('a reset is no end', async () => {
    output.text('some');
    await far.sees('some');
    output.reset();
    await until('the end', () => far.closed);
    expect([far.ended, far.error]).toEqual([false, 'ECONNRESET']);
  });

  test('a reset waits for nothing', async () => {
    far.socket.pause();
    output.bytes(pattern(LARGE));
    output.reset();
    await until('the end of our side', () => near.closed);
    far.socket.resume();
    await until('the end', () => far.closed || far.ended);
    expect(far.received.length).toBeLessThan(LARGE);
  });
});

test('what was written while still connecting leaves before what is written to the handle', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(() => server.close());
  const accepted = new Promise<Wire>((resolve) => {
    server.once('connection', (socket) => resolve(new Wire(socket)));
  });
  const socket = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' });
  stops.push(() => socket.destroy());
  const output = new SocketOutput(
    socket,
    () => undefined,
    () => socket.destroy(),
  );
  const early = pattern(LARGE);
  output.text('first ');
  output.bytes(early);
  await new Promise<void>((resolve) => {
    socket.once('connect', () => {
      output.useHandle();
      output.text(' second');
      output.bytes(Buffer.from(' third'));
      resolve();
    });
  });
  const far = await accepted;
  await until('all of it', () => far.received.length >= LARGE + 19);
  expect(far.received.slice(0, 6)).toBe('first ');
  expect(far.received.slice(6 + LARGE)).toBe(' second third');
});

test('without Node’s binding, writes go by the stream', async () => {
  vi.resetModules();
  const holder = process as unknown as { binding: unknown };
  const { binding } = holder;
  holder.binding = () => {
    throw new Error('no such module');
  };
  stops.push(() => {
    holder.binding = binding;
  });
  const { SocketOutput: Fallback } = await import('../../src/proxy/socket-output.ts');
  expect(Fallback).not.toBe(SocketOutput);
  const { near, far } = await pair();
  let drains = 0;
  const output = new Fallback(
    near,
    () => drains++,
    () => near.destroy(),
  );
  output.useHandle();
  far.socket.pause();
  expect(output.textAndBytes('head ', pattern(LARGE))).toBe(false);
  output.text('END');
  far.socket.resume();
  await until('all of it', () => far.received.length === LARGE + 8);
  expect(far.received.endsWith('END')).toBe(true);
  await until('the drain', () => drains > 0);
  expect(output.isEmpty).toBe(true);
});

test('a reset behind a body that ends with its connection was taken for the body’s end', async () => {
  const origin = await new ScriptedBackend((wire) => {
    wire.socket.once('data', () => {
      wire.socket.write(`HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(100_000)}`, () => wire.socket.resetAndDestroy());
    });
  }).listen();
  stops.push(() => origin.close());
  const proxy = await Plane.start({ old: [origin.port] });
  stops.push(() => proxy.stop());
  for (let i = 0; i < 20; i++) {
    const client = await proxy.connect();
    client.say('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.isClosed();
    expect(client.received).not.toMatch(/\r\n0\r\n\r\n$/);
  }
});
