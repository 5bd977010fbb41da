/** The two requests that are made of a Kubernetes API server: the list of a service's EndpointSlices, and the watch that goes on from it. */
import { LineReader } from '../line-reader.ts';
import type { Cluster } from './cluster.ts';
import type { EndpointSlice } from './slices.ts';

export interface SliceList {
  readonly slices: readonly EndpointSlice[];
  /** Where a watch goes on from. */
  readonly resourceVersion: string;
}

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: EndpointSlice & Status;
}

interface Page {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items?: readonly EndpointSlice[] | null;
}

/** What the API server answers where something is wrong. */
interface Status {
  readonly message?: string;
  readonly code?: number;
}

/** The server refused, or said that what was asked for is no longer there. */
export class ApiError extends Error {
  readonly status: number;
  /** From Retry-After; null: it does not say. */
  readonly retryAfterMs: number | null;

  constructor(message: string, status: number, retryAfterMs: number | null = null) {
    super(message);
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The resource version is too old, or the page's token: begin again with a list. */
export const GONE = 410;
const UNAUTHORIZED = 401;
const FORBIDDEN = 403;
const PAGE = 500;
const TIMEOUT_MS = 10_000;
const LOOK_MS = 500;
/** Metadata alone (https://kubernetes.io/docs/reference/using-api/api-concepts/): no endpoint in it. A server that cannot sends all. */
const METADATA = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io, application/json;q=0.9';

export interface WatchRequest {
  /** Resource version. */
  readonly place: string;
  readonly seconds: number;
  /** Longest silence. */
  readonly silentMs: number;
  /** Ends it. */
  readonly cut: AbortSignal;
}

export class SlicesApi {
  readonly #cluster: Cluster;
  readonly #namespace: string;
  readonly #path: string;
  readonly #over: AbortSignal;

  /** @param over ends every request */
  constructor(cluster: Cluster, namespace: string, service: string, over: AbortSignal) {
    this.#cluster = cluster;
    this.#namespace = namespace;
    const selector = encodeURIComponent(`kubernetes.io/service-name=${service}`);
    this.#path = `/apis/discovery.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/endpointslices?labelSelector=${selector}`;
    this.#over = over;
  }

  /** All pages. @throws ApiError, or Error in words when nobody answers */
  async list(): Promise<SliceList> {
    try {
      return await this.#pages(PAGE);
    } catch (error) {
      // A page's token has expired while the pages before were read: all at once, then.
      if (error instanceof ApiError && error.status === GONE) return this.#pages(0);
      throw error;
    }
  }

  async #pages(limit: number): Promise<SliceList> {
    const slices: EndpointSlice[] = [];
    let resume = '';
    for (;;) {
      const page = await this.#page(`${limit === 0 ? '' : `&limit=${limit}`}${resume}`);
      slices.push(...(page.items ?? []));
      const { resourceVersion = '', continue: token } = page.metadata ?? {};
      if (!token) return { slices, resourceVersion };
      resume = `&continue=${encodeURIComponent(token)}`;
    }
  }

  async #page(query: string, { accept = 'application/json', timeoutMs = TIMEOUT_MS } = {}): Promise<Page> {
    const { client, server, headers } = await this.#cluster.access();
    const request = { path: this.#path + query, headers: { accept, ...headers }, timeoutMs };
    const { status, body, headers: answered } = await named(server, client.send(request, this.#over));
    if (status !== 200) throw this.#refused(server, status, body.toString(), answered['retry-after']);
    return parsed(server, body.toString()) as Page;
  }

  /** The resource versions of the slices, by name, from what the server has in memory; it may be a moment behind. @throws as `list` */
  async versions(): Promise<{ readonly versions: ReadonlyMap<string, string>; readonly version: string }> {
    const { items, metadata } = await this.#look().catch((error: unknown) => {
      // Its connection may be one of those that lie silent: by another, then.
      if (error instanceof ApiError) throw error;
      return this.#look();
    });
    const named = (items ?? []).map(({ metadata: of }) => [of?.name ?? '', of?.resourceVersion ?? ''] as const);
    return { versions: new Map(named), version: metadata?.resourceVersion ?? '' };
  }

  #look(): Promise<Page> {
    return this.#page('&resourceVersion=0', { accept: METADATA, timeoutMs: LOOK_MS });
  }

  /**
   * Calls back with the events of each chunk that comes, until the server ends the watch.
   * @param onOpen the server has accepted the resource version
   * @throws ApiError, also for an ERROR event; or Error in words when the connection breaks
   */
  async watch(
    { place, seconds, silentMs, cut }: WatchRequest,
    { onOpen, onEvents }: { onOpen: () => void; onEvents: (events: readonly WatchEvent[]) => void },
  ): Promise<void> {
    const { client, server, headers } = await this.#cluster.access();
    const query = `&watch=true&allowWatchBookmarks=true&timeoutSeconds=${seconds}&resourceVersion=${encodeURIComponent(place)}`;
    const request = { path: this.#path + query, headers, timeoutMs: TIMEOUT_MS };
    const over = AbortSignal.any([this.#over, cut]);
    const response = await named(server, client.stream(request, over));
    const end = (): void => void response.destroy(new Error('not wanted any more'));
    const watchdog = setTimeout(() => response.destroy(new Error(`silent for ${silentMs} ms`)), silentMs);
    over.addEventListener('abort', end);
    try {
      const status = response.statusCode ?? 0;
      if (status === 200) onOpen();
      const lines = new LineReader();
      let refusal = '';
      for await (const chunk of response as AsyncIterable<Buffer>) {
        watchdog.refresh();
        if (status !== 200) refusal += chunk.toString();
        else onEvents(lines.push(chunk).map((line) => this.#event(server, line)));
      }
      if (status !== 200) throw this.#refused(server, status, refusal, response.headers['retry-after']);
    } catch (error) {
      if (error instanceof ApiError) throw error;
      throw new Error(`${server} broke off the watch: ${(error as Error).message}`, { cause: error });
    } finally {
      clearTimeout(watchdog);
      over.removeEventListener('abort', end);
      response.destroy();
    }
  }

  #event(server: string, line: string): WatchEvent {
    const event = parsed(server, line) as WatchEvent;
    if (event.type !== 'ERROR') return event;
    const { code = 500, message = 'no message' } = event.object;
    throw new ApiError(`${server} ended the watch: ${message}`, code);
  }

  #refused(server: string, status: number, body: string, retryAfter: string | undefined): ApiError {
    if (status === UNAUTHORIZED) this.#cluster.forget();
    const message = messageOf(body);
    const hint =
      status === FORBIDDEN ? `; grant list and watch on endpointslices in the namespace ${this.#namespace}` : '';
    const seconds = Number(retryAfter);
    const retryAfterMs = retryAfter !== undefined && Number.isFinite(seconds) ? seconds * 1_000 : null;
    return new ApiError(`${server} answered ${status}${message}${hint}`, status, retryAfterMs);
  }
}

/** The message of a Status, behind a colon; nothing where the body is something else. */
function messageOf(body: string): string {
  try {
    const { message } = JSON.parse(body) as Status;
    return message === undefined ? '' : `: ${message}`;
  } catch {
    return '';
  }
}

function parsed(server: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${server} answered what is not JSON`);
  }
}

async function named<T>(server: string, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw new Error(`${server} ${(error as Error).message}`, { cause: error });
  }
}
