/** HTTP/2 traffic at a steady rate: requests without TLS, gRPC calls, long two-way streams; and a server that gives back what it gets. */
import { randomUUID } from 'node:crypto';
import { type ClientHttp2Session, connect, createServer, type Http2Server, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { Client, type ClientDuplexStream, credentials, Metadata } from '@grpc/grpc-js';
import { until } from '../supervisor/until.ts';
import type { Failure, Tally } from './traffic.ts';

const PERIOD_MS = 10;
const STREAMS = 5;
const SERVICE = 'faults.v1.Echo';

const same = (bytes: Buffer): Buffer => bytes;

function backendAt(address: string): string {
  return `{ protocol: h2, discovery: { static: ["${address}"] } }`;
}

/** Two gRPC servers behind the proxy that send each message back; they count calls by id. */
export class CallBackends {
  readonly #servers: Http2Server[] = [];
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #seen = new Map<string, number>();
  #addresses = { old: '', new: '' };

  async start(): Promise<void> {
    this.#addresses = { old: await this.#listen(), new: await this.#listen() };
  }

  async #listen(): Promise<string> {
    const server = createServer();
    server.on('session', (session) => {
      this.#sessions.add(session);
      session.on('close', () => this.#sessions.delete(session)).on('error', () => {});
    });
    server.on('stream', (stream, fields) => {
      const id = String(fields['x-id']);
      this.#seen.set(id, (this.#seen.get(id) ?? 0) + 1);
      stream.on('error', () => {});
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.pipe(stream);
    });
    this.#servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** The configuration with these backends, and a route to them. */
  routed(yaml: string): string {
    const { old, new: fresh } = this.#addresses;
    const backends = `  calls-old: ${backendAt(old)}\n  calls-new: ${backendAt(fresh)}\n`;
    const route = `  - { name: calls, match: { grpc: { service: ${SERVICE} } }, old: calls-old, new: calls-new, weight: 50 }\n`;
    return yaml.replace('routes:\n', `${backends}routes:\n${route}`);
  }

  get seenTwice(): number {
    return [...this.#seen.values()].filter((times) => times > 1).length;
  }

  stop(): void {
    for (const server of this.#servers) server.close();
    for (const session of this.#sessions) session.destroy();
  }
}

/** Requests on one connection of HTTP/2 at a time, calls and streams on one of gRPC's own. */
export class Calls {
  readonly #name = randomUUID();
  readonly #url: string;
  readonly #client: Client;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #streams: ClientDuplexStream<Buffer, Buffer>[] = [];
  readonly #failedRequests: Failure[] = [];
  readonly #broken: string[] = [];
  readonly #begunAt = performance.now();
  #session: ClientHttp2Session | null = null;
  #sent = 0;
  #answered = 0;
  #echoed = 0;
  #stopped = false;

  constructor(url: string) {
    this.#url = url;
    this.#client = new Client(new URL(url).host, credentials.createInsecure());
    this.#timers.push(setInterval(() => this.#get(), PERIOD_MS));
    this.#timers.push(setInterval(() => this.#call(), PERIOD_MS));
    for (let i = 0; i < STREAMS; i++) this.#chat();
  }

  #id(): string {
    return `${this.#name}-${++this.#sent}`;
  }

  #fail(what: string): void {
    this.#failedRequests.push({ what, at: performance.now(), connectedAt: this.#begunAt });
  }

  #get(): void {
    const stream = this.#usable().request({ 'x-id': this.#id() });
    let status: number | undefined;
    let error: Error | undefined;
    stream.on('response', (fields) => (status = fields[':status']));
    stream.on('error', (cause) => (error = cause));
    stream.resume();
    stream.on('close', () => {
      if (status === 200 && error === undefined) this.#answered++;
      else this.#fail(`h2: ${error?.message ?? `status ${status}`}`);
    });
  }

  /** A connection that is told to go (GOAWAY) finishes what it has; the next request begins another. */
  #usable(): ClientHttp2Session {
    if (this.#session !== null && !this.#session.closed && !this.#session.destroyed) return this.#session;
    const session = connect(this.#url);
    session.on('error', () => {});
    this.#session = session;
    return session;
  }

  #metadata(): Metadata {
    const metadata = new Metadata();
    metadata.set('x-id', this.#id());
    return metadata;
  }

  #call(): void {
    const metadata = this.#metadata();
    const message = Buffer.from(String(metadata.get('x-id')[0]));
    this.#client.makeUnaryRequest(`/${SERVICE}/Unary`, same, same, message, metadata, (error, answer) => {
      if (error === null && answer?.equals(message)) this.#answered++;
      else this.#fail(`call: ${error?.message ?? 'another answer'}`);
    });
  }

  /** Sends a number each time the last has come back. */
  #chat(): void {
    const stream = this.#client.makeBidiStreamRequest(`/${SERVICE}/Chat`, same, same, this.#metadata());
    let next = 0;
    stream.on('data', (bytes: Buffer) => {
      if (bytes.toString() !== String(next)) this.#broken.push(`stream after ${next}: ${bytes.toString()}`);
      this.#echoed++;
      next++;
      if (!this.#stopped) setTimeout(() => stream.write(Buffer.from(String(next))), 2 * PERIOD_MS);
    });
    stream.on('error', (error) => this.#stopped || this.#broken.push(`stream: ${error.message}`));
    stream.on('end', () => this.#stopped || this.#broken.push(`stream ended after ${next}`));
    stream.write(Buffer.from('0'));
    this.#streams.push(stream);
    // It stays under way; what becomes of it is told by `broken`.
    this.#answered++;
  }

  get sent(): number {
    return this.#sent;
  }

  async stop(): Promise<Tally> {
    this.#stopped = true;
    for (const timer of this.#timers) clearInterval(timer);
    await until('the last answers', () => this.#answered + this.#failedRequests.length === this.#sent, 60_000);
    for (const stream of this.#streams) stream.cancel();
    this.#session?.close();
    this.#client.close();
    return {
      sent: this.#sent,
      answered: this.#answered,
      failed: this.#failedRequests.length,
      failures: [...new Set([...this.#failedRequests.map(({ what }) => what), ...this.#broken])],
      failedRequests: this.#failedRequests,
      echoed: this.#echoed,
      broken: this.#broken.length,
    };
  }
}
