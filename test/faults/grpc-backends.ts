/** Backends of gRPC that restart as a pod does: another one takes their port, while they tell their clients to go and finish what runs. */
import { once } from 'node:events';
import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { METHODS } from '../grpc/calls.ts';
import { freePort } from '../store/redis/servers.ts';

export interface GrpcBackend {
  readonly port: number;
  restart(): Promise<void>;
  stop(): void;
}

/** As @grpc/grpc-js does it. */
export class GrpcJsBackend implements GrpcBackend {
  readonly port: number;
  readonly #servers: Server[] = [];

  constructor(port: number) {
    this.port = port;
  }

  static async start(): Promise<GrpcJsBackend> {
    const backend = new GrpcJsBackend(await freePort());
    await backend.#listen();
    return backend;
  }

  async #listen(): Promise<void> {
    const server = new Server();
    server.addService(METHODS, {
      unary: (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => answer(null, call.request),
      chat: (call: ServerDuplexStream<Buffer, Buffer>) => {
        call.on('data', (message: Buffer) => call.write(message));
        call.on('end', () => call.end());
      },
    });
    await new Promise<void>((resolve, reject) => {
      const address = `127.0.0.1:${this.port}`;
      server.bindAsync(address, ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve()));
    });
    this.#servers.push(server);
  }

  async restart(): Promise<void> {
    this.#servers.at(-1)?.tryShutdown(() => undefined);
    await this.#listen();
  }

  stop(): void {
    for (const server of this.#servers) server.forceShutdown();
  }
}

/** The same on node:http2, whose GOAWAY names the last stream at once, so that later ones are refused. */
export class NodeBackend implements GrpcBackend {
  readonly port: number;
  #server: Http2Server = createServer();
  readonly #sessions = new Set<ServerHttp2Session>();

  constructor(port: number) {
    this.port = port;
  }

  static async start(): Promise<NodeBackend> {
    const backend = new NodeBackend(await freePort());
    await backend.#listen();
    return backend;
  }

  async #listen(): Promise<void> {
    this.#server = createServer();
    this.#server.on('session', (session) => {
      this.#sessions.add(session);
      session.on('close', () => this.#sessions.delete(session));
    });
    this.#server.on('stream', (stream) => echo(stream));
    await once(this.#server.listen(this.port, '127.0.0.1'), 'listening');
  }

  async restart(): Promise<void> {
    this.#server.close();
    for (const session of this.#sessions) session.close();
    await this.#listen();
  }

  stop(): void {
    this.#server.close();
    for (const session of this.#sessions) session.destroy();
  }
}

/** Any call's messages come back as they are. */
function echo(stream: ServerHttp2Stream): void {
  stream.on('error', () => undefined);
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.pipe(stream);
}
