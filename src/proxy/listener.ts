/** A listening socket and the client connections that came in by it. */
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import type { ListenerSpec } from '../seam.ts';
import { plainAddress } from './forwarding.ts';
import type { Peer } from './halves.ts';
import { InboundHttp1 } from './inbound-http1.ts';
import { http1Error } from './respond-error.ts';
import type { Runtime } from './runtime.ts';
import { adoptSocket, sharedRead } from './socket-input.ts';

/** Connections that wait to be accepted; the kernel's own limit (somaxconn) is what holds. */
const BACKLOG = 4096;
/** A client that has not secured its connection by then is dropped; it counts among the connections only afterwards. */
const HANDSHAKE_MS = 10_000;
/** How long a refused client may go on sending, so that a reset does not eat its answer. */
const REFUSED_MS = 1_000;

/** Client connections of the worker, over all listeners, and how many each address has. */
export class ConnectionCensus {
  total = 0;
  readonly #byAddress = new Map<string, number>();

  admit(address: string, most: number, mostOfOne: number): boolean {
    const ofOne = this.#byAddress.get(address) ?? 0;
    if (this.total >= most || (mostOfOne > 0 && ofOne >= mostOfOne)) return false;
    this.total++;
    this.#byAddress.set(address, ofOne + 1);
    return true;
  }

  leave(address: string): void {
    this.total--;
    const left = (this.#byAddress.get(address) ?? 1) - 1;
    if (left === 0) this.#byAddress.delete(address);
    else this.#byAddress.set(address, left);
  }
}

export class Listener {
  readonly spec: ListenerSpec;
  readonly #runtime: Runtime;
  readonly #census: ConnectionCensus;
  readonly #server: Server | TlsServer;
  readonly #connections = new Set<InboundHttp1>();

  constructor(runtime: Runtime, census: ConnectionCensus, spec: ListenerSpec) {
    this.#runtime = runtime;
    this.#census = census;
    this.spec = spec;
    this.#server = this.#create();
  }

  #create(): Server | TlsServer {
    const options = { allowHalfOpen: true, noDelay: true };
    const { tls } = this.spec;
    if (tls === undefined)
      return createServer({ ...options, pauseOnConnect: true }, (socket) => this.#accept(socket, 'http'));
    const server = createTlsServer(
      {
        ...options,
        cert: tls.certificate,
        key: tls.key,
        ALPNProtocols: ['http/1.1'],
        minVersion: 'TLSv1.2',
        handshakeTimeout: HANDSHAKE_MS,
      },
      (socket) => this.#accept(socket, 'https'),
    );
    // A handshake that fails is the client's affair; without a listener its error would end the process.
    server.on('tlsClientError', (_error, socket) => socket.destroy());
    return server;
  }

  /** Resolves when connections are accepted, rejects with Node's error when the address cannot be had. */
  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host: this.spec.host, port: this.spec.port, backlog: BACKLOG }, () => {
        this.#server.off('error', reject);
        // Running out of descriptors (EMFILE) is no reason to end what is served already.
        this.#server.on('error', () => undefined);
        resolve();
      });
    });
  }

  /** New connections are secured with another certificate; those that are there stay as they are. */
  renewCertificate(spec: ListenerSpec): void {
    if (spec.tls !== undefined && 'setSecureContext' in this.#server) {
      this.#server.setSecureContext({ cert: spec.tls.certificate, key: spec.tls.key, minVersion: 'TLSv1.2' });
    }
  }

  /** Accepts nothing more; connections that are there go on. */
  stopAccepting(): void {
    this.#server.close();
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Ends all connections that are still there. */
  destroyConnections(): void {
    for (const connection of this.#connections) connection.destroy();
  }

  #accept(socket: Socket, scheme: Peer['scheme']): void {
    const runtime = this.#runtime;
    const address = plainAddress(socket.remoteAddress ?? '');
    if (address === '') {
      socket.destroy();
      return;
    }
    const { limits, trusted } = runtime.serving;
    if (!this.#census.admit(address, limits.connections, limits.connectionsPerClient)) {
      refuse(socket);
      return;
    }
    const peer: Peer = { address, scheme, isTrusted: trusted.has(address) };
    const onGone = (): void => {
      this.#connections.delete(connection);
      this.#census.leave(address);
    };
    const connection: InboundHttp1 =
      scheme === 'https' ? this.#secured(socket, peer, onGone) : this.#plain(socket, peer, onGone);
    this.#connections.add(connection);
  }

  #plain(accepted: Socket, peer: Peer, onGone: () => void): InboundHttp1 {
    const socket: Socket = adoptSocket(
      accepted,
      sharedRead((bytes, length) => connection.onData(bytes, length)),
    );
    const connection = new InboundHttp1(this.#runtime, socket, peer, onGone);
    socket.resume();
    return connection;
  }

  #secured(socket: Socket, peer: Peer, onGone: () => void): InboundHttp1 {
    const connection = new InboundHttp1(this.#runtime, socket, peer, onGone);
    socket.on('data', (bytes: Buffer) => connection.onData(bytes, bytes.length));
    return connection;
  }
}

/** Says that there are too many, throws away what comes and closes when the client does or its time is over. */
function refuse(socket: Socket): void {
  const timer = setTimeout(() => socket.destroy(), REFUSED_MS);
  socket.on('error', () => undefined);
  socket.on('close', () => clearTimeout(timer));
  socket.end(http1Error('tooManyConnections', true, false), 'latin1');
  socket.resume();
}
