/**
 * Reading from sockets into one buffer for the whole process. Node reads into a fresh 64 KiB allocation each time; with `onread` it uses the
 * buffer given. What is read is used up, or copied, before the next read.
 */
import { type OnReadOpts, Socket } from 'node:net';

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
