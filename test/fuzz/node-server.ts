/** What llhttp makes of a client's bytes, asked through a server of node:http with its strict parser. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { held, MemorySocket } from './memory-socket.ts';

export interface NodeRequest {
  readonly method: string;
  readonly url: string;
  readonly version: string;
  /** Names and values in turn. */
  readonly fields: readonly string[];
  /** One character a byte; as much as came. */
  readonly body: string;
  readonly trailers: readonly string[];
  readonly isComplete: boolean;
}

export interface NodeRequests {
  readonly requests: readonly NodeRequest[];
  /** llhttp's reason to refuse what follows the last request, or its rest. */
  readonly error: string | null;
}

export class NodeServer {
  readonly #server: Server;
  #requests: IncomingMessage[] = [];
  #error: string | null = null;

  constructor() {
    this.#server = createServer({
      insecureHTTPParser: false,
      requireHostHeader: false,
      maxHeaderSize: 1 << 20,
      keepAliveTimeout: 0,
    });
    this.#server.maxHeadersCount = 0;
    // Nobody answers, so that node:http hands out every request of a connection as soon as it is parsed.
    const take = (request: IncomingMessage): void => {
      this.#requests.push(request);
    };
    this.#server.on('request', take).on('checkContinue', take).on('checkExpectation', take);
    this.#server.on('clientError', (error: NodeJS.ErrnoException) => {
      this.#error ??= error.code ?? error.message;
    });
  }

  read(pieces: Iterable<Uint8Array>): NodeRequests {
    this.#requests = [];
    this.#error = null;
    const socket = new MemorySocket();
    this.#server.emit('connection', socket);
    for (const piece of pieces) if (this.#error === null) socket.arrive(piece);
    const requests = this.#requests.map(seen);
    socket.destroy();
    return { requests, error: this.#error };
  }
}

function seen(request: IncomingMessage): NodeRequest {
  return {
    method: request.method ?? '',
    url: request.url ?? '',
    version: request.httpVersion,
    fields: request.rawHeaders,
    body: held(request),
    trailers: request.rawTrailers,
    isComplete: request.complete,
  };
}
