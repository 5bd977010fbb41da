/** Writing by a socket's stream, where there is no handle to be had. */
import type { Socket } from 'node:net';
import type { Output } from './output.ts';

export class StreamOutput implements Output {
  readonly #socket: Socket;

  /** @param onDrain everything written has left, after a write had returned false */
  constructor(socket: Socket, onDrain: () => void) {
    this.#socket = socket;
    socket.on('drain', onDrain);
  }

  get isEmpty(): boolean {
    return this.#socket.writableLength === 0;
  }

  get isFlowing(): boolean {
    return !this.#socket.writableNeedDrain;
  }

  text(text: string): boolean {
    return this.#socket.write(text, 'latin1');
  }

  bytes(bytes: Uint8Array): boolean {
    return this.#socket.write(bytes);
  }

  lend(bytes: Uint8Array): boolean {
    this.#socket.write(Buffer.from(bytes));
    return true;
  }

  textAndBytes(text: string, bytes: Uint8Array): boolean {
    this.#socket.cork();
    this.#socket.write(text, 'latin1');
    const flowing = this.#socket.write(bytes);
    this.#socket.uncork();
    return flowing;
  }

  end(): void {
    this.#socket.end();
  }

  reset(): void {
    // When our own end is on its way already there is nothing more to say.
    if (this.#socket.writableEnded) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }
}
