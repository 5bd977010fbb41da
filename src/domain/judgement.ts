/**
 * What a route's shared counts say. Reads what the store shows, in order: the result of the bucket closed last, and the counts since. So
 * every replica comes to the same evidence, one that has just started too; who finds that a bucket is over can write down its result.
 */
import type { BucketResult } from './bucket-result.ts';
import { type Era, readEra } from './era.ts';
import type { SlowKind, TestSettings } from './evidence.ts';
import { SLOW_QUANTILES, slowBounds } from './latency.ts';
import { LATENCY_BINS, quantile } from './latency-sketch.ts';
import { Results, restoreCounts, restoreLatencies, type SavedJudgement, savedJudgement } from './saved-judgement.ts';
import { Streak } from './streak.ts';
import { AT_LATE_SLOW, AT_SLOW, AT_TIMED, SLOW_KINDS, TALLY_CELLS, TALLY_NAMES, TALLY_SIDE_CELLS } from './tally.ts';
import { openTrial, type Trial } from './trial.ts';
import type { Verdict } from './verdict.ts';

/** What a new side is judged by (DESIGN section 5). */
export interface JudgeSettings {
  /** Chance of ever finding a new side worse that is within tolerance, in a test. */
  readonly alpha: number;
  /** The new side's rate may be `rho` times the old side's, and `delta` more. */
  readonly rho: number;
  readonly delta: number;
  /** Slow is above `factor` times the old side's quantile and above it by `slackMs`. */
  readonly latency: { readonly factor: number; readonly slackMs: number };
  /** Share of requests that may fail whatever the other side does. */
  readonly ceiling: number;
  /** Judged and reported, not moved. */
  readonly adviseOnly: boolean;
}

/** As the store shows it (store/counters.ts). */
export interface SharedCounts {
  readonly open: number;
  readonly closed: { readonly index: number; readonly result: BucketResult } | null;
  readonly buckets: readonly {
    readonly index: number;
    readonly era: number;
    readonly counts: Readonly<Record<string, number>>;
  }[];
}

/** Milliseconds, by side, in the order of SLOW_KINDS. */
export interface LatencyBounds {
  readonly old: readonly number[];
  readonly new: readonly number[];
}

/** A test takes a day; the next begins by itself. */
const HORIZON_BUCKETS = 86_400;
/** Of the old side's latencies, what is left a bucket later. */
const KEPT = 0.95;
/** Latencies of the old side from which its quantiles are taken for known. */
const ENOUGH_LATENCIES = 100;
/** How long a replica's finding that the new side takes no connections counts. */
const VOTE_BUCKETS = 60;
/** Weights of a test whose responses are kept apart. */
const MOST_STEPS = 64;
const LATENCY = 't.';
const VOTE = 'dead.';

export function latencyName(bin: number): string {
  return `${LATENCY}${bin}`;
}

/** A replica says that the new side takes no connections. */
export function voteName(replica: string): string {
  return `${VOTE}${replica}`;
}

export class Judgement {
  readonly #isSticky: boolean;
  readonly #test: TestSettings;
  readonly #latency: JudgeSettings['latency'];
  readonly #streak = new Streak();
  /** By prefix of the trial: the place of each of a block's cells, by name. */
  readonly #cells: readonly ReadonlyMap<string, number>[];
  readonly #block = new Float64Array(TALLY_CELLS);
  readonly #ofOld = this.#block.subarray(0, TALLY_SIDE_CELLS);
  readonly #ofNew = this.#block.subarray(TALLY_SIDE_CELLS);
  #trial: Trial;
  #bucket = -1;
  readonly #results = new Results();
  #testSince = -1;
  #latencies = new Float64Array(LATENCY_BINS);
  readonly #votes = new Map<string, number>();
  readonly #steps = new Map<string, number>();
  #bounds: LatencyBounds | null = null;
  /** Open bucket that `#bounds` were made in, after the bucket that was read last. */
  #boundsOf = -1;
  /** At full alpha; null: not asked for since it was read last. */
  #verdict: Verdict | null = null;

  constructor(settings: JudgeSettings, isSticky: boolean) {
    const { alpha, rho, delta, ceiling } = settings;
    this.#isSticky = isSticky;
    this.#latency = settings.latency;
    this.#test = {
      alpha,
      rho,
      delta,
      horizonBuckets: HORIZON_BUCKETS,
      streams: 'all',
      ceiling: ceiling > 0 ? { share: ceiling, alpha } : null,
    };
    this.#trial = openTrial(isSticky, this.#test, 0);
    this.#cells = this.#trial.prefixes.map(cellsUnder);
  }

  /** In place of all that was read before. @returns what to write as the result of the last bucket that is over, if that is not done */
  read({ open, closed, buckets }: SharedCounts): { readonly index: number; readonly result: BucketResult } | null {
    const first = buckets[0]?.index ?? open;
    const isKnown = closed !== null && this.#results.isKnown(closed.index);
    this.#verdict = null;
    this.#begin(closed, first);
    let counted = 0;
    for (; counted < buckets.length; counted++) {
      const { index, era, counts } = buckets[counted] as SharedCounts['buckets'][number];
      if (index >= open) break;
      this.#advanceTo(index);
      this.#count(readEra(era), counts);
    }
    this.#advanceTo(open);
    const over = counted > 0 ? { index: open - 1, result: this.#save() } : null;
    // By closed buckets only, so the same as long as these are.
    const isSame = isKnown && over === null && this.#boundsOf === open;
    if (!isSame && (closed !== null || over !== null)) this.#bounds = this.#boundsNow();
    this.#boundsOf = over === null ? open : -1;
    for (; counted < buckets.length; counted++) {
      const { era, counts } = buckets[counted] as SharedCounts['buckets'][number];
      this.#count(readEra(era), counts);
    }
    return over;
  }

  /** Whether the new side has stopped answering in time is seen by the times at which it is asked about. @param nowMs only ever compared */
  watch(nowMs: number): void {
    const wasStall = this.#streak.isStall;
    this.#streak.observe(this.#trial.slowTotals(), nowMs);
    if (this.#streak.isStall !== wasStall) this.#verdict = null;
  }

  /** @param share of its alphas that the evidence may use */
  verdict(share = 1): Verdict {
    if (share !== 1) return this.#trial.verdict(share, this.#streak.isStall);
    this.#verdict ??= this.#trial.verdict(1, this.#streak.isStall);
    return this.#verdict;
  }

  /** Of the test that the evidence belongs to; -1: none has begun. */
  get testSince(): number {
    return this.#testSince;
  }

  /** What makes a response slow, the same object while that is the same; null: too little is known of the old side. */
  get bounds(): LatencyBounds | null {
    return this.#bounds;
  }

  /** The new side's responses in the test that were drawn with this weight. */
  newRequests(weightPpm: number): number {
    return this.#steps.get(String(weightPpm)) ?? 0;
  }

  /** Replicas that have lately found that the new side takes no connections. */
  get votes(): readonly string[] {
    return [...this.#votes].filter(([, bucket]) => this.#bucket - bucket <= VOTE_BUCKETS).map(([replica]) => replica);
  }

  #begin(closed: SharedCounts['closed'], first: number): void {
    const saved = closed === null ? null : this.#results.read(closed.index, closed.result);
    if (closed === null || saved === null || !this.#restore(saved, closed.index + 1)) this.#restart(first);
  }

  #restart(bucket: number): void {
    this.#trial = openTrial(this.#isSticky, this.#test, bucket);
    this.#bucket = bucket;
    this.#testSince = -1;
    this.#latencies.fill(0);
    this.#votes.clear();
    this.#steps.clear();
    this.#bounds = null;
  }

  #restore(saved: SavedJudgement, bucket: number): boolean {
    if (!this.#trial.restore(saved.trial)) return false;
    this.#bucket = bucket;
    this.#testSince = saved.testSince;
    restoreLatencies(this.#latencies, saved.latencies);
    restoreCounts(this.#votes, saved.votes);
    restoreCounts(this.#steps, saved.steps);
    return true;
  }

  #advanceTo(bucket: number): void {
    const buckets = bucket - this.#bucket;
    if (buckets <= 0) return;
    this.#trial.advanceTo(bucket);
    const fading = KEPT ** buckets;
    for (let bin = 0; bin < LATENCY_BINS; bin++) (this.#latencies[bin] as number) *= fading;
    this.#bucket = bucket;
  }

  /** Eras come in order, so whatever belongs to an older test than the last is late: it says nothing in the new one. */
  #count({ testSince, weightPpm }: Era, counts: Readonly<Record<string, number>>): void {
    if (weightPpm > 0 && testSince < this.#testSince) return;
    if (weightPpm > 0 && testSince > this.#testSince) {
      this.#trial.begin();
      this.#testSince = testSince;
      this.#votes.clear();
      this.#steps.clear();
    }
    const names = Object.keys(counts);
    for (let i = 0; i < this.#cells.length; i++) this.#countUnder(i, weightPpm, counts, names);
    this.#countStep(weightPpm, counts);
    for (const name of names) {
      if (name.startsWith(LATENCY)) this.#countLatency(Number(name.slice(LATENCY.length)), counts[name] as number);
      else if (name.startsWith(VOTE)) this.#votes.set(name.slice(VOTE.length), this.#bucket);
    }
  }

  /** By the few names that there are: most cells of a block count what hardly ever happens. */
  #countUnder(
    index: number,
    weightPpm: number,
    counts: Readonly<Record<string, number>>,
    names: readonly string[],
  ): void {
    const cells = this.#cells[index] as ReadonlyMap<string, number>;
    const [old, fresh] = [this.#ofOld, this.#ofNew];
    this.#block.fill(0);
    for (const name of names) {
      const cell = cells.get(name);
      if (cell !== undefined) this.#block[cell] = counts[name] as number;
    }
    const evidence = this.#trial.countsOf(index);
    evidence.addOutcomes(weightPpm, old, fresh);
    for (let i = 0; i < SLOW_KINDS.length; i++) {
      const [oldOk, newOk] = [inTime(old, i), inTime(fresh, i)];
      const [oldFault, newFault] = [slowOf(old, i), slowOf(fresh, i)];
      evidence.addSlow(SLOW_KINDS[i] as SlowKind, { weightPpm, oldOk, oldFault, newOk, newFault });
    }
  }

  #countStep(weightPpm: number, counts: Readonly<Record<string, number>>): void {
    const responses = (counts['new.ok'] ?? 0) + (counts['new.fault'] ?? 0) + (counts['new.clientError'] ?? 0);
    if (responses === 0) return;
    const step = String(weightPpm);
    const known = this.#steps.get(step) ?? 0;
    // The weight used last goes to the end, so that the one to be forgotten stands first.
    this.#steps.delete(step);
    this.#steps.set(step, known + responses);
    const [first] = this.#steps.keys();
    if (this.#steps.size > MOST_STEPS && first !== undefined) this.#steps.delete(first);
  }

  #countLatency(bin: number, value: number): void {
    if (bin >= 0 && bin < LATENCY_BINS) (this.#latencies[bin] as number) += value;
  }

  #boundsNow(): LatencyBounds | null {
    let total = 0;
    for (let bin = 0; bin < LATENCY_BINS; bin++) total += this.#latencies[bin] as number;
    if (total < ENOUGH_LATENCIES) return null;
    const bounds = SLOW_KINDS.map((kind) => {
      return slowBounds(quantile(this.#latencies, SLOW_QUANTILES[kind]) as number, this.#latency);
    });
    const now = { old: bounds.map((each) => each.old), new: bounds.map((each) => each.new) };
    const before = this.#bounds;
    return before !== null && isEqual(before.old, now.old) && isEqual(before.new, now.new) ? before : now;
  }

  #save(): BucketResult {
    const [testSince, trial, latencies] = [this.#testSince, this.#trial, this.#latencies];
    return this.#results.write(savedJudgement({ testSince, trial, latencies, votes: this.#votes, steps: this.#steps }));
  }
}

/** Responses of a side that were within the bound. @param kind by place in SLOW_KINDS */
function inTime(side: Float64Array, kind: number): number {
  return (side[AT_TIMED] as number) - (side[AT_SLOW + kind] as number);
}

/** Those beyond it, late ones too. */
function slowOf(side: Float64Array, kind: number): number {
  return (side[AT_SLOW + kind] as number) + (side[AT_LATE_SLOW + kind] as number);
}

/** The same map for all routes. */
const CELLS = new Map<string, ReadonlyMap<string, number>>();

function cellsUnder(prefix: string): ReadonlyMap<string, number> {
  const cells = CELLS.get(prefix) ?? new Map(TALLY_NAMES.map((name, cell) => [prefix + name, cell]));
  CELLS.set(prefix, cells);
  return cells;
}

function isEqual(one: readonly number[], other: readonly number[]): boolean {
  return one.every((value, i) => value === other[i]);
}
