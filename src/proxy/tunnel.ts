/** Two sockets joined after a 101: bytes pass both ways with backpressure, each side's end is passed on, either's death ends both. */
import type { Socket } from 'node:net';
import type { Output } from './output.ts';
import { wasReset } from './socket-input.ts';

/** One end of a tunnel: a socket that its half has let go of, but for handing in what is read. */
export class Tunnel {
  readonly #socket: Socket;
  readonly #output: Output;
  readonly #early: Buffer;
  #from: Tunnel | null = null;
  #to: Tunnel | null = null;

  /** @param early what was read from the socket before there was a tunnel */
  constructor(socket: Socket, output: Output, early: Buffer) {
    this.#socket = socket;
    this.#output = output;
    this.#early = early;
    socket.allowHalfOpen = true;
  }

  /** Bytes read from the socket; they are the tunnel's from now on. */
  onData(bytes: Buffer): void {
    if (this.#to !== null && !this.#to.#output.bytes(bytes)) this.#socket.pause();
  }

  /** What was written to the socket has left. */
  onDrain(): void {
    if (this.#from !== null) this.#from.#socket.resume();
  }

  /** @param onClose called once when this end is gone */
  carryTo(to: Tunnel, onClose: () => void): void {
    this.#to = to;
    to.#from = this;
    const socket = this.#socket;
    socket.setKeepAlive(true, 60_000);
    socket.on('end', () => {
      if (wasReset(socket)) this.#output.reset();
      else to.#output.end();
    });
    socket.on('error', () => to.#output.reset());
    socket.once('close', () => {
      // After a clean end both directions have been closed; otherwise the other side must learn that bytes are missing or lost.
      if (!socket.readableEnded || !socket.writableFinished) to.#output.reset();
      onClose();
    });
    socket.resume();
    // Before anything that is read from now on, and before the end.
    if (this.#early.length > 0) this.onData(this.#early);
    if (socket.readableEnded) to.#output.end();
  }
}
