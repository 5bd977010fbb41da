/** What a channel tells, and when, the same in each way in which there are channels. */
import { type AddressInfo, createServer, type Server } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { dial } from '../../src/proxy/dial.ts';
import { TcpChannel } from '../../src/proxy/tcp-channel.ts';
import { CHANNELS, channelOf, Recorder, targetOf } from './channels.ts';
import { until } from './harness.ts';
import { pattern } from './pattern.ts';

/** More than one read brings. */
const BYTES = pattern(8 << 20);

describe.each(CHANNELS)('$name', ({ make, isTcp }) => {
  test('nothing is read before it is started, and then everything, in order, whatever the pauses', async () => {
    const { channel, sink, far } = await channelOf(make);
    far.socket.end(BYTES);
    sink.onReceived = () => {
      channel.pause();
      expect(channel.isPaused).toBe(true);
      setImmediate(() => channel.resume());
    };
    expect(sink.bytes).toBe(0);
    channel.start();
    await until('the end', () => sink.hasEnded);
    expect(sink.all().equals(BYTES)).toBe(true);
    expect(channel.hasPeerEnded).toBe(true);
  });

  test('while paused nothing more is told, and nothing is lost', async () => {
    const { channel, sink, far } = await channelOf(make);
    channel.start();
    far.say('first');
    await until('the first', () => sink.bytes === 5);
    channel.pause();
    channel.pause();
    await new Promise((resolve) => far.socket.write('second', resolve));
    far.socket.end();
    // The peer's end has left, and another connection's bytes come by meanwhile.
    await until('its end', () => far.socket.writableFinished);
    expect([sink.bytes, sink.hasEnded]).toEqual([5, false]);
    channel.resume();
    await until('the end', () => sink.hasEnded);
    expect(sink.all().toString()).toBe('firstsecond');
  });

  test('another may go on with it', async () => {
    const { channel, sink, far } = await channelOf(make);
    channel.start();
    const next = new Recorder();
    sink.onReceived = () => {
      channel.sink = next;
    };
    far.say('one');
    await until('one', () => sink.bytes === 3);
    far.say('two');
    await until('two', () => next.bytes === 3);
    far.socket.end();
    await until('the end', () => next.hasEnded);
    channel.destroy();
    await until('the close', () => next.isClosed);
    expect(sink.told).toEqual([]);
  });

  test('one that may stay half open answers after the peer has ended, and closes when both have', async () => {
    const { channel, sink, far } = await channelOf(make);
    channel.allowsHalfOpen = true;
    channel.start();
    far.socket.end('question');
    await until('the end', () => sink.hasEnded);
    expect(channel.output.text('answer')).toBe(true);
    expect(channel.hasEnded).toBe(false);
    channel.output.end();
    await until('the answer', () => far.received === 'answer' && far.ended);
    await until('the close', () => sink.isClosed);
    expect(channel.hasEnded).toBe(true);
    expect(sink.told).toEqual(['ended', 'closed']);
  });

  test('one that may not ends with its peer', async () => {
    const { channel, sink, far } = await channelOf(make);
    channel.allowsHalfOpen = false;
    channel.start();
    far.socket.end('bye');
    await until('the close', () => sink.isClosed);
    expect(sink.told).toEqual(['ended', 'closed']);
    await until('the other end', () => far.ended);
  });

  test('our end goes first, and what the peer still says is told', async () => {
    const { channel, sink, far } = await channelOf(make);
    channel.allowsHalfOpen = true;
    channel.start();
    channel.output.text('done');
    channel.output.end();
    await until('our end', () => far.ended);
    far.socket.end('noted');
    await until('the close', () => sink.isClosed);
    expect([far.received, sink.all().toString()]).toEqual(['done', 'noted']);
    expect(sink.told).toEqual(['ended', 'closed']);
  });

  test('is destroyed once, tells so later, and does nothing after that', async () => {
    const { channel, sink, far } = await channelOf(make);
    channel.start();
    channel.destroy();
    channel.destroy();
    expect(sink.told).toEqual([]);
    channel.output.end();
    channel.output.reset();
    channel.pause();
    channel.resume();
    channel.keepAlive(60_000);
    expect(channel.isReset()).toBe(true);
    await until('the close', () => sink.isClosed);
    await until('the other end', () => far.closed || far.ended);
    expect(sink.told).toEqual(['closed']);
  });

  test.runIf(isTcp)('a reset by the peer is a failure, and is known as one', async () => {
    const { channel, sink, far, carrier } = await channelOf(make);
    channel.start();
    channel.keepAlive(60_000);
    channel.output.text('hello');
    await far.sees('hello');
    expect([channel.isReset(), channel.wasReset()]).toEqual([false, false]);
    let wasReset = false;
    sink.onFailed = () => {
      wasReset = channel.wasReset();
    };
    carrier.resetAndDestroy();
    await until('the close', () => sink.isClosed);
    expect([...sink.told, wasReset]).toEqual(['ECONNRESET', 'closed', true]);
  });

  test.runIf(isTcp)(
    'a reset while nothing is read is told by nobody, but the channel knows when it is asked',
    async () => {
      const { channel, sink, far, carrier } = await channelOf(make);
      channel.start();
      channel.output.text('hello');
      await far.sees('hello');
      channel.pause();
      carrier.resetAndDestroy();
      await until('the reset', () => channel.isReset());
      expect(sink.told).toEqual([]);
    },
  );
});

/** Ports that nobody listens on. */
async function freedPort(host: string): Promise<number> {
  const server = await listening(host);
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listening(host: string): Promise<Server> {
  const server = createServer((socket) => socket.on('error', () => undefined).resume());
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  onTestFinished(() => void server.close());
  return server;
}

describe('dialling', () => {
  test.each(['127.0.0.1', '::1', 'localhost'])('%s: refused', async (host) => {
    const sink = new Recorder();
    const channel = dial(targetOf(host, await freedPort('127.0.0.1')), ['http/1.1'], sink);
    expect(channel).toBeInstanceOf(TcpChannel);
    expect(sink.told).toEqual([]);
    await until('the close', () => sink.isClosed);
    expect(sink.told).toEqual(['ECONNREFUSED', 'closed']);
  });

  test.each(['127.0.0.1', 'localhost'])('%s: given up before it is made', async (host) => {
    const server = await listening('127.0.0.1');
    const sink = new Recorder();
    const channel = dial(targetOf(host, (server.address() as AddressInfo).port), ['http/1.1'], sink);
    channel.destroy();
    await until('the close', () => sink.isClosed);
    expect(sink.told).toEqual(['closed']);
  });

  test('an address to which there is no way fails later, not at once', async () => {
    const sink = new Recorder();
    dial(targetOf('255.255.255.255', 9), ['http/1.1'], sink);
    expect(sink.told).toEqual([]);
    await until('the close', () => sink.isClosed);
    expect(sink.told).toEqual([expect.stringMatching(/^(ENETUNREACH|EACCES)$/), 'closed']);
  });

  test('a name that nobody knows', async () => {
    const sink = new Recorder();
    dial(targetOf('nobody.invalid', 9), ['http/1.1'], sink);
    await until('the close', () => sink.isClosed);
    expect(sink.told).toEqual([expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/), 'closed']);
  });

  test.each(['127.0.0.1', '::1', 'localhost'])(
    '%s: made, written to and closed a hundred times, all of it arrives',
    async (host) => {
      let bytes = 0;
      let ends = 0;
      const server = createServer((socket) => {
        socket.on('data', ({ length }) => {
          bytes += length;
        });
        socket.on('end', () => ends++);
      });
      await new Promise<void>((resolve) => server.listen(0, host, resolve));
      onTestFinished(() => void server.close());
      const { port } = server.address() as AddressInfo;
      const sinks = Array.from({ length: 100 }, () => {
        const sink = new Recorder();
        const channel = dial(targetOf(host, port), ['http/1.1'], sink);
        sink.onConnected = () => {
          channel.start();
          channel.output.text('0123456789');
          channel.output.end();
        };
        return sink;
      });
      await until('the closes', () => sinks.every(({ isClosed }) => isClosed));
      expect([bytes, ends]).toEqual([1_000, 100]);
      expect(new Set(sinks.map(({ told }) => told.join()))).toEqual(new Set(['connected,ended,closed']));
    },
  );

  test.each(['127.0.0.1', '::1', 'localhost'])(
    '%s: what is written before the connection is made leaves when it is, in order, and the end behind it',
    async (host) => {
      const came: Buffer[] = [];
      let ends = 0;
      const server = createServer((socket) => {
        socket.on('data', (bytes: Buffer) => came.push(bytes));
        socket.on('end', () => ends++);
      });
      await new Promise<void>((resolve) => server.listen(0, host, resolve));
      onTestFinished(() => void server.close());
      const sink = new Recorder();
      const channel = dial(targetOf(host, (server.address() as AddressInfo).port), ['http/1.1'], sink);
      sink.onConnected = () => channel.start();
      const { output } = channel;
      const lent = Buffer.from('lent ');
      expect(output.text('text ')).toBe(false);
      expect(output.lend(lent)).toBe(false);
      expect(output.bytes(BYTES)).toBe(false);
      expect(output.textAndBytes('last ', Buffer.from('of all'))).toBe(false);
      expect([output.isEmpty, output.isFlowing]).toEqual([false, false]);
      output.end();
      await until('the end', () => ends === 1);
      const all = Buffer.concat([Buffer.from('text lent '), BYTES, Buffer.from('last of all')]);
      expect(Buffer.concat(came).equals(all)).toBe(true);
      await until('the close', () => sink.isClosed);
      expect([output.isEmpty, sink.drains]).toEqual([true, 1]);
      expect(sink.told).toEqual(['connected', 'ended', 'closed']);
    },
  );

  test.each(['127.0.0.1', 'localhost'])(
    '%s: what is written early is waited for, however little it is',
    async (host) => {
      const server = await listening('127.0.0.1');
      const sink = new Recorder();
      const channel = dial(targetOf(host, (server.address() as AddressInfo).port), ['http/1.1'], sink);
      sink.onConnected = () => channel.start();
      expect(channel.output.text('little')).toBe(false);
      await until('it to have left', () => sink.drains === 1);
      expect([channel.output.isFlowing, sink.told]).toEqual([true, ['connected']]);
      channel.destroy();
      await until('the close', () => sink.isClosed);
    },
  );

  // The kernel lets the others wait for a second, and only then they are made.
  test('one that is told its end while it waits for its peer is not taken for made', async () => {
    let ends = 0;
    const server = createServer((socket) => socket.resume().on('end', () => ends++));
    await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const sinks = Array.from({ length: 8 }, () => {
      const sink = new Recorder();
      const channel = dial(targetOf('127.0.0.1', port), ['http/1.1'], sink);
      sink.onConnected = () => channel.start();
      channel.output.end();
      return sink;
    });
    await until('the closes', () => sinks.every(({ isClosed }) => isClosed), 20_000);
    expect(ends).toBe(8);
    expect(new Set(sinks.map(({ told }) => told.join()))).toEqual(new Set(['connected,ended,closed']));
  });
});
