import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Stands between a client and a server, and loses what it is told to lose. */
export class Relay {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** What the server says on connections that are open by now is lost. */
  readonly #muted = new Set<Socket>();
  readonly #upstreams = new Set<Socket>();

  /** So far. */
  get connections(): number {
    return this.#upstreams.size;
  }

  private constructor(server: Server) {
    this.#server = server;
  }

  static async to(port: number): Promise<Relay> {
    const server = createServer();
    const relay = new Relay(server);
    server.on('connection', (client) => relay.#join(client, connect(port, '127.0.0.1')));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return relay;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  #join(client: Socket, upstream: Socket): void {
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.#sockets.add(from);
      from.on('data', (chunk) => {
        if (!this.#muted.has(from)) to.write(chunk);
      });
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
    }
    upstream.on('close', () => this.#muted.delete(upstream));
    this.#upstreams.add(upstream);
  }

  muteOpen(): void {
    for (const upstream of this.#upstreams) this.#muted.add(upstream);
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
