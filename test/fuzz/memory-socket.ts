import { Duplex, type Readable } from 'node:stream';

/** As much of a socket as node:http needs. What it writes goes nowhere; what it reads is given by `arrive`, and at once. */
export class MemorySocket extends Duplex {
  override _read(): void {}

  override _write(_chunk: unknown, _encoding: BufferEncoding, done: () => void): void {
    done();
  }

  /** Without the stream's own queue, so that the parser has read the bytes when this returns. */
  arrive(bytes: Uint8Array): void {
    this.emit('data', bytes);
  }

  /** The other side ends the connection. */
  finish(): void {
    this.emit('end');
  }

  setTimeout(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}

/** What a stream holds, one character a byte; a single read gives all of it on some versions of Node and a part on others. */
export function held(stream: Readable): string {
  let text = '';
  for (let chunk: Buffer | null = stream.read(); chunk !== null; chunk = stream.read())
    text += chunk.toString('latin1');
  return text;
}
