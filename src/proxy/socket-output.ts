/**
 * Writing to a TCP socket without the stream machinery in between. A proxied request is two writes; node:stream's bookkeeping for each (a request
 * object, four calls, a tick for the callback) costs about as much user time as parsing the request. Nearly every write is
 * taken by the kernel at once, and then nothing of that is needed. What the kernel does not take at once is libuv's to keep, in order,
 * as with any write.
 *
 * The handle's methods are Node's internals, reached by `process.binding`; where they are missing, and for TLS and sockets that still
 * connect, writes go by the socket's own `write`, with the same result.
 */
import type { Socket } from 'node:net';
import type { Output } from './output.ts';
import { binding, handleOf, type StreamHandle, type WriteRequest } from './stream-binding.ts';

/** Good for the next write as long as writes finish at once. */
let spare: WriteRequest | null = null;

export class SocketOutput implements Output {
  readonly #socket: Socket;
  readonly #onDrain: () => void;
  readonly #onBroken: () => void;
  #handle: StreamHandle | null = null;
  /** What was written while the socket was still connecting has left the stream's buffer; nothing goes there any more. */
  #isPastStream = false;
  /** Writes that the kernel has not taken whole. */
  #unfinished = 0;

  /** See `outputTo`. */
  constructor(socket: Socket, onDrain: () => void, onBroken: () => void) {
    this.#socket = socket;
    this.#onDrain = onDrain;
    this.#onBroken = onBroken;
    socket.on('drain', () => {
      if (this.#unfinished === 0) onDrain();
    });
  }

  useHandle(): void {
    this.#handle = handleOf(this.#socket);
  }

  get isEmpty(): boolean {
    return this.#unfinished === 0 && this.#socket.writableLength === 0;
  }

  get isFlowing(): boolean {
    return this.#unfinished === 0 && !this.#socket.writableNeedDrain;
  }

  text(text: string): boolean {
    const handle = this.#direct();
    if (handle === null) return this.#socket.write(text, 'latin1');
    const request = takeRequest();
    return this.#written(request, handle.writeLatin1String(request, text), null);
  }

  bytes(bytes: Uint8Array): boolean {
    const handle = this.#direct();
    if (handle === null) return this.#socket.write(bytes);
    const request = takeRequest();
    return this.#written(request, handle.writeBuffer(request, bytes), bytes);
  }

  lend(bytes: Uint8Array): boolean {
    const handle = this.#direct();
    if (handle === null) {
      this.#socket.write(Buffer.from(bytes));
      return true;
    }
    const request = takeRequest();
    const unfinished = this.#unfinished;
    this.#written(request, handle.writeBuffer(request, bytes), bytes);
    return this.#unfinished === unfinished;
  }

  textAndBytes(text: string, bytes: Uint8Array): boolean {
    const handle = this.#direct();
    if (handle !== null) {
      const request = takeRequest();
      return this.#written(request, handle.writev(request, [text, 'latin1', bytes, 'buffer'], false), bytes);
    }
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

  /** The handle, unless something waits in the stream's own buffer that must leave before. One that is closed refuses what it is given. */
  #direct(): StreamHandle | null {
    const handle = this.#handle;
    if (handle === null) return null;
    if (!this.#isPastStream) this.#isPastStream = this.#socket.writableLength === 0;
    return this.#isPastStream ? handle : null;
  }

  #written(request: WriteRequest, error: number, bytes: unknown): boolean {
    if (error !== 0) {
      spare = request;
      this.#onBroken();
      return false;
    }
    const { streamBaseState, kLastWriteWasAsync } = binding as NonNullable<typeof binding>;
    if (streamBaseState[kLastWriteWasAsync] === 0) {
      spare = request;
      return this.#unfinished === 0;
    }
    this.#unfinished++;
    request.bytes = bytes;
    request.oncomplete = (status) => this.#completed(status);
    return false;
  }

  #completed(status: number): void {
    this.#unfinished--;
    if (status < 0) this.#onBroken();
    else if (this.#unfinished === 0) this.#onDrain();
  }
}

function takeRequest(): WriteRequest {
  const request = spare ?? new (binding as NonNullable<typeof binding>).WriteWrap();
  spare = null;
  return request;
}
