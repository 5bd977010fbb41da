/** Reading from sockets past the stream machinery of node:net and node:tls, which read into a fresh 64 KiB allocation each time. */
import type { Socket } from 'node:net';
import { READ_BUFFER } from './read-buffer.ts';
import { handleOf, READ_BYTES_OR_ERROR, STREAM_STATE } from './stream-binding.ts';

/** As node:net keeps the buffer of its option `onread`, which it offers for outgoing cleartext connections only. */
const OWN_BUFFER = 'kBuffer';
let ownBuffer: symbol | undefined;

/**
 * From now on what the socket, which is connected and secured if it is to be, reads goes to `onData`; ends and errors go on through the socket. TLS hands
 * over all records of a read at once, so some may come after `pause()`, and an end, too: that one waits for `resume()`.
 * @param onData bytes[0, length) are read; they are overwritten after the call
 */
export function readByHandle(socket: Socket, onData: (bytes: Buffer, length: number) => void): void {
  const handle = handleOf(socket);
  ownBuffer ??= Object.getOwnPropertySymbols(socket).find(({ description }) => description === OWN_BUFFER);
  if (handle === null || ownBuffer === undefined) {
    socket.on('data', (bytes: Buffer) => onData(bytes, bytes.length)).resume();
    return;
  }
  const { onread } = handle;
  const end = (error: number): void => {
    if (socket.isPaused()) {
      socket.once('resume', () => end(error));
      return;
    }
    STREAM_STATE[READ_BYTES_OR_ERROR] = error;
    onread.call(handle, undefined);
  };
  // From now on pause and resume stop and start the reading itself.
  Reflect.set(socket, ownBuffer, READ_BUFFER);
  handle.useUserBuffer(READ_BUFFER);
  handle.onread = () => {
    const length = STREAM_STATE[READ_BYTES_OR_ERROR] as number;
    if (length > 0) onData(READ_BUFFER, length);
    else if (length < 0) end(length);
  };
  // All of it: without a size some versions of Node hand over its first piece alone. Who is given it may pause.
  const early = socket.read(socket.readableLength) as Buffer | null;
  socket.resume();
  if (early !== null) onData(early, early.length);
}
