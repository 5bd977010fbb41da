/**
 * The judge of one route on one replica: gives what its workers have tallied to the counters that all replicas share, and reads from them
 * what all have counted. Beside it runs the evidence of this replica alone, which counts only while the store is away.
 */
import { Judgement, type JudgeSettings, type LatencyBounds } from '../domain/judgement.ts';
import type { Verdict } from '../domain/verdict.ts';
import type { Counters, RouteEvidence } from '../store/store.ts';
import { type Batch, Tallied } from './tallied.ts';

export interface RouteJudgeOptions {
  readonly route: string;
  readonly settings: JudgeSettings;
  readonly isSticky: boolean;
  /** Of the store; rejects while it is away. */
  readonly shared: Counters;
  /** In memory, of this replica. */
  readonly local: Counters;
  /** Milliseconds, only ever compared with each other. */
  readonly monotonic: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** There may be another verdict than before, or other bounds. */
  readonly onRead: () => void;
}

/** Between two folds of a route, however urgent. */
const URGENT_MS = 10;
/** While the store is away it is asked this often whether it is back. */
const AWAY_MS = 500;
/** Evidence that others may have added to is read again after this long. */
const STALE_MS = 1_000;
/** The evidence of this replica alone counts for nothing while the store answers: so often it is brought up to date then. */
const LOCAL_MS = 10_000;

export class RouteJudge {
  readonly tallied = new Tallied();
  readonly #options: RouteJudgeOptions;
  readonly #shared: Judgement;
  readonly #local: Judgement;
  #open = 0;
  #folding: Promise<void> | undefined;
  #isUrgent = false;
  #timer: NodeJS.Timeout | undefined;
  #foldedAt = Number.NEGATIVE_INFINITY;
  #localAt: number;
  #failure: string | null = null;
  /** Revision that was read for last. */
  #refreshed = -1;

  constructor(options: RouteJudgeOptions) {
    this.#options = options;
    this.#shared = new Judgement(options.settings, options.isSticky);
    this.#local = new Judgement(options.settings, options.isSticky);
    // Hundreds of routes that begin together are not to be read together ever after.
    this.#localAt = options.monotonic() - LOCAL_MS * options.random();
  }

  isOf(settings: JudgeSettings, isSticky: boolean): boolean {
    return isSticky === this.#options.isSticky && JSON.stringify(settings) === JSON.stringify(this.settings);
  }

  get settings(): JudgeSettings {
    return this.#options.settings;
  }

  /** Why the shared counters are not known; null: they are. */
  get failure(): string | null {
    return this.#failure;
  }

  verdict(): Verdict {
    return this.#shared.verdict();
  }

  /** Of this replica alone. @param share of its alpha that it may use */
  localVerdict(share: number): Verdict {
    return this.#local.verdict(share);
  }

  /** Of the test that the evidence is of. */
  testSince(isLocal = false): number {
    return (isLocal ? this.#local : this.#shared).testSince;
  }

  get bounds(): LatencyBounds | null {
    return (this.#failure === null ? this.#shared : this.#local).bounds;
  }

  /** Bucket that is open, by the store's clock; 0: it was never read. */
  get open(): number {
    return this.#open;
  }

  get votes(): readonly string[] {
    return this.#shared.votes;
  }

  newRequests(weightPpm: number, isLocal = false): number {
    return (isLocal ? this.#local : this.#shared).newRequests(weightPpm);
  }

  /** At the beat. @param isWatched it is above 0, so that what others count matters */
  beat(isWatched: boolean): void {
    const sinceMs = this.#options.monotonic() - this.#foldedAt;
    if (this.#failure !== null && sinceMs < AWAY_MS) return;
    if (this.tallied.isEmpty && !(isWatched && sinceMs >= STALE_MS)) return;
    this.#fold();
  }

  /** Reads once what all have counted by the time of this revision. */
  refresh(revision: number): void {
    if (this.#refreshed === revision || this.#failure !== null) return;
    this.#refreshed = revision;
    this.#fold();
  }

  /** Without waiting for the beat: a fault is among what was tallied. */
  hurry(): void {
    if (this.#failure !== null) return;
    if (this.#folding !== undefined) {
      this.#isUrgent = true;
      return;
    }
    const waitMs = this.#foldedAt + URGENT_MS - this.#options.monotonic();
    if (waitMs <= 0) this.#fold();
    else this.#timer ??= setTimeout(() => this.#fold(), waitMs);
  }

  /** This replica finds that the new side takes no connections. */
  vote(era: number, replica: string): void {
    this.tallied.addVote(era, replica);
    this.hurry();
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#folding;
  }

  #fold(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#folding !== undefined) return;
    this.#isUrgent = false;
    this.#foldedAt = this.#options.monotonic();
    this.#folding = this.#foldAll().finally(() => {
      this.#folding = undefined;
      this.#options.onRead();
      if (this.#isUrgent) this.hurry();
    });
  }

  /** What the store did not take is lost to it: it may have taken it. Nothing is given to it before it answers again. */
  async #foldAll(): Promise<void> {
    const { route, shared } = this.#options;
    try {
      if (this.#failure !== null) await shared.readEvidence(route);
      const batches = await this.#takeAll();
      if (this.#options.monotonic() - this.#localAt >= LOCAL_MS) await this.#readLocal();
      if (batches.length === 0) await this.#readShared(await shared.readEvidence(route));
      for (const { era, deltas, sightings } of batches) {
        await this.#readShared(await shared.addCounts(route, era, deltas, sightings));
      }
      this.#failure = null;
    } catch (error) {
      this.#failure = (error as Error).message;
      await this.#takeAll();
      await this.#readLocal();
    }
  }

  /** What was tallied, which this replica's own counters have by then. */
  async #takeAll(): Promise<readonly Batch[]> {
    const { route, local } = this.#options;
    const batches = this.tallied.take();
    for (const { era, deltas, sightings } of batches) await local.addCounts(route, era, deltas, sightings);
    return batches;
  }

  async #readLocal(): Promise<void> {
    const { route, local, monotonic } = this.#options;
    this.#localAt = monotonic();
    await this.#read(this.#local, local, await local.readEvidence(route));
  }

  async #readShared(evidence: RouteEvidence): Promise<void> {
    this.#open = evidence.open;
    await this.#read(this.#shared, this.#options.shared, evidence);
  }

  /** Reads, and writes down the result of a bucket that is over; the first to do so has said it for all. */
  async #read(judgement: Judgement, counters: Counters, evidence: RouteEvidence): Promise<void> {
    const over = judgement.read(evidence);
    judgement.watch(this.#options.monotonic());
    if (over === null) return;
    const closed = await counters.close(this.#options.route, over.index, over.result);
    judgement.read(closed);
  }
}
