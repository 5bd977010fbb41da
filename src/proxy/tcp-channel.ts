/**
 * A TCP connection by its handle, without node:net's stream machinery, which costs more than parsing a request does: a socket is a dozen objects and as
 * many closures, which live as long as the connection and are copied by the collector meanwhile; and each write is a request object, four calls and a tick
 * for its callback. Nearly every write is taken by the kernel at once, and then nothing of that is needed. What the kernel does not take at once is
 * libuv's to keep, in order.
 *
 * All connections read into one buffer for the whole process: what is read is used up, or copied, before the next read.
 */
import { getSystemErrorName } from 'node:util';
import type { Channel, ChannelSink } from './channel.ts';
import type { Output } from './output.ts';
import { READ_BUFFER } from './read-buffer.ts';
import {
  binding,
  nextRequest,
  pendingRequest,
  READ_BYTES_OR_ERROR,
  type Request,
  STREAM_STATE,
  type TcpHandle,
  type WriteRequest,
} from './stream-binding.ts';

type Handle = TcpHandle<TcpChannel>;
type Binding = NonNullable<typeof binding>;

/** libuv's UV_EOF. */
const EOF = -4095;

export class TcpChannel implements Channel, Output {
  sink: ChannelSink;
  allowsHalfOpen: boolean;
  readonly protocol = null;
  isPaused = false;
  hasPeerEnded = false;
  hasEnded = false;
  /** Null: it is closed, or about to be made. */
  #handle: Handle | null = null;
  #isReading = false;
  isClosed = false;
  #isConnecting = false;
  /** Our end has been asked for. */
  #ends = false;
  /** Writes that the kernel has not taken whole. */
  #unfinished = 0;
  /** Gives up what would bring the handle. */
  #cancel: (() => void) | null = null;
  /** What was written before there was a handle, as `writev` takes it. Libuv keeps what is written while it connects, but only to a handle. */
  #early: unknown[] | null = null;

  /** Only where there is a `binding`. */
  constructor(sink: ChannelSink, allowsHalfOpen: boolean) {
    this.sink = sink;
    this.allowsHalfOpen = allowsHalfOpen;
  }

  get output(): Output {
    return this;
  }

  /** A handle will be brought to it. @param cancel called when it is destroyed before that */
  awaitHandle(cancel: () => void): void {
    this.#isConnecting = true;
    this.#cancel = cancel;
  }

  /** Its connection is about to be made by this handle. */
  connectBy(handle: Handle): void {
    this.#isConnecting = true;
    this.adopt(handle);
  }

  /** The connection is made. */
  made(): void {
    this.#isConnecting = false;
    if (this.#ends) this.#shutDown();
  }

  /** Goes on with the handle of a connection that is made, or about to be. */
  adopt(handle: Handle): void {
    this.#cancel = null;
    handle.owner = this;
    this.#handle = handle;
    handle.setNoDelay(true);
    if (this.#early !== null) this.#writeEarly(handle, this.#early);
  }

  #writeEarly(handle: Handle, early: unknown[]): void {
    this.#early = null;
    this.#unfinished = 0;
    // Whoever wrote it was told to wait, and will be told on only when the connection is known to be made.
    if (this.#written(handle.writev(nextRequest(), early, false), early)) process.nextTick(tellDrained, this);
  }

  /** The chunks are of `writev`: each with its encoding. False: it was not. */
  #keep(...chunks: unknown[]): false {
    if (this.#cancel !== null) {
      (this.#early ??= []).push(...chunks);
      this.#unfinished++;
    }
    return false;
  }

  start(): void {
    const handle = this.#handle;
    if (handle === null) return;
    handle.useUserBuffer(READ_BUFFER);
    handle.onread = onRead;
    this.#isReading = true;
    if (!this.isPaused) handle.readStart();
  }

  pause(): void {
    if (this.isPaused) return;
    this.isPaused = true;
    if (this.#isReading) this.#handle?.readStop();
  }

  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    if (this.#isReading && !this.hasPeerEnded) this.#handle?.readStart();
  }

  /** Of libuv: bytes read, or why nothing was. */
  onRead(length: number): void {
    if (length > 0) this.sink.received(READ_BUFFER, length);
    else if (length === EOF) this.#onPeerEnd();
    else if (length < 0) this.fail(getSystemErrorName(length));
  }

  #onPeerEnd(): void {
    this.hasPeerEnded = true;
    this.sink.peerEnded();
    if (this.#handle === null) return;
    if (this.hasEnded) this.destroy();
    else if (!this.allowsHalfOpen) this.end();
  }

  /** @param errno why it closes */
  fail(errno: string): void {
    if (this.isClosed) return;
    this.sink.failed(errno);
    this.destroy();
  }

  destroy(): void {
    const handle = this.#close();
    if (handle !== null) handle.close(onClosed);
  }

  reset(): void {
    // When our own end is on its way already there is nothing more to say.
    if (this.#ends) {
      this.destroy();
      return;
    }
    const handle = this.#close();
    // Node calls it closing even where it is refused, and would not close it any more.
    if (handle !== null && handle.reset(onClosed) !== 0) process.nextTick(tellClosed, this);
  }

  #close(): Handle | null {
    const handle = this.#handle;
    this.#handle = null;
    // Without a handle nobody else would tell.
    if (handle === null && !this.isClosed) process.nextTick(tellClosed, this);
    this.isClosed = true;
    this.#cancel?.();
    this.#cancel = null;
    this.#early = null;
    return handle;
  }

  isReset(): boolean {
    return this.#handle === null || this.#handle.getpeername({}) !== 0;
  }

  wasReset(): boolean {
    return !this.#ends && this.isReset();
  }

  keepAlive(afterMs: number): void {
    this.#handle?.setKeepAlive(true, Math.ceil(afterMs / 1000));
  }

  // What is written.

  get isEmpty(): boolean {
    return this.#unfinished === 0;
  }

  get isFlowing(): boolean {
    return this.#unfinished === 0;
  }

  text(text: string): boolean {
    const handle = this.#handle;
    if (handle === null) return this.#keep(text, 'latin1');
    return this.#written(handle.writeLatin1String(nextRequest(), text), null);
  }

  bytes(bytes: Uint8Array): boolean {
    const handle = this.#handle;
    if (handle === null) return this.#keep(bytes, 'buffer');
    return this.#written(handle.writeBuffer(nextRequest(), bytes), bytes);
  }

  lend(bytes: Uint8Array): boolean {
    const unfinished = this.#unfinished;
    this.bytes(bytes);
    return this.#unfinished === unfinished;
  }

  textAndBytes(text: string, bytes: Uint8Array): boolean {
    const handle = this.#handle;
    if (handle === null) return this.#keep(text, 'latin1', bytes, 'buffer');
    return this.#written(handle.writev(nextRequest(), [text, 'latin1', bytes, 'buffer'], false), bytes);
  }

  #written(error: number, bytes: unknown): boolean {
    if (error !== 0) {
      this.sink.broken();
      return false;
    }
    const request = pendingRequest();
    if (request === null) return this.#unfinished === 0;
    this.#await(request, bytes);
    return false;
  }

  /** By itself: a function with a closure in it makes room for what that needs whenever it is called. */
  #await(request: WriteRequest, bytes: unknown): void {
    this.#unfinished++;
    request.bytes = bytes;
    request.oncomplete = (status) => this.#completed(status);
  }

  #completed(status: number): void {
    this.#unfinished--;
    if (this.isClosed) return;
    if (status < 0) this.sink.broken();
    else this.onDrained();
  }

  onDrained(): void {
    if (!this.isClosed && this.#unfinished === 0) this.sink.drained();
  }

  end(): void {
    if (this.#ends || this.isClosed) return;
    this.#ends = true;
    // Libuv would take a connection that is told its end for one that is made.
    if (!this.#isConnecting) this.#shutDown();
  }

  #shutDown(): void {
    const handle = this.#handle;
    if (handle === null) return;
    const request: Request<TcpChannel> = new (binding as Binding).ShutdownWrap();
    request.owner = this;
    request.oncomplete = onShutdown;
    // Libuv sends it behind what it still has to write. Not 0: it was sent at once, or there is nobody any more to send it to.
    if (handle.shutdown(request) !== 0) process.nextTick(tellShutdown, this);
  }

  onShutdown(): void {
    if (this.isClosed) return;
    this.hasEnded = true;
    if (this.hasPeerEnded) this.destroy();
  }
}

// One function for all connections, instead of closures for each.

function onRead(this: Handle): void {
  this.owner?.onRead(STREAM_STATE[READ_BYTES_OR_ERROR] as number);
}

function onClosed(this: Handle): void {
  this.owner?.sink.closed();
}

function onShutdown(this: Request<TcpChannel>): void {
  this.owner?.onShutdown();
}

function tellShutdown(channel: TcpChannel): void {
  channel.onShutdown();
}

function tellDrained(channel: TcpChannel): void {
  channel.onDrained();
}

function tellClosed(channel: TcpChannel): void {
  channel.sink.closed();
}
