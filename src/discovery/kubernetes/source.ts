/**
 * A service's endpoints by the list of its EndpointSlices and the watch that goes on from it. A watch that ends or breaks is taken up again
 * where it was; only where the server has forgotten that place, or cannot go on from it, is everything listed anew and what differs applied.
 */
import type { KubernetesSource } from '../../domain/source.ts';
import { Backoff } from '../backoff.ts';
import type { Discovery, DiscoveryTools } from '../discovery.ts';
import { LiveSet } from '../live-set.ts';
import { runRounds } from '../rounds.ts';
import { ApiError, GONE, SlicesApi, type WatchEvent } from './api.ts';
import type { Cluster } from './cluster.ts';
import { type EndpointSlice, readSlice, type SliceView, selectEndpoints } from './slices.ts';

export interface WatchTimes {
  /** A watch asks for between this and a quarter more. */
  readonly leastWatchS: number;
  /** A server sends a bookmark each minute or so; one that is silent for longer may have forgotten us. */
  readonly silentMs: number;
  /** Longest pause between attempts that nobody answers: who is away is not burdened by being asked again soon. */
  readonly longestAwayMs: () => number;
}
const FIRST_PAUSE_MS = 50;
const LONGEST_REFUSED_MS = 5_000;
const UNAVAILABLE = 503;
/** A watch that lasts less was not worth being opened; so many in a row, and the place is not trusted any more. */
const SHORT_MS = 1_000;
const MOST_SHORT = 3;
const SERVICE_LABEL = 'kubernetes.io/service-name';

export function createKubernetesDiscovery(
  source: KubernetesSource,
  cluster: Cluster,
  { clock, random }: DiscoveryTools,
  times: WatchTimes,
): Discovery {
  const over = new AbortController();
  const set = new LiveSet(clock, () => {
    over.abort();
    cluster.close();
  });
  const watch = new SliceWatch(source, new SlicesApi(cluster, source.namespace, source.service, over.signal), set, {
    clock,
    random,
    times,
  });
  void runRounds(() => watch.round(), over.signal);
  return set;
}

class SliceWatch {
  readonly #source: KubernetesSource;
  readonly #api: SlicesApi;
  readonly #set: LiveSet;
  readonly #clock: () => number;
  readonly #random: () => number;
  readonly #times: WatchTimes;
  readonly #backoff: Backoff;
  /** By the slice's name. */
  #views = new Map<string, SliceView>();
  /** Where the watch goes on from; null: list first. */
  #place: string | null = null;
  /** Watches in a row that ended as soon as they began. */
  #short = 0;
  #openedAtMs = Number.NEGATIVE_INFINITY;
  /** In the watch that is or was the last. */
  #hadEvents = false;

  constructor(
    source: KubernetesSource,
    api: SlicesApi,
    set: LiveSet,
    { clock, random, times }: { clock: () => number; random: () => number; times: WatchTimes },
  ) {
    this.#source = source;
    this.#api = api;
    this.#set = set;
    this.#clock = clock;
    this.#random = random;
    this.#times = times;
    this.#backoff = new Backoff(FIRST_PAUSE_MS, random);
  }

  /** One list, if need be, and one watch. Resolves with how long to wait for the next, in milliseconds. */
  async round(): Promise<number> {
    const before = this.#openedAtMs;
    try {
      this.#place ??= await this.#list();
      await this.#watch(this.#place);
    } catch (error) {
      if (!(error instanceof ApiError) && this.#openedAtMs !== before) return this.#ended();
      return this.#failed(error as Error);
    }
    return this.#ended();
  }

  /** Resolves with the place. */
  async #list(): Promise<string> {
    const { slices, resourceVersion } = await this.#api.list();
    this.#views = new Map();
    for (const slice of slices) this.#take(slice);
    this.#show();
    return resourceVersion;
  }

  async #watch(place: string): Promise<void> {
    const { leastWatchS, silentMs } = this.#times;
    const seconds = Math.round(leastWatchS * (1 + this.#random() / 4));
    await this.#api.watch(place, seconds, silentMs, {
      onOpen: () => {
        this.#openedAtMs = this.#clock();
        this.#hadEvents = false;
        // What was missed comes first; up to there the endpoints are those that the server knows.
        this.#show();
      },
      onEvents: (events) => {
        for (const event of events) this.#apply(event);
        this.#hadEvents ||= events.length > 0;
        this.#show();
      },
    });
  }

  #apply({ type, object }: WatchEvent): void {
    // Of a bookmark only the place is true; the rest of it is empty.
    this.#place = object.metadata?.resourceVersion ?? this.#place;
    if (type === 'DELETED') this.#views.delete(object.metadata?.name ?? '');
    else if (type !== 'BOOKMARK') this.#take(object);
  }

  #take(slice: EndpointSlice): void {
    const { name = '', labels } = slice.metadata ?? {};
    if (labels?.[SERVICE_LABEL] === this.#source.service) this.#views.set(name, readSlice(slice, this.#source.port));
    else this.#views.delete(name);
  }

  #show(): void {
    const endpoints = selectEndpoints(this.#views.values());
    this.#set.put(endpoints, endpoints.length > 0 ? null : this.#emptiness());
  }

  #emptiness(): string {
    const { namespace, service, port } = this.#source;
    const named = new Set([...this.#views.values()].flatMap(({ ports }) => ports));
    const other = named.size > 0 && !named.has(String(port)) ? `; its ports are ${[...named].join(', ')}` : '';
    return `Kubernetes: the service ${namespace}/${service} has no ready endpoint with the port ${port}${other}`;
  }

  /** A watch that had begun is over, in order or not: that is ordinary, unless it was short. */
  #ended(): number {
    const isLong = this.#clock() - this.#openedAtMs >= SHORT_MS;
    if (isLong || this.#hadEvents) {
      this.#short = 0;
      this.#backoff.reset();
      return isLong ? 0 : FIRST_PAUSE_MS;
    }
    if (++this.#short >= MOST_SHORT) this.#place = null;
    return this.#backoff.nextMs(this.#times.longestAwayMs());
  }

  #failed(error: Error): number {
    const isAnswer = error instanceof ApiError;
    const isGone = isAnswer && error.status === GONE;
    // Who was away may come back with another past (etcd restored), in which our place means something else.
    const isLost = !isAnswer || (error.status >= 500 && error.status !== UNAVAILABLE);
    if (isGone || isLost) this.#place = null;
    // That the place is forgotten is ordinary.
    if (!isGone) this.#set.fail(`Kubernetes API ${error.message}`);
    if (!isAnswer || isGone) return this.#backoff.nextMs(this.#times.longestAwayMs());
    return Math.max(this.#backoff.nextMs(LONGEST_REFUSED_MS), error.retryAfterMs ?? 0);
  }
}
