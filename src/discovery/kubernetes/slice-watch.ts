/** One watch of a service's slices: taken up again where it was whenever it ends, listing anew only where that place is lost. */
import { Backoff } from '../backoff.ts';
import { ApiError, GONE, type SliceList, type SlicesApi, type WatchEvent } from './api.ts';

export interface WatchTimes {
  /** A watch asks for between this and a quarter more. */
  readonly leastWatchS: number;
  /** A server sends a bookmark each minute or so; one that is silent for longer may have forgotten us. */
  readonly silentMs: number;
  /** Longest pause between attempts that nobody answers: who is away is not burdened by being asked again soon. */
  readonly longestAwayMs: () => number;
}

export interface WatchUser {
  /** `isAnew`: the server may be one with another past. */
  onList(list: SliceList, isAnew: boolean): void;
  /** The server has accepted the place: up to there the endpoints are those that it knows. */
  onOpen(): void;
  onEvents(events: readonly WatchEvent[]): void;
  onFailure(message: string): void;
}

const FIRST_PAUSE_MS = 50;
const LONGEST_REFUSED_MS = 5_000;
const UNAVAILABLE = 503;
/** A watch that lasts less was not worth being opened; so many in a row, and the place is not trusted any more. */
const SHORT_MS = 1_000;
const MOST_SHORT = 3;

export class SliceWatch {
  readonly #api: SlicesApi;
  readonly #user: WatchUser;
  readonly #clock: () => number;
  readonly #random: () => number;
  readonly #times: WatchTimes;
  readonly #backoff: Backoff;
  /** Where it goes on from; null: list first. */
  #place: string | null = null;
  /** Whether the place was lost with the server. */
  #isAnew = false;
  /** Watches in a row that ended as soon as they began. */
  #short = 0;
  /** Times in a row that the place was forgotten. */
  #gone = 0;
  #openedAtMs = Number.NEGATIVE_INFINITY;
  #isOpen = false;
  /** In the watch that is or was the last. */
  #hadEvents = false;
  /** Ends the watch that is open. */
  #cut: AbortController | undefined;

  constructor(
    api: SlicesApi,
    user: WatchUser,
    { clock, random, times }: { clock: () => number; random: () => number; times: WatchTimes },
  ) {
    this.#api = api;
    this.#user = user;
    this.#clock = clock;
    this.#random = random;
    this.#times = times;
    this.#backoff = new Backoff(FIRST_PAUSE_MS, random);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Where it is, or will begin; null: it will list. */
  get place(): string | null {
    return this.#place;
  }

  /** Goes on from this place by a connection of its own. */
  restart(place: string | null): void {
    this.#place = place;
    this.#cut?.abort();
  }

  /** One list, if need be, and one watch. Resolves with how long to wait for the next, in milliseconds. */
  async round(): Promise<number> {
    const before = this.#openedAtMs;
    try {
      this.#place ??= await this.#list();
      await this.#watch(this.#place);
    } catch (error) {
      // Somebody knows better where to go on.
      if (this.#cut?.signal.aborted) return 0;
      if (!(error instanceof ApiError) && this.#openedAtMs !== before) return this.#ended();
      return this.#failed(error as Error);
    } finally {
      this.#isOpen = false;
    }
    return this.#ended();
  }

  /** Resolves with the place. */
  async #list(): Promise<string> {
    const list = await this.#api.list();
    this.#user.onList(list, this.#isAnew);
    this.#isAnew = false;
    return list.resourceVersion;
  }

  async #watch(place: string): Promise<void> {
    const { leastWatchS, silentMs } = this.#times;
    const seconds = Math.round(leastWatchS * (1 + this.#random() / 4));
    this.#cut = new AbortController();
    await this.#api.watch(
      { place, seconds, silentMs, cut: this.#cut.signal },
      {
        onOpen: () => {
          this.#openedAtMs = this.#clock();
          this.#isOpen = true;
          this.#hadEvents = false;
          this.#user.onOpen();
        },
        onEvents: (events) => {
          for (const { object } of events) this.#place = object.metadata?.resourceVersion ?? this.#place;
          this.#hadEvents ||= events.length > 0;
          this.#user.onEvents(events);
        },
      },
    );
  }

  /** A watch that had begun is over, in order or not: that is ordinary, unless it was short. */
  #ended(): number {
    const isLong = this.#clock() - this.#openedAtMs >= SHORT_MS;
    if (isLong || this.#hadEvents) {
      this.#short = 0;
      this.#gone = 0;
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
    if (isLost) this.#isAnew = true;
    // That the place is forgotten is ordinary, and what has changed meanwhile is wanted at once; not again and again, though.
    if (isGone && ++this.#gone === 1) return 0;
    if (!isGone) this.#user.onFailure(`Kubernetes API ${error.message}`);
    if (!isAnswer || isGone) return this.#backoff.nextMs(this.#times.longestAwayMs());
    return Math.max(this.#backoff.nextMs(LONGEST_REFUSED_MS), error.retryAfterMs ?? 0);
  }
}
