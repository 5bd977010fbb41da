/** A listening socket and the client connections that came in by it. */
import { createServer, type Server, type Socket } from 'node:net';
import type { Server as TlsServer } from 'node:tls';
import type { ConnectionsOfListener, ListenerSpec, ListenerTls } from '../seam.ts';
import { acceptByHandle } from './accepting.ts';
import { Arrival } from './arrival.ts';
import type { Channel } from './channel.ts';
import { clientCertElement } from './client-certificate.ts';
import { type ClientConnection, Greeting } from './client-connection.ts';
import { plainAddress } from './forwarding.ts';
import type { Peer } from './halves.ts';
import { InboundHttp1 } from './inbound-http1.ts';
import { InboundHttp2 } from './inbound-http2.ts';
import { refuse } from './refusal.ts';
import { countRejection } from './rejections.ts';
import { Roster } from './roster.ts';
import type { Runtime } from './runtime.ts';
import { createSecuring } from './securing.ts';
import { SILENT } from './silent-sink.ts';
import { SocketChannel } from './socket-channel.ts';

/** Connections that wait to be accepted; the kernel's own limit (somaxconn) is what holds. */
const BACKLOG = 4096;
/** When connections may idle for ever: how long a trusted peer may take to say who its client is. */
const ARRIVAL_MS = 60_000;

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
  readonly #server: Server;
  /** Secures what the server has accepted; null on a cleartext listener. */
  #secure: TlsServer | null;
  /** Clients named by a PROXY header, while their connections are being secured, by the peer's address and port. */
  readonly #sources = new Map<string, string>();
  readonly #connections = new Roster<'listenerPlace', ClientConnection>('listenerPlace');

  constructor(runtime: Runtime, census: ConnectionCensus, spec: ListenerSpec, ticketKeys: Uint8Array) {
    this.#runtime = runtime;
    this.#census = census;
    this.spec = spec;
    const { tls } = spec;
    this.#secure = tls === undefined ? null : this.#securing(tls, ticketKeys);
    // A cleartext socket reads nothing before its reader is there; one to be secured is handed on as it is.
    const options = { allowHalfOpen: true, noDelay: true, pauseOnConnect: tls === undefined };
    this.#server = createServer(options, (socket) => this.#arrive(socket));
    // Those that are secured, and all where there are no handles to be had, come as sockets.
    if (tls === undefined)
      acceptByHandle(this.#server, (channel, address) => this.#arrivePlain(channel, plainAddress(address)));
  }

  #securing(tls: ListenerTls, ticketKeys: Uint8Array): TlsServer {
    return createSecuring(tls, ticketKeys, (socket) => {
      const source = this.#sources.get(peerKey(socket)) ?? plainAddress(socket.remoteAddress ?? '');
      const certificate = tls.client?.isForwarded === true ? socket.getPeerX509Certificate() : undefined;
      const client = {
        address: source,
        certificate: certificate === undefined ? null : clientCertElement(certificate),
      };
      const channel = new SocketChannel(socket, SILENT);
      this.#admit(channel, client, 'https');
      channel.start();
    });
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

  /** New connections are secured by another specification of this address; those that are there stay as they are. */
  renew({ tls }: ListenerSpec, ticketKeys: Uint8Array): void {
    if (tls !== undefined && this.#secure !== null) this.#secure = this.#securing(tls, ticketKeys);
  }

  renewTicketKeys(ticketKeys: Uint8Array): void {
    this.#secure?.setTicketKeys(Buffer.from(ticketKeys));
  }

  /** Accepts nothing more; connections that are there go on. */
  stopAccepting(): void {
    this.#server.close();
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  countByProtocol(): ConnectionsOfListener {
    let h2 = 0;
    this.#connections.forEach(({ isHttp2 }) => {
      if (isHttp2) h2++;
    });
    return { http1: this.#connections.size - h2, h2 };
  }

  /** Ends all connections that are still there. */
  destroyConnections(): void {
    this.#connections.forEach((connection) => connection.destroy());
  }

  #arrive(socket: Socket): void {
    const address = plainAddress(socket.remoteAddress ?? '');
    if (address === '') socket.destroy();
    else if (this.#secure !== null) this.#arriveSecured(socket, this.#secure, address);
    else this.#arrivePlain(new SocketChannel(socket, SILENT), address);
  }

  #arrivePlain(channel: Channel, address: string): void {
    const begin = (source: string | null, rest: Buffer | null): void => {
      this.#admit(channel, { address: source ?? address, certificate: null }, 'http');
      if (rest !== null && rest.length > 0) channel.sink.received(rest, rest.length);
    };
    if (this.#runtime.serving.trusted.has(address)) channel.sink = new Arrival(channel, this.#arrivalMs, begin);
    else begin(null, null);
    channel.start();
  }

  #arriveSecured(socket: Socket, secure: TlsServer, address: string): void {
    if (!this.#runtime.serving.trusted.has(address)) {
      secure.emit('connection', socket);
      return;
    }
    const onData = (bytes: Buffer): void => arrival.received(bytes, bytes.length);
    const onEnd = (): void => arrival.peerEnded();
    const onClose = (): void => arrival.closed();
    const arrival = new Arrival(socket, this.#arrivalMs, (source, rest) => {
      socket.off('data', onData).off('end', onEnd).off('error', onClose).off('close', onClose).pause();
      if (source !== null) {
        const key = peerKey(socket);
        this.#sources.set(key, source);
        socket.once('close', () => this.#sources.delete(key));
      }
      if (rest.length > 0) socket.unshift(rest);
      secure.emit('connection', socket);
    });
    socket.on('data', onData).on('end', onEnd).on('error', onClose).on('close', onClose);
  }

  /** A trusted peer that says nothing is one that keeps a connection for later. */
  get #arrivalMs(): number {
    const { idleMs } = this.#runtime.serving;
    return idleMs > 0 ? idleMs : ARRIVAL_MS;
  }

  #admit(
    channel: Channel,
    { address, certificate }: Pick<Peer, 'address' | 'certificate'>,
    scheme: Peer['scheme'],
  ): void {
    const { limits, trusted } = this.#runtime.serving;
    if (!this.#census.admit(address, limits.connections, limits.connectionsPerClient)) {
      countRejection(this.#runtime.serving.counts, 'tooManyConnections');
      refuse(channel);
      return;
    }
    const peer = { address, scheme, isTrusted: trusted.has(address), certificate };
    const onGone = (): void => {
      this.#connections.remove(connection);
      this.#census.leave(address);
    };
    const Connection = kindOf(scheme, channel);
    const connection: ClientConnection = new Connection(this.#runtime, channel, peer, onGone);
    this.#connections.add(connection);
  }
}

/** TLS says what is spoken (ALPN, RFC 7301); without it the first bytes do. */
function kindOf(
  scheme: Peer['scheme'],
  { protocol }: Channel,
): typeof Greeting | typeof InboundHttp1 | typeof InboundHttp2 {
  if (scheme === 'http') return Greeting;
  return protocol === 'h2' ? InboundHttp2 : InboundHttp1;
}

function peerKey(socket: Socket): string {
  return `${socket.remoteAddress}:${socket.remotePort}`;
}
