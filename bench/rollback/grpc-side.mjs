// @ts-check
// A gRPC server whose calls can be told to fail in their trailers, after a whole response.
import { once } from 'node:events';
import { createServer } from 'node:http2';

const OK = '0';
const UNAVAILABLE = '14';
/** An empty message: not compressed, no length. */
export const EMPTY_MESSAGE = Buffer.alloc(5);

export class GrpcSide {
  #status = OK;
  /** When it first answered badly since the mode was set; performance.now(). */
  firstBadAt = Number.NaN;
  port = 0;
  /** @type {Set<import('node:http2').ServerHttp2Session>} */
  #sessions = new Set();
  #server = createServer();

  constructor() {
    this.#server.on('session', (session) => {
      this.#sessions.add(session);
      session.on('close', () => this.#sessions.delete(session)).on('error', () => {});
    });
    this.#server.on('stream', (stream) => this.#answer(stream));
  }

  /** @param {import('node:http2').ServerHttp2Stream} stream */
  #answer(stream) {
    const status = this.#status;
    stream.on('error', () => {}).resume();
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => {
      if (status !== OK && Number.isNaN(this.firstBadAt)) this.firstBadAt = performance.now();
      stream.sendTrailers({ 'grpc-status': status });
    });
    stream.end(EMPTY_MESSAGE);
  }

  async listen() {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    this.port = address.port;
  }

  /** @param {string} mode `well`, or anything else for UNAVAILABLE */
  async set(mode) {
    this.firstBadAt = Number.NaN;
    this.#status = mode === 'well' ? OK : UNAVAILABLE;
  }

  close() {
    this.#server.close();
    for (const session of this.#sessions) session.destroy();
  }
}
