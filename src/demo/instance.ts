import { createServer, type Server } from 'node:http';
import { listenOn } from './listening.ts';

/** Longer than the proxy keeps an idle connection, so that it is the proxy that closes. */
const KEEP_ALIVE_MS = 75_000;

/** One running copy of the sample service: says its side and its name to whatever it is asked. */
export class Instance {
  readonly host: string;
  readonly port: number;
  readonly #server: Server;

  private constructor(server: Server, host: string, port: number) {
    this.#server = server;
    this.host = host;
    this.port = port;
  }

  static async start(side: string, name: string, host: string, port: number): Promise<Instance> {
    const text = `${JSON.stringify({ side, instance: name })}\n`;
    const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
      request.resume();
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
      response.end(text);
    });
    await listenOn(server, port, host);
    return new Instance(server, host, port);
  }

  /** Accepts nothing more and ends when what runs is done, as a process does on SIGTERM. */
  stop(): void {
    this.#server.close();
    this.#server.closeIdleConnections();
  }

  /** Everything breaks at once, as when its machine dies. */
  die(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
