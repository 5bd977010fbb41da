/** The fleet as this replica sees it: says what its own workers serve, and keeps what the others say. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { State } from '../domain/state.ts';
import type { Fleet, ReplicaReport, ReplicaSeen } from '../store/store.ts';
import type { Applied } from './applied.ts';
import type { ReplicaView } from './control.ts';

/** Between two reports when nothing changes. */
const BEAT_MS = 1_000;
/** Every living replica says something within this. */
const GATHER_MS = 1_300;
/** How long the word of a replica counts that is not heard any more. */
const REMEMBERED_MS = 60_000;

export interface ReplicasOptions {
  readonly applied: Applied;
  /** Of the state that is served; empty when there is none. */
  readonly epoch: () => string;
  /** Milliseconds, only ever compared with each other. */
  readonly monotonic: () => number;
}

export class Replicas {
  readonly #options: ReplicasOptions;
  #self: Pick<ReplicaReport, 'id' | 'address'> = { id: 'this replica', address: null };
  #fleet: Fleet | null = null;
  /** `at`: when it was told or answered; a report that was told has `seenMs` 0. */
  #others = new Map<string, ReplicaSeen & { readonly at: number }>();
  /** The last word of each, also of those that say nothing any more. */
  readonly #heard = new Map<string, ReplicaReport & { readonly at: number }>();
  #reporting: Promise<void> | undefined;
  #again = false;
  #beat: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: ReplicasOptions) {
    this.#options = options;
  }

  /** From now on the others know this replica. */
  join(fleet: Fleet | null): void {
    this.#fleet = fleet;
    if (fleet === null || this.#closed) return;
    fleet.watch((id, report) => this.#told(id, report));
    this.#beat = setInterval(() => this.report(), BEAT_MS);
    this.report();
  }

  /** How the others name and reach it. */
  introduce(self: Pick<ReplicaReport, 'id' | 'address'>): void {
    this.#self = self;
  }

  get id(): string {
    return this.#self.id;
  }

  /** Replicas that live, this one included. */
  get living(): number {
    return this.#others.size + 1;
  }

  /** Returns at once; a change that comes while one report is under way makes another. */
  report(): void {
    if (this.#fleet === null || this.#closed) return;
    this.#again = true;
    this.#reporting ??= this.#reportAll(this.#fleet);
  }

  async #reportAll(fleet: Fleet): Promise<void> {
    while (this.#again && !this.#closed) {
      this.#again = false;
      try {
        const sentAt = this.#options.monotonic();
        this.#seen(await fleet.report(this.#own()), sentAt);
      } catch {
        // What the store does not take now is said at the next beat; meanwhile the last that was seen stands.
      }
    }
    this.#reporting = undefined;
  }

  #own(): ReplicaReport {
    const { applied, epoch } = this.#options;
    return { ...this.#self, epoch: epoch(), revision: applied.served };
  }

  /** What was told since the question was sent is newer than the answer. */
  #seen(living: readonly ReplicaSeen[], sentAt: number): void {
    const at = this.#options.monotonic();
    const others = living.filter(({ id }) => id !== this.#self.id);
    const before = this.#others;
    for (const seen of others) this.#heard.set(seen.id, { ...seen, at: at - seen.seenMs });
    this.#others = new Map(
      others.map((seen) => {
        const told = before.get(seen.id);
        return [seen.id, told !== undefined && told.at > sentAt ? told : { ...seen, at }];
      }),
    );
    this.#follow();
  }

  #told(id: string, report: ReplicaReport | null): void {
    if (id === this.#self.id) return;
    if (report === null) {
      this.#others.delete(id);
      this.#heard.delete(id);
    } else this.#heard.set(id, { ...report, at: this.#options.monotonic() });
    if (report !== null) this.#others.set(id, { ...report, seenMs: 0, at: this.#options.monotonic() });
    this.#follow();
  }

  #follow(): void {
    const revisions = [...this.#others.values()].map((seen) => this.#revisionOf(seen));
    this.#options.applied.follow(revisions, this.#options.monotonic());
  }

  /** A revision of another epoch says nothing. */
  #revisionOf({ epoch, revision }: ReplicaReport): number {
    return epoch === this.#options.epoch() ? revision : -1;
  }

  /**
   * Replicas that serve what a state does not have: a later revision of its epoch, or an epoch that it does not know of. Those count too that
   * were heard of a moment ago and are not now, as when the store has lost their reports. Resolves when every living one has had time
   * to tell.
   */
  async ahead(of: Pick<State, 'epoch' | 'revision' | 'lineage'>): Promise<string[]> {
    this.report();
    await sleep(GATHER_MS);
    const now = this.#options.monotonic();
    const known = new Set(['', of.epoch, ...(of.lineage ?? [])]);
    return [...this.#heard.values()]
      .filter(({ at, epoch, revision }) => {
        const hasMore = epoch === of.epoch ? revision > of.revision : !known.has(epoch);
        return now - at < REMEMBERED_MS && revision >= 0 && hasMore;
      })
      .map(
        ({ id, epoch, revision }) =>
          `${id} serves revision ${revision}${epoch === of.epoch ? '' : ` of epoch ${epoch}`}`,
      );
  }

  /** @param newest revision that is known of */
  view(newest: number): ReplicaView[] {
    const now = this.#options.monotonic();
    const others = [...this.#others.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    return [{ ...this.#own(), seenMs: 0, at: now }, ...others].map((seen) => {
      const { id, address, seenMs, at } = seen;
      const revision = this.#revisionOf(seen);
      return { id, address, revision, applied: revision >= newest, seenMs: Math.round(seenMs + now - at) };
    });
  }

  /** The others need not wait for it any more. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#beat);
    await this.#reporting;
    await this.#fleet?.leave(this.#self.id).catch(() => {});
  }
}
