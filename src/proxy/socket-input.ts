/**
 * Reading from sockets into one buffer for the whole process. Node reads into a fresh 64 KiB allocation each time; with `onread` it uses the
 * buffer given. What is read is used up, or copied, before the next read.
 */
import { type OnReadOpts, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { binding, handleOf } from './stream-binding.ts';

const READ_BUFFER = Buffer.allocUnsafeSlow(65_536);

/** @param onData bytes[0, length) are read; they are overwritten after the call */
export function sharedRead(onData: (bytes: Buffer, length: number) => void): OnReadOpts {
  return {
    buffer: READ_BUFFER,
    callback: (length, bytes) => {
      onData(bytes as Buffer, length);
      return true;
    },
  };
}

/**
 * Has what a socket reads handed over by its handle, past the checks and the timer of node:net. Ends and errors go on through the socket. The socket
 * reads by `sharedRead` already, which stays in charge where there is no handle to be had.
 */
export function readByHandle(socket: Socket, onData: (bytes: Buffer, length: number) => void): void {
  const handle = handleOf(socket);
  if (handle === null || binding === null) return;
  const { streamBaseState, kReadBytesOrError } = binding;
  const { onread } = handle;
  handle.onread = (bytes) => {
    const length = streamBaseState[kReadBytesOrError] as number;
    return length > 0 ? onData(READ_BUFFER, length) : onread.call(handle, bytes);
  };
}

/** As node:net keeps the buffer of `onread`, which node:tls does not offer for connections that were accepted. */
const OWN_BUFFER = 'kBuffer';

/**
 * The same of an accepted TLS connection whose handshake is over. Its layer hands over all of a read's records at once, so some may come after
 * `pause()`, and an end, too: that one waits for `resume()`.
 */
export function readSecured(socket: TLSSocket, onData: (bytes: Buffer, length: number) => void): void {
  const handle = handleOf(socket);
  const key = Object.getOwnPropertySymbols(socket).find(({ description }) => description === OWN_BUFFER);
  if (handle === null || binding === null || key === undefined) {
    socket.on('data', (bytes: Buffer) => onData(bytes, bytes.length));
    return;
  }
  const { streamBaseState, kReadBytesOrError } = binding;
  const { onread } = handle;
  const end = (error: number): void => {
    if (socket.isPaused()) {
      socket.once('resume', () => end(error));
      return;
    }
    streamBaseState[kReadBytesOrError] = error;
    onread.call(handle, undefined);
  };
  // From now on pause and resume stop and start the reading itself.
  Object.assign(socket, { [key]: READ_BUFFER });
  handle.useUserBuffer(READ_BUFFER);
  handle.onread = () => {
    const length = streamBaseState[kReadBytesOrError] as number;
    if (length > 0) onData(READ_BUFFER, length);
    else if (length < 0) end(length);
  };
  // All of it: without a size some versions of Node hand over its first piece alone. Who is given it may pause.
  const early = socket.read(socket.readableLength) as Buffer | null;
  socket.resume();
  if (early !== null) onData(early, early.length);
}

/**
 * An accepted socket made anew so that it reads by `onread`, which node:net offers for outgoing connections only. The server must have
 * been created with `pauseOnConnect`, so that nothing has been read yet.
 */
export function adoptSocket(accepted: Socket, onread: OnReadOpts): Socket {
  const holder = accepted as unknown as { _handle: unknown };
  const handle = holder._handle;
  if (handle === null) return accepted;
  holder._handle = null;
  const socket = new Socket({ handle, onread, allowHalfOpen: true } as ConstructorParameters<typeof Socket>[0]);
  accepted.destroy();
  return socket;
}

/**
 * At the end of what is read: whether it was a reset. Behind data libuv tells of a reset as of a plain end, but the kernel no longer knows
 * the peer. Not to be known once our own end has left; nobody may have asked the socket for its peer before, since the answer is kept.
 */
export function wasReset(socket: Socket): boolean {
  return !socket.writableEnded && socket.remoteAddress === undefined;
}

/**
 * Whether the peer of an open socket has reset the connection. Nobody is told of that where nothing more is read, but the kernel no longer knows the
 * peer. It is asked anew each time, which `remoteAddress` is not.
 */
export function isReset(socket: Socket): boolean {
  const { _handle: handle } = socket as unknown as { _handle: { getpeername?: (out: object) => number } | null };
  return handle === null || (typeof handle.getpeername === 'function' && handle.getpeername({}) !== 0);
}
