/** Both halves of an exchange without HTTP/1 and without sockets: what HTTP/2 will look like to the exchange. */
import type { ErrorCode } from '../../src/domain/errors.ts';
import { type Fields, Finding, FlatFields } from '../../src/fields.ts';
import { CHUNKED } from '../../src/http1/framing.ts';
import type { AddedFields } from '../../src/proxy/added-fields.ts';
import { Exchange } from '../../src/proxy/exchange.ts';
import { Forwarding } from '../../src/proxy/forwarding.ts';
import type { InboundHalf, Peer, RequestView, ResponseView } from '../../src/proxy/halves.ts';
import type { Pool, PooledHalf } from '../../src/proxy/pool.ts';
import type { Runtime } from '../../src/proxy/runtime.ts';
import type { Tunnel } from '../../src/proxy/tunnel.ts';

const NO_OPTIONS = { close: false, keepAlive: false, upgrade: false, nominated: null };

/** @param fields names and values in turn, pseudo fields among them as HTTP/2 has them */
export function request(method: string, target: string, fields: readonly string[], bodyLength: number): RequestView {
  return {
    method,
    target,
    authority: 'shop.example',
    fields: new FlatFields([':method', method, ':path', target, ':authority', 'shop.example', ...fields]),
    bodyLength,
    connection: NO_OPTIONS,
    route: new Finding(),
  };
}

export function response(status: number, fields: readonly string[], bodyLength = CHUNKED): ResponseView {
  const flat = new FlatFields([':status', String(status), ...fields]);
  return { status, reason: '', fields: flat, bodyLength, connection: NO_OPTIONS };
}

export function pairs(fields: Fields | null): string[] {
  const flat: string[] = [];
  fields?.visit((name, value) => flat.push(name, value));
  return flat;
}

/** Copies, as a half must that keeps bytes beyond the call. */
function text(bytes: Buffer, start: number, end: number): string {
  return bytes.toString('latin1', start, end);
}

/** A client's stream. What it is told stands in `told`, in order. */
export class MemoryInbound implements InboundHalf {
  readonly protocol = 1;
  readonly peer: Peer = { address: '192.0.2.1', scheme: 'https', isTrusted: false, certificate: null };
  readonly forwarding = new Forwarding(this.peer, '2.0 crossfade');
  readonly exchange: Exchange;
  readonly told: string[] = [];
  fields: string[] = [];
  body = '';
  trailers: string[] = [];
  isPaused = false;
  /** Takes no more of the response. */
  isFull = false;

  constructor(runtime: Runtime) {
    this.exchange = new Exchange(runtime, this);
  }

  send(body: string): void {
    const bytes = Buffer.from(body, 'latin1');
    this.exchange.onRequestBody(bytes, 0, bytes.length);
    this.exchange.flushRequest();
  }

  respondInterim(interim: ResponseView): void {
    this.told.push(`interim ${interim.status}`);
  }

  respondHead(head: ResponseView, added: AddedFields): void {
    this.told.push(`head ${head.status}${added.lines}`);
    this.fields = pairs(head.fields);
  }

  respondBody(bytes: Buffer, start: number, end: number): boolean {
    this.body += text(bytes, start, end);
    return !this.isFull;
  }

  respondEnd(trailers: Fields | null): void {
    this.trailers = pairs(trailers);
    this.told.push('end');
  }

  flushResponse(): void {}

  respondError(code: ErrorCode): void {
    this.told.push(`error ${code}`);
  }

  cutResponse(): void {
    this.told.push('cut');
  }

  pauseRequest(): void {
    this.isPaused = true;
  }

  resumeRequest(): void {
    this.isPaused = false;
  }

  /** The request is whole, and was all that came. */
  end(trailers: Fields | null): void {
    this.exchange.onRequestEnd(trailers);
    this.exchange.flushRequest();
  }

  openTunnel(): Tunnel {
    throw new Error('streams have no tunnel here');
  }
}

/** A backend's stream, made by a pool. */
export class MemoryOutbound implements PooledHalf {
  readonly pool: Pool;
  exchange: Exchange;
  isStale = false;
  isUnanswered = true;
  mayDecline = false;
  isConnected = true;
  requests: string[] = [];
  fields: string[] = [];
  lines = '';
  body = '';
  trailers: string[] = [];
  hasEnded = false;
  isAbandoned = false;
  isPaused = false;
  isFull = false;
  closes = 0;

  constructor(pool: Pool, exchange: Exchange) {
    this.pool = pool;
    this.exchange = exchange;
  }

  /** Gives the body, and says whether more is wanted. */
  give(body: string): boolean {
    const bytes = Buffer.from(body, 'latin1');
    const flowing = this.exchange.onResponseBody(bytes, 0, bytes.length);
    this.exchange.flushResponse();
    return flowing;
  }

  /** Ends the response and goes back to the pool. */
  finish(trailers: Fields | null): void {
    this.exchange.onResponseEnd(trailers);
    this.pool.release(this);
  }

  reuse(exchange: Exchange): void {
    this.exchange = exchange;
    this.isStale = true;
    this.hasEnded = false;
    this.body = '';
  }

  sendHead(head: RequestView, forwarding: AddedFields, droppedNames: readonly string[] | null): void {
    this.requests.push(`${head.method} ${head.target}`);
    this.fields = pairs(head.fields);
    this.lines = `${forwarding.lines}${droppedNames?.join() ?? ''}`;
  }

  sendBody(bytes: Buffer, start: number, end: number): boolean {
    this.body += text(bytes, start, end);
    return !this.isFull;
  }

  sendEnd(trailers: Fields | null): void {
    this.trailers = pairs(trailers);
    this.hasEnded = true;
  }

  flushRequest(): void {}

  pauseResponse(): void {
    this.isPaused = true;
  }

  resumeResponse(): void {
    this.isPaused = false;
  }

  abandon(): void {
    this.isAbandoned = true;
    this.close();
  }

  close(): void {
    this.closes++;
    this.pool.forget(this);
  }
}
