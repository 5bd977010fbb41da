/** What is written arrives, whichever way it goes: by handles, and by the stream where there is no handle to be had. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Output } from '../../src/proxy/output.ts';
import { SecuredOutput } from '../../src/proxy/secured-output.ts';
import { CHANNELS, channelOf } from './channels.ts';
import { Plane, ScriptedBackend, until, type Wire } from './harness.ts';
import { pattern } from './pattern.ts';
import { SECURED, securedPair } from './secured-pair.ts';

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

/** More than any of the kernel's buffers takes at once. */
const LARGE = 16 << 20;

interface Way {
  readonly output: Output;
  readonly far: Wire;
  readonly carrier: { resetAndDestroy(): unknown };
  readonly isClosed: () => boolean;
  readonly drains: () => number;
}

const WAYS: { name: string; isTcp: boolean; make: () => Promise<Way> }[] = [
  ...CHANNELS.map(({ name, isTcp, make }) => ({
    name,
    isTcp,
    make: async () => {
      const { channel, sink, far, carrier } = await channelOf(make);
      sink.onBroken = () => channel.destroy();
      channel.start();
      return { output: channel.output, far, carrier, isClosed: () => sink.isClosed, drains: () => sink.drains };
    },
  })),
  ...SECURED.slice(-1).map((version) => ({
    name: `over ${version} without its handle`,
    isTcp: false,
    make: async () => {
      const { near, far, carrier } = await securedPair(version);
      let drains = 0;
      const output = new SecuredOutput(
        near,
        () => drains++,
        () => near.destroy(),
      );
      return { output, far, carrier, isClosed: () => near.closed, drains: () => drains };
    },
  })),
];

describe.each(WAYS)('$name', ({ isTcp, make }) => {
  let output: Output;
  let far: Wire;
  let carrier: Way['carrier'];
  let isClosed: () => boolean;
  let drains: () => number;
  beforeEach(async () => {
    ({ output, far, carrier, isClosed, drains } = await make());
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
    expect(isClosed()).toBe(false);
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
    expect(drains()).toBe(0);
    far.socket.resume();
    await until('the end', () => far.received.length >= LARGE + 24);
    expect(far.received.slice(0, 5)).toBe('head ');
    expect(Buffer.compare(Buffer.from(far.received.slice(5, 5 + LARGE), 'latin1'), bytes)).toBe(0);
    expect(far.received.slice(5 + LARGE)).toBe('text both bytes END');
    await until('the drain', () => drains() > 0);
    expect([drains(), output.isEmpty, output.isFlowing]).toEqual([1, true, true]);
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
      return isClosed();
    });
    expect(output.text('y')).toBe(false);
    output.bytes(Buffer.from('y'));
    output.textAndBytes('y', Buffer.from('y'));
    output.reset();
    expect(drains()).toBe(0);
  });

  // With TLS it is one without a farewell, of which Node does not tell.
  test.runIf(isTcp)('a reset is no end', async () => {
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
    await until('the end of our side', isClosed);
    far.socket.resume();
    await until('the end', () => far.closed || far.ended);
    expect(far.received.length).toBeLessThan(LARGE);
  });
});

test('without Node’s binding, everything goes by sockets and their streams', async () => {
  vi.resetModules();
  const holder = process as unknown as { binding: unknown };
  const { binding } = holder;
  holder.binding = () => {
    throw new Error('no such module');
  };
  stops.push(() => {
    holder.binding = binding;
    vi.resetModules();
  });
  const { Plane: Bare, ScriptedBackend: Backend } = await import('./harness.ts');
  expect((await import('../../src/proxy/stream-binding.ts')).binding).toBeNull();
  const body = pattern(1 << 20).toString('latin1');
  const origin = await new Backend((wire) => {
    wire.socket.once('data', () => {
      wire.socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`, 'latin1');
    });
  }).listen();
  stops.push(() => origin.close());
  const proxy = await Bare.start({ old: [origin.port] });
  stops.push(() => proxy.stop());
  const client = await proxy.connect();
  client.say('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await until('the answer', () => client.received.endsWith(body));
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
