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
import { TLSSocket } from 'node:tls';

/** Node's request object of one write; good for the next one as long as writes finish at once. */
interface WriteRequest {
  oncomplete?: (status: number) => void;
  /** Keeps the bytes alive until they are written. */
  bytes?: unknown;
}

interface StreamHandle {
  writeLatin1String(request: WriteRequest, text: string): number;
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number;
  writev(request: WriteRequest, chunks: unknown[], allBuffers: boolean): number;
}

/** A socket as seen by Node itself; no handle once it is destroyed. */
interface HandleHolder {
  readonly _handle: StreamHandle | null;
}

interface StreamBinding {
  readonly WriteWrap: new () => WriteRequest;
  readonly streamBaseState: Int32Array;
  readonly kLastWriteWasAsync: number;
}

const binding = loadBinding();
let spare: WriteRequest | null = binding === null ? null : new binding.WriteWrap();

function loadBinding(): StreamBinding | null {
  try {
    const { binding: load } = process as unknown as { binding?: (name: string) => Partial<StreamBinding> };
    const { WriteWrap, streamBaseState, kLastWriteWasAsync } = load?.('stream_wrap') ?? {};
    if (WriteWrap === undefined || streamBaseState === undefined || kLastWriteWasAsync === undefined) return null;
    return { WriteWrap, streamBaseState, kLastWriteWasAsync };
  } catch {
    return null;
  }
}

export class SocketOutput {
  readonly #socket: Socket;
  readonly #onDrain: () => void;
  readonly #onBroken: () => void;
  #handle: StreamHandle | null = null;
  /** What was written while the socket was still connecting has left the stream's buffer; nothing goes there any more. */
  #isPastStream = false;
  /** Writes that the kernel has not taken whole. */
  #unfinished = 0;

  /**
   * @param onDrain called when everything written has left, after a write had returned false
   * @param onBroken called, perhaps more than once, when the kernel refuses to write; what the peer has sent before can still be read
   */
  constructor(socket: Socket, onDrain: () => void, onBroken: () => void) {
    this.#socket = socket;
    this.#onDrain = onDrain;
    this.#onBroken = onBroken;
    socket.on('drain', () => {
      if (this.#unfinished === 0) onDrain();
    });
  }

  /** The socket is connected and is plain TCP: from now on its handle is written to. */
  useHandle(): void {
    const { _handle: handle } = this.#socket as unknown as HandleHolder;
    if (binding !== null && handle !== null && typeof handle.writeLatin1String === 'function') this.#handle = handle;
  }

  /** Everything written has left. */
  get isEmpty(): boolean {
    return this.#unfinished === 0 && this.#socket.writableLength === 0;
  }

  /** Whether the last write was taken whole, so that `onDrain` need not be waited for. */
  get isFlowing(): boolean {
    return this.#unfinished === 0 && !this.#socket.writableNeedDrain;
  }

  /** One character a byte. False: wait for `onDrain` before more. */
  text(text: string): boolean {
    const handle = this.#direct();
    if (handle === null) return this.#socket.write(text, 'latin1');
    const request = takeRequest();
    return this.#written(request, handle.writeLatin1String(request, text), null);
  }

  /** The bytes are the socket's from now on. */
  bytes(bytes: Uint8Array): boolean {
    const handle = this.#direct();
    if (handle === null) return this.#socket.write(bytes);
    const request = takeRequest();
    return this.#written(request, handle.writeBuffer(request, bytes), bytes);
  }

  /** The bytes are only lent. True: they are free again; false: they are the socket's, since the kernel has not taken them whole. */
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

  /** Both in one system call. */
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

  /**
   * Ends the connection at once, and so that the peer cannot take what it got for whole: by a reset. With TLS a missing close_notify says as
   * much, and when our own end is on its way already there is nothing more to say.
   */
  reset(): void {
    const socket = this.#socket;
    if (socket instanceof TLSSocket || socket.writableEnded) socket.destroy();
    else socket.resetAndDestroy();
  }

  /** The handle, while the socket is open and nothing waits in the stream's own buffer that must leave before. */
  #direct(): StreamHandle | null {
    const handle = this.#handle;
    if (handle === null || (this.#socket as unknown as HandleHolder)._handle !== handle) return null;
    if (!this.#isPastStream) this.#isPastStream = this.#socket.writableLength === 0;
    return this.#isPastStream ? handle : null;
  }

  #written(request: WriteRequest, error: number, bytes: unknown): boolean {
    if (error !== 0) {
      spare = request;
      this.#onBroken();
      return false;
    }
    const { streamBaseState, kLastWriteWasAsync } = binding as StreamBinding;
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
  const request = spare ?? new (binding as StreamBinding).WriteWrap();
  spare = null;
  return request;
}
