/** Both ends of a connection, the near one being a channel, in each way in which there are channels. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { acceptByHandle } from '../../src/proxy/accepting.ts';
import type { Channel, DialSink } from '../../src/proxy/channel.ts';
import { dial } from '../../src/proxy/dial.ts';
import type { PoolTarget } from '../../src/proxy/pool.ts';
import { SocketChannel } from '../../src/proxy/socket-channel.ts';
import { Wire } from './harness.ts';
import { SECURED, securedPair } from './secured-pair.ts';

/** Remembers what a channel tells. */
export class Recorder implements DialSink {
  readonly pieces: Buffer[] = [];
  /** In order, bytes apart. */
  readonly told: string[] = [];
  bytes = 0;
  drains = 0;
  onReceived: () => void = () => undefined;
  onConnected: () => void = () => undefined;
  onFailed: () => void = () => undefined;
  onBroken: () => void = () => undefined;

  get isClosed(): boolean {
    return this.told.includes('closed');
  }

  get hasEnded(): boolean {
    return this.told.includes('ended');
  }

  all(): Buffer {
    return Buffer.concat(this.pieces);
  }

  received(bytes: Buffer, length: number): void {
    this.pieces.push(Buffer.from(bytes.subarray(0, length)));
    this.bytes += length;
    this.onReceived();
  }

  connected(): void {
    this.told.push('connected');
    this.onConnected();
  }

  peerEnded(): void {
    this.told.push('ended');
  }

  failed(errno: string): void {
    this.told.push(errno);
    this.onFailed();
  }

  closed(): void {
    this.told.push('closed');
  }

  drained(): void {
    this.drains++;
  }

  broken(): void {
    this.onBroken();
  }
}

export function targetOf(host: string, port: number): PoolTarget {
  return { key: `${host}:${port}`, host, port, tls: null, protocol: 'http1', connections: 0 };
}

interface Ends {
  readonly channel: Channel;
  readonly sink: Recorder;
  readonly far: Wire;
  /** The far end's TCP socket, whatever it carries. */
  readonly carrier: Socket;
}

async function dialled(host: string): Promise<Ends> {
  const server = createServer({ allowHalfOpen: true });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const { port } = server.address() as AddressInfo;
  const sink = new Recorder();
  const channel = await new Promise<Channel>((resolve) => {
    const made = dial(targetOf(host, port), ['http/1.1'], sink);
    sink.onConnected = () => resolve(made);
  });
  const carrier = await accepted;
  sink.told.length = 0;
  server.close();
  return { channel, sink, far: new Wire(carrier), carrier };
}

async function accepted(): Promise<Ends> {
  const server = createServer();
  const came = new Promise<Channel>((resolve) => acceptByHandle(server, resolve));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const carrier = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const channel = await came;
  server.close();
  const sink = new Recorder();
  channel.sink = sink;
  return { channel, sink, far: new Wire(carrier), carrier };
}

async function bySocket(): Promise<Ends> {
  const server = createServer({ allowHalfOpen: true });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const came = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const { port } = server.address() as AddressInfo;
  const near = connect({ port, host: '127.0.0.1' });
  await new Promise((resolve) => near.once('connect', resolve));
  const carrier = await came;
  server.close();
  const sink = new Recorder();
  return { channel: new SocketChannel(near, sink), sink, far: new Wire(carrier), carrier };
}

const OVER_TLS = SECURED.map((version): [string, () => Promise<Ends>] => [
  `over ${version}`,
  async () => {
    const { near, far, carrier } = await securedPair(version);
    const sink = new Recorder();
    return { channel: new SocketChannel(near, sink), sink, far, carrier };
  },
]);

const OVER_TCP: [string, () => Promise<Ends>][] = [
  ['dialled by address', () => dialled('127.0.0.1')],
  ['dialled by name', () => dialled('localhost')],
  ['accepted', accepted],
  ['by a socket', bySocket],
];

/** By their names; `isTcp`: without TLS, which hides some of what happens below it. */
export const CHANNELS = [
  ...OVER_TCP.map(([name, make]) => ({ name, isTcp: true, make })),
  ...OVER_TLS.map(([name, make]) => ({ name, isTcp: false, make })),
];

/** Not read from yet. Ends with the test. */
export async function channelOf(make: () => Promise<Ends>): Promise<Ends> {
  const ends = await make();
  ends.carrier.on('error', () => undefined);
  onTestFinished(() => {
    ends.channel.destroy();
    ends.carrier.destroy();
  });
  return ends;
}
