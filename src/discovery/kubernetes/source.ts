/**
 * A service's endpoints by the list of its EndpointSlices and the watches that go on from it. A connection that lies silent, open and without
 * a byte, looks like one on which nothing happens: so two watches are kept, on connections of their own and opened at different times, of
 * which whichever hears first is believed; and what they hear of is compared with what there is, once in a while.
 */
import type { KubernetesSource } from '../../domain/source.ts';
import type { Discovery, DiscoveryTools } from '../discovery.ts';
import { LiveSet } from '../live-set.ts';
import { pause, runRounds } from '../rounds.ts';
import { type SliceList, SlicesApi, type WatchEvent } from './api.ts';
import type { Cluster } from './cluster.ts';
import { isNewer, SliceStore } from './slice-store.ts';
import { SliceWatch, type WatchTimes } from './slice-watch.ts';
import { selectEndpoints } from './slices.ts';

export interface Times extends WatchTimes {
  /** Absent: one watch alone, which its own silence must give away. */
  readonly guard?: {
    /** The second watch opens so much after the first. */
    readonly secondAfterMs: number;
    /** Between two comparisons; 0: none. */
    readonly lookMs: number;
  };
}

/** What a watch has not told by then, after it was seen in a comparison, it will not tell. */
const GRACE_MS = 100;

export function createKubernetesDiscovery(
  source: KubernetesSource,
  cluster: Cluster,
  tools: DiscoveryTools,
  times: Times,
): Discovery {
  const over = new AbortController();
  const set = new LiveSet(tools.clock, () => {
    over.abort();
    cluster.close();
  });
  const api = new SlicesApi(cluster, source.namespace, source.service, over.signal);
  new ServiceWatch(source, api, set).run(tools, times, over.signal);
  return set;
}

class ServiceWatch {
  readonly #source: KubernetesSource;
  readonly #api: SlicesApi;
  readonly #set: LiveSet;
  readonly #store: SliceStore;
  readonly #watches: SliceWatch[] = [];

  constructor(source: KubernetesSource, api: SlicesApi, set: LiveSet) {
    this.#source = source;
    this.#api = api;
    this.#set = set;
    this.#store = new SliceStore(source.service, source.port);
  }

  run({ clock, random }: DiscoveryTools, times: Times, over: AbortSignal): void {
    const { guard } = times;
    const tools = { clock, random, times };
    const first = new SliceWatch(this.#api, this, tools);
    this.#watches.push(first);
    void runRounds(() => first.round(), over);
    if (guard === undefined) return;
    void this.#runSecond(new SliceWatch(this.#api, this, tools), first, guard.secondAfterMs, over);
    if (guard.lookMs > 0) void runRounds(() => this.#look(guard.lookMs, over), over);
  }

  async #runSecond(second: SliceWatch, first: SliceWatch, afterMs: number, over: AbortSignal): Promise<void> {
    do await pause(afterMs, over);
    while (first.place === null && !over.aborted);
    if (over.aborted) return;
    this.#watches.push(second);
    second.restart(first.place);
    await runRounds(() => second.round(), over);
  }

  onList({ slices, resourceVersion }: SliceList, isAnew: boolean): void {
    if (isAnew && isNewer(this.#store.newest, resourceVersion)) {
      this.#store.replace(slices, resourceVersion);
      this.#restart(resourceVersion);
    } else this.#store.list(slices, resourceVersion);
    this.onOpen();
  }

  onOpen(): void {
    const endpoints = selectEndpoints(this.#store.views());
    this.#set.put(endpoints, endpoints.length > 0 ? null : this.#emptiness());
  }

  onEvents(events: readonly WatchEvent[]): void {
    // Of a bookmark only the place is true; the rest of it is empty.
    for (const event of events) if (event.type !== 'BOOKMARK') this.#store.apply(event);
    this.onOpen();
  }

  /** While another watch is open nothing is missed. */
  onFailure(message: string): void {
    if (!this.#watches.some(({ isOpen }) => isOpen)) this.#set.fail(message);
  }

  /** Compares what is known with what there is. Resolves with the pause until the next look. */
  async #look(everyMs: number, over: AbortSignal): Promise<number> {
    // Whoever is not watching lists, or says why not.
    if (!this.#watches.some(({ isOpen }) => isOpen)) return everyMs;
    try {
      const { versions, version } = await this.#api.versions();
      if (!this.#store.isBehind(versions, version)) return everyMs;
      await pause(GRACE_MS, over);
      if (!this.#store.isBehind(versions, version)) return everyMs;
      const { slices, resourceVersion } = await this.#api.list();
      this.#store.list(slices, resourceVersion);
      this.onOpen();
      this.#restart(resourceVersion);
    } catch {
      // A look that fails says nothing of the endpoints; the watches tell when the server is away.
    }
    return everyMs;
  }

  /** All watches go on from here, by connections of their own. */
  #restart(place: string): void {
    for (const watch of this.#watches) watch.restart(place);
  }

  #emptiness(): string {
    const { namespace, service, port } = this.#source;
    const named = new Set([...this.#store.views()].flatMap(({ ports }) => ports));
    const other = named.size > 0 && !named.has(String(port)) ? `; its ports are ${[...named].join(', ')}` : '';
    return `Kubernetes: the service ${namespace}/${service} has no ready endpoint with the port ${port}${other}`;
  }
}
