/** Two sockets joined after a 101: bytes pass both ways with backpressure, each side's end is passed on, either's death ends both. */
import type { Socket } from 'node:net';

/** One end of a tunnel: a socket that its half has let go of, but for handing in what is read. */
export class Tunnel {
  readonly socket: Socket;
  #to: Tunnel | null = null;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.allowHalfOpen = true;
  }

  /** Bytes read from the socket; they are the tunnel's from now on. */
  onData(bytes: Buffer): void {
    if (this.#to !== null && !this.#to.socket.write(bytes)) this.socket.pause();
  }

  /** @param onClose called once when this end is gone */
  carryTo(to: Tunnel, onClose: () => void): void {
    this.#to = to;
    const { socket } = this;
    socket.setKeepAlive(true, 60_000);
    to.socket.on('drain', () => socket.resume());
    socket.on('end', () => to.socket.end());
    socket.on('error', () => to.socket.destroy());
    socket.once('close', () => {
      // After a clean end both directions have been closed; otherwise the other side must learn that bytes are missing.
      if (!socket.readableEnded) to.socket.destroy();
      onClose();
    });
    if (socket.readableEnded) to.socket.end();
    socket.resume();
  }
}
