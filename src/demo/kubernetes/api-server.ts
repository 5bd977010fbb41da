/**
 * As much of a Kubernetes API server as a client of EndpointSlices meets: list with pages, watch with bookmarks, resource versions that
 * expire, credentials; and faults on demand.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { closeAtOnce, listenOn } from '../listening.ts';
import { SliceObjects, type StoredSlice } from './objects.ts';
import { parseSelector } from './selector.ts';
import { failed, forbidden, notFound, type Status, tokenExpired, tooLarge, tooOld, unauthorized } from './statuses.ts';
import { Watches } from './watches.ts';

const RESOURCE = /^\/apis\/discovery\.k8s\.io\/v1\/(?:namespaces\/([^/]+)\/)?endpointslices$/;

const META = 'meta.k8s.io/v1';

export interface ApiServerOptions {
  /** Between two bookmarks of a watch; a real one sends them about each minute. */
  readonly bookmarkMs?: number;
  /** PEM texts; `ca` is whose client certificates are asked for. */
  readonly tls?: { readonly certificate: string; readonly key: string; readonly ca?: string };
}

export class KubernetesApiServer {
  readonly objects = new SliceObjects();
  /** Bearer tokens that are let in; empty: everybody is. */
  readonly tokens = new Set<string>();
  /** Namespaces that callers may not see. */
  readonly hidden = new Set<string>();
  /** Answers instead of what is asked for, one a request; status codes. */
  readonly failures: number[] = [];
  /** Whether an expired resource version is an HTTP status or an event in a stream that began well. */
  expiry: 'status' | 'event' = 'event';
  /** `list` and `watch` with their query, as they were asked. */
  readonly asked: string[] = [];
  /** While it listens; afterwards the last one. */
  port = 0;
  readonly #server: Server;
  readonly #watches: Watches;
  readonly #sockets = new Set<Socket>();
  readonly #frozen = new WeakSet<Socket>();
  /** By token of a next page: what is still to come. */
  readonly #pages = new Map<string, { readonly rest: readonly StoredSlice[]; readonly version: number }>();

  constructor({ bookmarkMs = 60_000, tls }: ApiServerOptions = {}) {
    this.#watches = new Watches(this.objects, bookmarkMs);
    const handle = (request: IncomingMessage, response: ServerResponse): void => this.#handle(request, response);
    this.#server =
      tls === undefined
        ? createServer(handle)
        : createTlsServer(
            {
              cert: tls.certificate,
              key: tls.key,
              ...(tls.ca === undefined ? {} : { ca: tls.ca, requestCert: true, rejectUnauthorized: true }),
            },
            handle,
          );
    this.#server.keepAliveTimeout = 60_000;
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  /** @returns its port */
  async listen(port = 0, host = '127.0.0.1'): Promise<number> {
    this.port = await listenOn(this.#server, port, host);
    return this.port;
  }

  /** Nobody listens any more, until `listen`, and every connection is cut. */
  close(): Promise<void> {
    this.cut();
    return closeAtOnce(this.#server);
  }

  get watches(): { readonly open: number; readonly speaking: number } {
    return this.#watches.count;
  }

  /** Breaks the connections of all watches. */
  cut(): void {
    this.#watches.cut();
  }

  /** Watches stay open, and hear of nothing any more. @param most so many of them, those first that were opened first */
  silence(most = Number.POSITIVE_INFINITY): void {
    this.#watches.silence(most);
  }

  /** Every connection that is open stays so, and no byte comes over it any more: as when a firewall has forgotten them. */
  freeze(): void {
    this.silence();
    for (const socket of this.#sockets) this.#frozen.add(socket);
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    if (this.#frozen.has(request.socket)) return;
    const url = new URL(request.url ?? '/', 'http://api');
    const query = url.searchParams;
    const found = RESOURCE.exec(url.pathname);
    const isWatch = ['true', '1'].includes(query.get('watch') ?? '');
    const verb = isWatch ? 'watch' : 'list';
    const namespace = found?.[1] ?? null;
    const [failure] = this.failures.splice(0, 1);
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    if (url.pathname === '/version') return answer(response, 200, { major: '1', minor: '31', gitVersion: 'v1.31.4' });
    if (/^\/(?:healthz|livez|readyz)$/.test(url.pathname)) return void response.end('ok');
    if (found === null) return refuse(response, notFound());
    this.asked.push(`${verb} ${query.toString()}`);
    if (failure !== undefined) return refuse(response, failed(failure));
    if (this.tokens.size > 0 && !this.tokens.has(token ?? '')) return refuse(response, unauthorized());
    if (namespace !== null && this.hidden.has(namespace)) return refuse(response, forbidden(verb, namespace));
    const labels = parseSelector(query.get('labelSelector') ?? '');
    const selects = (slice: StoredSlice): boolean =>
      (namespace === null || slice.metadata.namespace === namespace) && labels(slice.metadata.labels);
    if (isWatch) this.#watch(query, response, selects);
    else this.#list(query, response, selects, request.headers.accept ?? '');
  }

  #list(
    query: URLSearchParams,
    response: ServerResponse,
    selects: (slice: StoredSlice) => boolean,
    accept: string,
  ): void {
    const token = query.get('continue');
    const page = token === null ? undefined : this.#pages.get(token);
    if (token !== null && (page === undefined || page.version < this.objects.oldest))
      return refuse(response, tokenExpired());
    const wanted = Number(query.get('resourceVersion') ?? 0);
    if (wanted > this.objects.version) return refuse(response, tooLarge(wanted, this.objects.version));
    const version = page?.version ?? this.objects.version;
    const all = page?.rest ?? this.objects.all().filter(selects);
    const limit = Number(query.get('limit') ?? 0) || all.length;
    const rest = all.slice(limit);
    const metadata: Record<string, unknown> = { resourceVersion: String(version) };
    if (rest.length > 0) {
      const next = Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: version, start: this.#pages.size })).toString(
        'base64',
      );
      this.#pages.set(next, { rest, version });
      metadata['continue'] = next;
      metadata['remainingItemCount'] = rest.length;
    }
    const items = all.slice(0, limit);
    if (accept.includes('as=PartialObjectMetadataList')) {
      const named = items.map(({ metadata: of }) => ({ metadata: of }));
      return answer(response, 200, { kind: 'PartialObjectMetadataList', apiVersion: META, metadata, items: named });
    }
    answer(response, 200, { kind: 'EndpointSliceList', apiVersion: 'discovery.k8s.io/v1', metadata, items });
  }

  #watch(query: URLSearchParams, response: ServerResponse, selects: (slice: StoredSlice) => boolean): void {
    const from = Number(query.get('resourceVersion') ?? 0);
    const { oldest, version } = this.objects;
    const isOld = from > 0 && from < oldest;
    if (isOld && this.expiry === 'status') return refuse(response, tooOld(from, oldest));
    if (from > version) return refuse(response, tooLarge(from, version));
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    if (isOld) return void response.end(`${JSON.stringify({ type: 'ERROR', object: tooOld(from, oldest) })}\n`);
    this.#watches.open(response, {
      from,
      selects,
      bookmarks: ['true', '1'].includes(query.get('allowWatchBookmarks') ?? ''),
      timeoutMs: Number(query.get('timeoutSeconds') ?? 1_800) * 1_000,
    });
  }
}

function refuse(response: ServerResponse, status: Status): void {
  answer(response, status.code, status, status.code === 429 ? { 'retry-after': '1' } : {});
}

function answer(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(`${JSON.stringify(body)}\n`);
}
