/** What llhttp makes of a backend's bytes, asked through a client of node:http with its strict parser. */
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { held, MemorySocket } from './memory-socket.ts';

export interface NodeResponse {
  readonly interim: readonly number[];
  readonly status: number | null;
  readonly reason: string;
  readonly version: string;
  readonly fields: readonly string[];
  readonly body: string;
  readonly trailers: readonly string[];
  readonly isComplete: boolean;
  readonly error: string | null;
}

/** One request that waits for its response. Ready for bytes a turn of the event loop after it was made. */
export class NodeClient {
  readonly #socket = new MemorySocket();
  readonly #request: ClientRequest;
  readonly #interim: number[] = [];
  #response: IncomingMessage | null = null;
  #error: string | null = null;

  constructor(method: string) {
    this.#request = request({
      // An agent would open a connection of its own.
      createConnection: () => this.#socket,
      method,
      insecureHTTPParser: false,
      maxHeaderSize: 1 << 20,
    });
    this.#request.maxHeadersCount = 0;
    this.#request.on('information', ({ statusCode }) => this.#interim.push(statusCode));
    this.#request.on('response', (response) => {
      response.on('error', () => {});
      this.#response = response;
    });
    this.#request.on('error', (error: NodeJS.ErrnoException) => {
      this.#error ??= error.code ?? error.message;
    });
    this.#request.end();
  }

  read(pieces: Iterable<Uint8Array>, ends: boolean): NodeResponse {
    for (const piece of pieces) if (this.#error === null) this.#socket.arrive(piece);
    if (ends && this.#error === null) this.#socket.finish();
    const response = this.#response;
    const seen = {
      interim: this.#interim,
      status: response?.statusCode ?? null,
      reason: response?.statusMessage ?? '',
      version: response?.httpVersion ?? '',
      fields: response?.rawHeaders ?? [],
      body: response === null ? '' : held(response),
      trailers: response?.rawTrailers ?? [],
      isComplete: response?.complete ?? false,
      error: this.#error,
    };
    this.#socket.destroy();
    return seen;
  }
}
