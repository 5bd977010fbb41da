/** Begins connections to backends. */
import { connect, isIPv4, isIPv6, type Socket } from 'node:net';
import { getSystemErrorName } from 'node:util';
import type { Channel, DialSink } from './channel.ts';
import { dialTls, type Offer } from './dial-tls.ts';
import type { PoolTarget } from './pool.ts';
import { SocketChannel } from './socket-channel.ts';
import { binding, handleOf, type Request, type TcpHandle } from './stream-binding.ts';
import { TcpChannel } from './tcp-channel.ts';

/** What waits for the connection to be made. */
interface Dialled {
  readonly channel: TcpChannel;
  readonly sink: DialSink;
}

/**
 * Nothing is told before this has returned.
 * @param offer what is spoken if the target takes part in TLS
 */
export function dial(target: PoolTarget, offer: Offer, sink: DialSink): Channel {
  const { host, port, tls } = target;
  if (tls !== null) return SocketChannel.dialling(dialTls(target, tls, offer), 'secureConnect', sink);
  if (binding === null) return SocketChannel.dialling(connect({ host, port, noDelay: true }), 'connect', sink);
  const channel = new TcpChannel(sink, false);
  if (isIPv4(host) || isIPv6(host)) dialAddress(binding, host, port, { channel, sink });
  else dialName(connect({ host, port }), { channel, sink });
  return channel;
}

function dialAddress(
  { TCP, TCPConnectWrap, kSocket }: NonNullable<typeof binding>,
  host: string,
  port: number,
  dialled: Dialled,
): void {
  const handle: TcpHandle<TcpChannel> = new TCP(kSocket);
  dialled.channel.connectBy(handle);
  const request: Request<Dialled> = new TCPConnectWrap();
  request.owner = dialled;
  request.oncomplete = onConnect;
  const error = isIPv4(host) ? handle.connect(request, host, port) : handle.connect6(request, host, port);
  if (error !== 0) process.nextTick(tellFailure, dialled, error);
}

function onConnect(this: Request<Dialled>, status: number): void {
  const { owner } = this;
  if (owner === undefined || owner.channel.isClosed) return;
  if (status === 0) tellConnected(owner);
  else tellFailure(owner, status);
}

function tellConnected({ channel, sink }: Dialled): void {
  channel.made();
  // What was written early may have found it broken already.
  if (!channel.isClosed) sink.connected();
}

function tellFailure({ channel }: Dialled, error: number): void {
  channel.fail(getSystemErrorName(error));
}

/** A name may stand for several addresses: Node tries them, and then its handle is taken from it. */
function dialName(socket: Socket, { channel, sink }: Dialled): void {
  channel.awaitHandle(() => socket.destroy());
  socket.on('error', ({ code = '' }: NodeJS.ErrnoException) => channel.fail(code));
  // It begins to read by itself unless it is paused.
  socket.pause();
  socket.once('connect', () => {
    const handle = handleOf(socket) as TcpHandle<TcpChannel> | null;
    if (handle === null) return;
    Reflect.set(socket, '_handle', null);
    channel.adopt(handle);
    tellConnected({ channel, sink });
  });
}
