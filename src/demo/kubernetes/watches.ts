/** The watches that are open on an emulated API server. */
import type { ServerResponse } from 'node:http';
import type { SliceObjects, StoredEvent, StoredSlice } from './objects.ts';

export interface WatchRequest {
  /** Resource version; 0: all that there is first. */
  readonly from: number;
  readonly selects: (slice: StoredSlice) => boolean;
  readonly bookmarks: boolean;
  readonly timeoutMs: number;
}

interface Watch {
  readonly request: WatchRequest;
  readonly response: ServerResponse;
  isSilent: boolean;
}

const API = { kind: 'EndpointSlice', apiVersion: 'discovery.k8s.io/v1' };

export class Watches {
  readonly #objects: SliceObjects;
  readonly #bookmarkMs: number;
  readonly #open = new Set<Watch>();

  constructor(objects: SliceObjects, bookmarkMs: number) {
    this.#objects = objects;
    this.#bookmarkMs = bookmarkMs;
    objects.onEvent((event) => {
      for (const watch of this.#open) this.#tell(watch, event);
    });
  }

  /** How many are open, and how many of these are not silent. */
  get count(): { readonly open: number; readonly speaking: number } {
    return { open: this.#open.size, speaking: [...this.#open].filter(({ isSilent }) => !isSilent).length };
  }

  open(response: ServerResponse, request: WatchRequest): void {
    const watch: Watch = { request, response, isSilent: false };
    this.#open.add(watch);
    const timers = [setTimeout(() => response.end(), request.timeoutMs)];
    if (request.bookmarks) timers.push(setInterval(() => this.#bookmark(watch), this.#bookmarkMs));
    response.on('close', () => {
      this.#open.delete(watch);
      for (const timer of timers) clearInterval(timer);
    });
    if (request.from > 0) for (const event of this.#objects.since(request.from)) this.#tell(watch, event);
    else for (const object of this.#objects.all().filter(request.selects)) write(watch, 'ADDED', object);
  }

  cut(): void {
    for (const { response } of this.#open) response.socket?.destroy();
  }

  /** @param most so many of them, those first that were opened first */
  silence(most: number): void {
    for (const watch of [...this.#open].slice(0, most)) watch.isSilent = true;
  }

  /** What leaves the selection is deleted, what enters it is added, as far as the watcher can see. */
  #tell(watch: Watch, { type, object, before }: StoredEvent): void {
    const was = before !== undefined && watch.request.selects(before);
    const is = type !== 'DELETED' && watch.request.selects(object);
    if (is) write(watch, was ? 'MODIFIED' : 'ADDED', object);
    else if (was) write(watch, 'DELETED', object);
  }

  /** To the letter as a real API server sends it, but for the version. */
  #bookmark(watch: Watch): void {
    const metadata = { resourceVersion: String(this.#objects.version), creationTimestamp: null };
    write(watch, 'BOOKMARK', { metadata, addressType: '', endpoints: null, ports: null });
  }
}

function write({ response, isSilent }: Watch, type: string, object: object): void {
  if (!isSilent) response.write(`${JSON.stringify({ type, object: { ...API, ...object } })}\n`);
}
