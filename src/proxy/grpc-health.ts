/** `grpc.health.v1.Health`, answered by the proxy itself: whether it serves, as a whole or a gRPC service that it has a route for. */
import { PPM, type RouteMatch } from '../domain/route.ts';
import { FlatFields } from '../fields.ts';
import { CHUNKED, NO_BODY } from '../http1/framing.ts';
import { DOWN } from './choice.ts';
import type { Exchange } from './exchange.ts';
import type { OutboundHalf, RequestView, ResponseView } from './halves.ts';
import { NOWHERE } from './roster.ts';
import type { Runtime } from './runtime.ts';
import type { Watched } from './sweeper.ts';

const SERVICE = 'grpc.health.v1.Health';

const UNKNOWN = 0;
const SERVING = 1;
const NOT_SERVING = 2;
const SERVICE_UNKNOWN = 3;

const STATUS_OK = 0;
const STATUS_NOT_FOUND = 5;
const STATUS_RESOURCE_EXHAUSTED = 8;
const STATUS_UNIMPLEMENTED = 12;
const STATUS_INTERNAL = 13;
const STATUS_UNAVAILABLE = 14;

/** A service's name and its framing. */
const MOST_BYTES = 1024;
const PREFIX_BYTES = 5;

export function isHealthCall(target: string): boolean {
  return target.startsWith(`/${SERVICE}/`);
}

/** Whether a route is there for the health service itself, and not for everything. */
export function namesHealth(match: RouteMatch): boolean {
  return names(match, SERVICE);
}

/** Whether a route is there for a service or some of its methods, and not for everything. */
function names(match: RouteMatch, service: string): boolean {
  if (match.grpc !== undefined) return match.grpc.service === service;
  const path = typeof match.path === 'string' ? match.path : match.path?.exact;
  return path === `/${service}` || path?.startsWith(`/${service}/`) === true;
}

/** Stands where a backend's half does, so that the exchange knows no difference. */
export class GrpcHealth implements OutboundHalf, Watched {
  sweepPlace = NOWHERE;
  readonly isStale = false;
  readonly isUnanswered = true;
  readonly mayDecline = false;
  readonly isConnected = true;
  readonly #runtime: Runtime;
  #exchange: Exchange | null;
  #method = '';
  #contentType = '';
  #body: Buffer = Buffer.alloc(0);
  #service = '';
  /** What a watcher was told last. */
  #told = UNKNOWN;
  #isBlocked = false;

  constructor(runtime: Runtime, exchange: Exchange) {
    this.#runtime = runtime;
    this.#exchange = exchange;
  }

  sendHead(request: RequestView): void {
    this.#method = request.target.slice(SERVICE.length + 2);
    this.#contentType = request.fields.get('content-type') ?? '';
  }

  sendBody(bytes: Buffer, start: number, end: number): boolean {
    if (this.#body.length <= MOST_BYTES) this.#body = Buffer.concat([this.#body, bytes.subarray(start, end)]);
    return true;
  }

  sendEnd(): void {
    if (this.#exchange === null) return;
    const service = serviceOf(this.#body);
    if (this.#method !== 'Check' && this.#method !== 'Watch') this.#refuse(STATUS_UNIMPLEMENTED);
    else if (this.#body.length > MOST_BYTES) this.#refuse(STATUS_RESOURCE_EXHAUSTED);
    else if (service === null) this.#refuse(STATUS_INTERNAL);
    else this.#answer(service);
  }

  #answer(service: string): void {
    this.#service = service;
    const status = this.#status();
    if (this.#method === 'Check' && status === SERVICE_UNKNOWN) {
      this.#refuse(STATUS_NOT_FOUND);
      return;
    }
    this.#exchange?.onResponseHead(this.#head([], CHUNKED));
    this.#tell(status);
    if (this.#method === 'Check') this.#end(STATUS_OK);
    else if (this.#exchange !== null) this.#runtime.sweeper.watch(this);
  }

  /** Trailers-only. */
  #refuse(status: number): void {
    const exchange = this.#leave();
    exchange?.onResponseHead(this.#head(['grpc-status', String(status)], NO_BODY));
    exchange?.onResponseEnd(null);
  }

  #head(more: readonly string[], bodyLength: number): ResponseView {
    const fields = new FlatFields(['content-type', this.#contentType, ...more]);
    return { status: 200, reason: 'OK', fields, bodyLength, connection: { upgrade: false, nominated: null } };
  }

  #status(): number {
    const { snapshot, usable } = this.#runtime.serving;
    const isNamed = this.#service !== '';
    const routes = [...snapshot.routes.entries()].filter(([, { match }]) => names(match, this.#service));
    if (isNamed && routes.length === 0) return SERVICE_UNKNOWN;
    if (this.#runtime.isDraining) return NOT_SERVING;
    // Those that requests may go to, less those that take no connection.
    const hasEndpoint = (backend: number): boolean =>
      usable[backend]?.some(({ caution }) => (caution & DOWN) === 0) === true;
    const serves = routes.some(([index, route]) => {
      const weightPpm = snapshot.weightsPpm[index] as number;
      return (weightPpm < PPM && hasEndpoint(route.old)) || (weightPpm > 0 && hasEndpoint(route.new));
    });
    return !isNamed || serves ? SERVING : NOT_SERVING;
  }

  #tell(status: number): void {
    this.#told = status;
    const message = Buffer.from([0, 0, 0, 0, 2, 0x08, status]);
    this.#isBlocked = this.#exchange?.onResponseBody(message, 0, message.length) === false;
    this.#exchange?.flushResponse();
  }

  #end(status: number): void {
    this.#leave()?.onResponseEnd(new FlatFields(['grpc-status', String(status)]));
  }

  #leave(): Exchange | null {
    const exchange = this.#exchange;
    this.#exchange = null;
    this.#runtime.sweeper.unwatch(this);
    return exchange;
  }

  /** A watcher hears of changes. */
  sweep(): void {
    const status = this.#status();
    if (status !== this.#told && !this.#isBlocked) this.#tell(status);
    // It had better watch another replica now.
    if (this.#runtime.isDraining) this.#end(STATUS_UNAVAILABLE);
  }

  resumeResponse(): void {
    this.#isBlocked = false;
  }

  pauseResponse(): void {}

  flushRequest(): void {}

  abandon(): void {
    this.#leave();
  }
}

/** `service` (field 1) of a HealthCheckRequest in its length-prefixed frame; null: it is none, or is compressed. */
function serviceOf(body: Buffer): string | null {
  if (body.length < PREFIX_BYTES || body[0] !== 0 || body.readUInt32BE(1) !== body.length - PREFIX_BYTES) return null;
  if (body.length === PREFIX_BYTES) return '';
  if (body[PREFIX_BYTES] !== 0x0a) return null;
  // A varint: MOST_BYTES leaves it two bytes at most.
  const low = body[PREFIX_BYTES + 1] ?? 0;
  const isLong = low >= 0x80;
  const length = isLong ? (low & 0x7f) | ((body[PREFIX_BYTES + 2] ?? 0) << 7) : low;
  const at = PREFIX_BYTES + (isLong ? 3 : 2);
  return body.length - at === length ? body.toString('utf8', at) : null;
}
