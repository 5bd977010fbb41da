/** The state of a fleet in Redis: one hash, written by one script, read by another, with the audit in a stream beside it. */
import type { Act, AuditEntry, Change, State } from '../domain/state.ts';
import { BUCKET_MS, type Counters } from './counters.ts';
import { checkedChange } from './records.ts';
import type { RedisAddress } from './redis-address.ts';
import { adoptArguments, writeArguments } from './redis-arguments.ts';
import { RedisCounters } from './redis-counters.ts';
import { LIVING_MS, RedisFleet } from './redis-fleet.ts';
import { follow, type Known } from './redis-follow.ts';
import { CATCH_UP_ENTRIES, readHistory } from './redis-history.ts';
import { NoAnswer, RedisLink } from './redis-link.ts';
import { lackOfReplicas } from './redis-replication.ts';
import { entryOf, readReplyOf, type WriteReply, writeReplyOf } from './redis-replies.ts';
import { ADOPT } from './scripts/adopt.ts';
import { INITIALISE } from './scripts/initialise.ts';
import { READ } from './scripts/read.ts';
import { WRITE } from './scripts/write.ts';
import { type CasResult, type Store, StoreDiverged, type StoreHealth, StoreUnavailable } from './store.ts';

/** For a write in all, sending it again included. */
const WRITE_MS = 1_500;
const WRITE_TRY_MS = 700;
const PAUSE_MS = 50;

export interface RedisStoreOptions {
  readonly fleet: string;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Epochs, and ids of changes. */
  readonly randomId: () => string;
  /** Replicas of the primary that must have a change before it counts as safe; 0: it is not asked for. */
  readonly acks: number;
  /** What this replica served last: what Redis holds must follow from it. */
  readonly known?: State | undefined;
}

/** Returns at once; what Redis answers shows at the first call. */
export function openRedisStore(address: RedisAddress, options: RedisStoreOptions): Store {
  return new RedisStore(address, options);
}

class RedisStore implements Store {
  readonly fleet: RedisFleet;
  readonly counters: Counters;
  readonly #link: RedisLink;
  readonly #options: RedisStoreOptions;
  readonly #watchers = new Set<{ readonly onState: (state: State) => void }>();
  #known: Known | undefined;
  /** Where nothing is known: whether replicas that live know better than what is held. */
  #asksReplicas = true;
  #reading: Promise<State> | undefined;
  #readNext: Promise<State> | undefined;
  /** The clock of Redis in microseconds, and when it was read by this process's. */
  #time: { readonly micros: number; readonly at: number } | undefined;
  #health: StoreHealth = { up: true };
  #closed = false;

  constructor(address: RedisAddress, options: RedisStoreOptions) {
    this.#options = options;
    this.#known = options.known && { state: options.known, head: '' };
    this.#link = new RedisLink(address, {
      prefix: `crossfade:{${options.fleet}}:`,
      id: options.randomId(),
      onHint: (hint) => this.#told(hint),
    });
    this.fleet = new RedisFleet(this.#link);
    this.counters = new RedisCounters(this.#link, BUCKET_MS);
  }

  /** Only a hint: what is believed is read. */
  #told(hint: string): void {
    if (this.#closed) return;
    if (hint !== 'state') this.fleet.told(hint);
    else if (this.#known !== undefined) this.load().catch(() => {});
  }

  /** Calls that come while one is read wait for the next, which serves them all. */
  load(): Promise<State> {
    if (this.#reading === undefined) {
      this.#reading = this.#watched(() => this.#read()).finally(() => {
        this.#reading = undefined;
      });
      return this.#reading;
    }
    const before = this.#reading;
    this.#readNext ??= before
      .catch(() => {})
      .then(() => {
        this.#readNext = undefined;
        return this.load();
      });
    return this.#readNext;
  }

  loadAnew(): Promise<State> {
    this.#known = undefined;
    this.#asksReplicas = false;
    return this.load();
  }

  async #read(): Promise<State> {
    this.#assertOpen();
    const known = this.#known;
    const { epoch = '', revision = '' } = known?.state ?? {};
    const at = performance.now();
    const livingMs = this.#asksReplicas ? String(LIVING_MS) : '';
    const args = [epoch, String(revision), known?.head ?? '', String(CATCH_UP_ENTRIES), livingMs];
    const reply = readReplyOf(await this.#link.run(READ, ['state', 'audit', 'replicas'], args));
    this.#time = { micros: reply[1], at };
    if (reply[0] === 'gone' && known === undefined) {
      await this.#initialise();
      return this.#read();
    }
    const next = follow(known, reply, this.#link.place);
    if (next === known) return next.state;
    // Somebody has asked for a fresh look meanwhile.
    if (this.#known !== known) return this.#read();
    this.#known = next;
    this.#publish(next.state);
    return next.state;
  }

  async #initialise(): Promise<void> {
    const made = await this.#link.run(INITIALISE, ['state', 'audit', 'replicas'], [this.#options.randomId()]);
    if (made === 'lost') {
      throw new StoreDiverged(
        `${this.#link.place}: its state is gone, but not what belongs to it; \`crossfade adopt\` on a replica that serves writes it anew`,
      );
    }
  }

  #publish(state: State): void {
    for (const { onState } of this.#watchers) {
      try {
        onState(state);
      } catch {
        // A watcher's own business; the others are told all the same.
      }
    }
  }

  async compareAndSet(change: Change): Promise<CasResult> {
    const checked = checkedChange(change);
    const result = await this.#watched(() => this.#write(checked));
    // What is acknowledged is also shown; it is acknowledged even so when it cannot be read just now.
    if (result.kind === 'applied') await this.load().catch(() => {});
    return result;
  }

  /** Sends it again when the answer is lost: its id makes sure that it is carried out once. */
  async #write(change: Change): Promise<CasResult> {
    const id = this.#options.randomId();
    const deadline = performance.now() + WRITE_MS;
    let sent = false;
    for (;;) {
      try {
        this.#assertOpen();
        const result = this.#result(change, await this.#tryWrite(change, id, deadline));
        if (result !== undefined)
          return result.kind === 'applied' ? { ...result, ...(await this.#atRisk(result.entry)) } : result;
        // The clock of Redis is not where it was thought to be.
        this.#time = undefined;
        if (performance.now() > deadline) throw this.#unmade('its clock jumps', sent);
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error;
        sent ||= error.sent;
        if (!error.passing || performance.now() + PAUSE_MS > deadline) throw this.#unmade(error.message, sent, error);
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    }
  }

  async #atRisk(entry: AuditEntry): Promise<{ warning?: string }> {
    const { acks } = this.#options;
    return acks === 0 ? {} : lackOfReplicas(this.#link, entry, acks);
  }

  async #tryWrite(change: Change, id: string, deadline: number): Promise<WriteReply> {
    if (this.#time === undefined) await this.load();
    const now = performance.now();
    const withinMs = Math.min(WRITE_TRY_MS, deadline - now);
    const args = writeArguments(change, {
      floor: this.#known?.state.epoch === change.epoch ? this.#known.state.revision : 0,
      notAfterMicros: this.#microsAt(now + withinMs),
      id,
      channel: this.#link.channel,
    });
    return writeReplyOf(await this.#link.run(WRITE, ['state', 'audit'], args, withinMs));
  }

  /** Never too early, but by how long the last reading took too late. */
  #microsAt(at: number): number {
    const time = this.#time ?? { micros: 0, at: 0 };
    return Math.round(time.micros + (at - time.at) * 1000);
  }

  /** Undefined: it came too late, and nothing was written. */
  #result(change: Change, reply: WriteReply): CasResult | undefined {
    switch (reply[0]) {
      case 'applied':
        return { kind: 'applied', entry: entryOf(reply[1]) };
      case 'stale': {
        const { route, expected } = change.routes[reply[1]] as Change['routes'][number];
        return { kind: 'stale', route, expected, actual: reply[2] };
      }
      case 'foreignEpoch':
        return { kind: 'foreignEpoch', epoch: reply[1] };
      case 'late':
        return undefined;
      case 'gone':
        throw new StoreDiverged(`${this.#link.place}: its state is gone; nothing was changed`);
      case 'behind':
        throw new StoreDiverged(`${this.#link.place}: it fell back to revision ${reply[1]}; nothing was changed`);
    }
  }

  #unmade(message: string, sent: boolean, cause?: unknown): StoreUnavailable {
    const fate = sent ? 'the change may have been made: look before you ask again' : 'nothing was changed';
    return new StoreUnavailable(`${message}; ${fate}`, { cause });
  }

  async adopt(state: State, act: Act): Promise<AuditEntry> {
    const { randomId } = this.#options;
    const args = adoptArguments(state, act, { epoch: randomId(), id: randomId(), channel: this.#link.channel });
    return this.#watched(async () => {
      this.#assertOpen();
      const entry = entryOf(String(await this.#link.run(ADOPT, ['state', 'audit', 'replicas'], args)));
      await this.loadAnew();
      return entry;
    });
  }

  watch(onState: (state: State) => void): () => void {
    const watcher = { onState };
    this.#watchers.add(watcher);
    return () => {
      this.#watchers.delete(watcher);
    };
  }

  async history(query: Parameters<Store['history']>[0]): Promise<readonly AuditEntry[]> {
    return this.#watched(async () => {
      this.#assertOpen();
      return readHistory(this.#link, query);
    });
  }

  health(): StoreHealth {
    return this.#health;
  }

  now(): number {
    if (this.#time === undefined) return this.#options.clock();
    return Math.floor(this.#microsAt(performance.now()) / 1000);
  }

  /** Keeps the health by what becomes of it. That what is held has diverged is no matter of health. */
  async #watched<T>(act: () => Promise<T>): Promise<T> {
    try {
      const result = await act();
      if (!this.#closed) this.#health = { up: true };
      return result;
    } catch (error) {
      if (error instanceof StoreUnavailable && !(error instanceof StoreDiverged)) {
        // What became of one change is no matter of health, and would make another reason of it each time.
        this.#down(error.cause instanceof NoAnswer ? error.cause.message : error.message);
      }
      throw error;
    }
  }

  #down(reason: string): void {
    this.#health = { up: false, since: this.#health.up ? this.#options.clock() : this.#health.since, reason };
  }

  #assertOpen(): void {
    if (this.#closed) throw new StoreUnavailable(`${this.#link.place}: closed`);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#down(`${this.#link.place}: closed`);
    this.#watchers.clear();
    await this.#link.close();
  }
}
