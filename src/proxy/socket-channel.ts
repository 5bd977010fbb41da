/** A connection by a socket of node:tls; and of node:net where Node's handles are not to be had. */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Channel, ChannelSink, DialSink } from './channel.ts';
import type { Output } from './output.ts';
import { SecuredOutput } from './secured-output.ts';
import { readByHandle } from './socket-input.ts';
import { StreamOutput } from './stream-output.ts';

export class SocketChannel implements Channel {
  sink: ChannelSink;
  readonly output: Output;
  readonly #socket: Socket;

  /** @param socket connected, secured if it is to be, and not read from yet; or see `dialling` */
  constructor(socket: Socket, sink: ChannelSink) {
    this.#socket = socket;
    this.sink = sink;
    this.output =
      socket instanceof TLSSocket ? this.#secured(socket) : new StreamOutput(socket, () => this.sink.drained());
    socket.on('end', () => this.sink.peerEnded());
    socket.on('error', (error: NodeJS.ErrnoException) => this.sink.failed(error.code ?? ''));
    socket.on('close', () => this.sink.closed());
  }

  /** @param made the event that tells that the connection is made */
  static dialling(socket: Socket, made: 'connect' | 'secureConnect', sink: DialSink): SocketChannel {
    const channel = new SocketChannel(socket, sink);
    socket.once(made, () => sink.connected());
    return channel;
  }

  #secured(socket: TLSSocket): SecuredOutput {
    const output = new SecuredOutput(
      socket,
      () => this.sink.drained(),
      () => this.sink.broken(),
    );
    if (socket.connecting) socket.once('secureConnect', () => output.useHandle());
    else output.useHandle();
    return output;
  }

  get allowsHalfOpen(): boolean {
    return this.#socket.allowHalfOpen;
  }

  set allowsHalfOpen(allows: boolean) {
    this.#socket.allowHalfOpen = allows;
  }

  get isPaused(): boolean {
    return this.#socket.isPaused();
  }

  get hasPeerEnded(): boolean {
    return this.#socket.readableEnded;
  }

  get hasEnded(): boolean {
    return this.#socket.writableFinished;
  }

  get protocol(): string | null {
    const { alpnProtocol = false } = this.#socket as Partial<TLSSocket>;
    return alpnProtocol === false ? null : alpnProtocol;
  }

  start(): void {
    readByHandle(this.#socket, (bytes, length) => this.sink.received(bytes, length));
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  isReset(): boolean {
    const { _handle: handle } = this.#socket as unknown as {
      _handle: { getpeername?: (out: object) => number } | null;
    };
    return handle === null || (typeof handle.getpeername === 'function' && handle.getpeername({}) !== 0);
  }

  wasReset(): boolean {
    return !this.#socket.writableEnded && this.isReset();
  }

  keepAlive(afterMs: number): void {
    this.#socket.setKeepAlive(true, afterMs);
  }
}
