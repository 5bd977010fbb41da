/**
 * Writing over TLS without the stream machinery in between. Node's TLS layer takes one write at a time and tells its end a turn of the event loop
 * later, whether the kernel took it at once or not; what comes meanwhile waits here and leaves as one write. Until the handshake is over,
 * writes go by the socket's own `write`.
 */
import type { TLSSocket } from 'node:tls';
import type { Output } from './output.ts';
import { binding, handleOf, type StreamHandle, type WriteRequest } from './stream-binding.ts';

/** Bytes under way and waiting from which on no more is asked for. Four records. */
const HIGH_WATER = 65_536;

export class SecuredOutput implements Output {
  readonly #socket: TLSSocket;
  readonly #onDrain: () => void;
  readonly #onBroken: () => void;
  #handle: StreamHandle | null = null;
  /** What was written before the handshake's end has left the stream's buffer; nothing goes there any more. */
  #isPastStream = false;
  /** A write has been begun that has not ended. */
  #isBusy = false;
  /** Waits for it, in Node's form for writev: each piece and its encoding. */
  #queue: unknown[] = [];
  /** Bytes of that write, and those together with what is in the queue. */
  #underWay = 0;
  #unfinished = 0;
  /** Nobody is to write more until all has left. */
  #isBlocked = false;
  /** Our side ends when all has left. */
  #ends = false;

  /**
   * @param onDrain called when everything written has left, after a write had returned false
   * @param onBroken called, perhaps more than once, when no more can be written; what the peer has sent before can still be read
   */
  constructor(socket: TLSSocket, onDrain: () => void, onBroken: () => void) {
    this.#socket = socket;
    this.#onDrain = onDrain;
    this.#onBroken = onBroken;
    socket.on('drain', () => {
      if (!this.#isBusy) onDrain();
    });
  }

  /** The handshake is over: from now on the socket's handle is written to. */
  useHandle(): void {
    this.#handle = handleOf(this.#socket);
  }

  get isEmpty(): boolean {
    return !this.#isBusy && this.#socket.writableLength === 0;
  }

  get isFlowing(): boolean {
    return !this.#isBlocked && !this.#socket.writableNeedDrain;
  }

  text(text: string): boolean {
    const handle = this.#direct();
    if (handle === null) return this.#socket.write(text, 'latin1');
    if (this.#isBusy) return this.#wait(text, 'latin1');
    const request = this.#begin();
    return this.#begun(handle.writeLatin1String(request, text), text.length);
  }

  bytes(bytes: Uint8Array): boolean {
    const handle = this.#direct();
    if (handle === null) return this.#socket.write(bytes);
    if (this.#isBusy) return this.#wait(bytes, 'buffer');
    const request = this.#begin();
    return this.#begun(handle.writeBuffer(request, bytes), bytes.length);
  }

  /** What is encrypted is a copy. */
  lend(bytes: Uint8Array): boolean {
    if (this.#isBusy || this.#direct() === null) this.bytes(Buffer.from(bytes));
    else this.bytes(bytes);
    return true;
  }

  textAndBytes(text: string, bytes: Uint8Array): boolean {
    const handle = this.#direct();
    if (handle === null) {
      this.#socket.cork();
      this.#socket.write(text, 'latin1');
      const flowing = this.#socket.write(bytes);
      this.#socket.uncork();
      return flowing;
    }
    if (this.#isBusy) {
      this.#wait(text, 'latin1');
      return this.#wait(bytes, 'buffer');
    }
    const request = this.#begin();
    const error = handle.writev(request, [text, 'latin1', bytes, 'buffer'], false);
    return this.#begun(error, text.length + bytes.length);
  }

  end(): void {
    if (this.#isBusy) this.#ends = true;
    else this.#socket.end();
  }

  reset(): void {
    this.#socket.destroy();
  }

  /** The handle, while the socket is open and nothing waits in the stream's own buffer that must leave before. */
  #direct(): StreamHandle | null {
    const handle = this.#handle;
    if (handle === null || this.#socket.destroyed) return null;
    if (!this.#isPastStream) this.#isPastStream = this.#socket.writableLength === 0;
    return this.#isPastStream ? handle : null;
  }

  #wait(piece: string | Uint8Array, encoding: 'latin1' | 'buffer'): boolean {
    this.#queue.push(piece, encoding);
    return this.#add(piece.length);
  }

  #add(bytes: number): boolean {
    this.#unfinished += bytes;
    if (this.#unfinished >= HIGH_WATER) this.#isBlocked = true;
    return !this.#isBlocked;
  }

  #begin(): WriteRequest {
    this.#isBusy = true;
    const request = new (binding as NonNullable<typeof binding>).WriteWrap();
    request.oncomplete = this.#onComplete;
    return request;
  }

  #begun(error: number, bytes: number): boolean {
    if (error === 0) {
      this.#underWay = bytes;
      return this.#add(bytes);
    }
    this.#isBusy = false;
    this.#onBroken();
    return false;
  }

  readonly #onComplete = (status: number): void => {
    this.#isBusy = false;
    if (status < 0) {
      this.#onBroken();
      return;
    }
    const handle = this.#direct();
    if (handle === null) return;
    if (this.#queue.length > 0) this.#writeQueue(handle);
    else this.#emptied();
  };

  #writeQueue(handle: StreamHandle): void {
    const queue = this.#queue;
    this.#queue = [];
    const bytes = this.#unfinished - this.#underWay;
    this.#unfinished = 0;
    const request = this.#begin();
    this.#begun(handle.writev(request, queue, false), bytes);
  }

  #emptied(): void {
    const wasBlocked = this.#isBlocked;
    this.#unfinished = 0;
    this.#isBlocked = false;
    if (this.#ends) this.#socket.end();
    else if (wasBlocked) this.#onDrain();
  }
}
