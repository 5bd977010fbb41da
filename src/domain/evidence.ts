/**
 * What has been counted for a route's two sides in the running test, as evidence that the new side is worse: several streams merged into
 * one number with one threshold, 1 / alpha, and the ceiling of either side beside it. It may be looked at after every response.
 */
import { Ceiling } from './ceiling.ts';
import { EProcess, type EraCounts, type SavedEProcess, type Totals } from './e-process.ts';
import type { Tolerance } from './factors.ts';
import { logOfSum } from './mixture.ts';
import { OUTCOME_CLIENT_ERROR, OUTCOME_FAULT, OUTCOME_OK, type OutcomeIndex } from './outcome.ts';
import { AT_LATE_CLIENT_ERROR, AT_LATE_FAULT } from './tally.ts';

/** Slow is above the old side's median, or nine tenths, or 99 hundredths of its responses (latency.ts). */
export type StreamKind = 'fault' | 'clientError' | 'slow50' | 'slow90' | 'slow99';
export type SlowKind = Extract<StreamKind, `slow${string}`>;

export interface TestSettings extends Tolerance {
  /** Chance of ever finding a new side worse that is within tolerance, in a test. */
  readonly alpha: number;
  /** Length of a test; the next one follows with its own alpha. */
  readonly horizonBuckets: number;
  /** `fault`: that stream alone, at full alpha. */
  readonly streams: 'fault' | 'all';
  /** Share of requests that may fail whatever the other side does, with an alpha of its own; null: no ceiling. */
  readonly ceiling: { readonly share: number; readonly alpha: number } | null;
}

/** What the closed buckets left, as JSON: enough to go on from, elsewhere or after a restart. */
export interface SavedEvidence {
  readonly bucket: number;
  /** First bucket of the test; null: none runs. */
  readonly begun: number | null;
  readonly streams: readonly SavedEProcess[];
  readonly ceilings: readonly (readonly number[])[];
  /** Of the ceiling as the new side alone is above it; null: there is no ceiling. */
  readonly beyond: SavedEProcess | null;
}

interface Stream {
  readonly kind: StreamKind;
  readonly logShare: number;
  readonly process: EProcess;
}

/** Few will do for what is this bad. */
const BEYOND_GAPS: readonly number[] = [0.25, 0.5, 0.7];

/** One hop's jitter and cold connections make one response in a hundred slow: tolerated (research page, section 5). */
const SLOW_TOLERANCE: Tolerance = { rho: 1, delta: 0.01 };

/**
 * One pause of a process makes all that wait for it slow, so the responses of a moment are no independent draws, as the comparison takes them
 * for. If a bucket at most doubles the evidence, then it expects at most 1 from one in which either side may have paused, as likely as the
 * other: 2 if new did, next to nothing if old did. Who is slow for good is found in 15 to 31 buckets; who has stopped, by `isStall`.
 */
const MOST_SLOW_GAIN = Math.LN2;

export class Evidence {
  readonly settings: TestSettings;
  readonly #streams: readonly Stream[];
  /** By side. */
  readonly #ceilings: readonly [old: Ceiling, new: Ceiling] | null;
  /** That the new side is above the ceiling and the old one is not failing as well. */
  readonly #beyond: EProcess | null;
  #bucket: number;
  #begun: number | null = null;

  /** Without a test until `begin`. @param bucket the open one: time in units of a bucket's length, rounded down */
  constructor(settings: TestSettings, bucket: number) {
    const { ceiling, horizonBuckets } = settings;
    this.settings = settings;
    this.#streams = streamsOf(settings);
    this.#ceilings = ceiling && [
      new Ceiling(ceiling.share, horizonBuckets),
      new Ceiling(ceiling.share, horizonBuckets),
    ];
    this.#beyond = ceiling && new EProcess(beyondTolerance(ceiling.share), horizonBuckets);
    this.#bucket = bucket;
  }

  static restore(settings: TestSettings, saved: SavedEvidence): Evidence {
    const evidence = new Evidence(settings, saved.bucket);
    evidence.restore(saved);
    return evidence;
  }

  /**
   * A new test begins in the open bucket: when the weight leaves 0 and at resume. What was counted before becomes the old side's history, so
   * whoever keeps the open bucket's counts elsewhere forgets them at the same time.
   */
  begin(): void {
    this.#restart();
    this.#begun = this.#bucket;
  }

  /** Closes the open bucket if this one is later; an earlier one is late, and what belongs to it is counted in the open one. */
  advanceTo(bucket: number): void {
    const buckets = bucket - this.#bucket;
    if (buckets <= 0) return;
    for (const { process } of this.#streams) process.close(buckets);
    for (const ceiling of this.#ceilings ?? []) ceiling.close(buckets);
    this.#beyond?.close(buckets);
    this.#bucket = bucket;
    if (this.#begun === null) this.#restart();
    else if (bucket - this.#begun >= this.settings.horizonBuckets) this.begin();
  }

  /** First attempts, credited to the side that was drawn. */
  addFaults(counts: EraCounts): void {
    (this.#streams[0] as Stream).process.add(counts);
    this.#beyond?.add(counts);
    if (this.#ceilings === null) return;
    this.#ceilings[0].add(counts.oldOk, counts.oldFault);
    this.#ceilings[1].add(counts.newOk, counts.newFault);
  }

  /** The same from what was tallied, by cell (tally.ts); whoever left early proved nothing. */
  addOutcomes(weightPpm: number, ofOld: ArrayLike<number>, ofNew: ArrayLike<number>): void {
    this.addFaults(countsOf(weightPpm, ofOld, ofNew, FAULTS));
    this.#of('clientError')?.process.add(countsOf(weightPpm, ofOld, ofNew, CLIENT_ERRORS));
  }

  /** Responses by whether they were above the bound of their side. */
  addSlow(kind: SlowKind, counts: EraCounts): void {
    this.#of(kind)?.process.add(counts);
  }

  /** Natural logarithm of the merged evidence. @param isStall new has stopped answering in time (streak.ts): slowness counts at once */
  log(isStall = false): number {
    let merged = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < this.#streams.length; i++)
      merged = logOfSum(merged, logOf(this.#streams[i] as Stream, isStall));
    return merged;
  }

  /** The stream that gives the evidence most of its weight. */
  leading(isStall = false): { readonly kind: StreamKind; readonly totals: Totals } {
    const log = (stream: Stream): number => logOf(stream, isStall);
    const { kind, process } = this.#streams.reduce((most, next) => (log(next) > log(most) ? next : most));
    return { kind, totals: process.totals() };
  }

  /** Of the responses that are slow by the highest bound; without slow streams, of the fault stream. */
  slowTotals(): Totals {
    return this.#of('slow99')?.process.totals() ?? this.totals();
  }

  /** Of the fault stream. */
  totals(): Totals {
    return (this.#streams[0] as Stream).process.totals();
  }

  recentOldRequests(): number {
    return (this.#streams[0] as Stream).process.recentOldRequests();
  }

  /** Natural logarithms of the evidence that a side is above the ceiling, and that the new one is and the old one is better. */
  ceilingLogs(): { readonly old: number; readonly new: number; readonly beyond: number } | null {
    if (this.#ceilings === null || this.#beyond === null) return null;
    return { old: this.#ceilings[0].log(), new: this.#ceilings[1].log(), beyond: this.#beyond.log() };
  }

  save(): SavedEvidence {
    return {
      bucket: this.#bucket,
      begun: this.#begun,
      streams: this.#streams.map(({ process }) => process.save()),
      ceilings: (this.#ceilings ?? []).map((ceiling) => ceiling.save()),
      beyond: this.#beyond && this.#beyond.save(),
    };
  }

  /** In place of everything counted so far; cheap, so that whoever is told the open bucket's counts as a whole can begin it again. */
  restore({ bucket, begun, streams, ceilings, beyond }: SavedEvidence): void {
    this.#bucket = bucket;
    this.#begun = begun;
    for (let i = 0; i < streams.length; i++) this.#streams[i]?.process.restore(streams[i] as SavedEProcess);
    for (let i = 0; i < ceilings.length; i++) this.#ceilings?.[i]?.restore(ceilings[i] as readonly number[]);
    if (beyond !== null) this.#beyond?.restore(beyond);
  }

  #restart(): void {
    for (const { process } of this.#streams) process.begin();
    for (const ceiling of this.#ceilings ?? []) ceiling.begin();
    this.#beyond?.begin();
  }

  #of(kind: StreamKind): Stream | undefined {
    return this.#streams.find((stream) => stream.kind === kind);
  }
}

/**
 * The line of the ceiling. What must never be taken back is a new side below the ceiling, whatever old does, and one that fails no more often
 * than old, however often that is: pNew <= max(c, pOld). A response's worth is linear in both rates, so whoever keeps it at 1 or less
 * there does so in the convex hull as well, whose upper edge is the line from (0, c) to (1, 1): pNew = (1 - c) pOld + c. By a comparison
 * with that line the chance of ever finding a new side above the ceiling that is not, or that only fails together with old, is at most
 * the ceiling's alpha, as it is of any other. Where old has nothing to say the line ends at c.
 */
function beyondTolerance(share: number): Tolerance {
  return { rho: 1 - share, delta: share, alone: share, gaps: BEYOND_GAPS };
}

function logOf({ logShare, process }: Stream, isStall: boolean): number {
  return logShare + (isStall ? process.logAtOnce() : process.log());
}

/** Cells that are faults to a stream, at once and late, and what is ok to it beside `ok`. */
interface Looked {
  readonly fault: OutcomeIndex;
  readonly late: number;
  readonly other: OutcomeIndex;
}

const FAULTS: Looked = { fault: OUTCOME_FAULT, late: AT_LATE_FAULT, other: OUTCOME_CLIENT_ERROR };
const CLIENT_ERRORS: Looked = { fault: OUTCOME_CLIENT_ERROR, late: AT_LATE_CLIENT_ERROR, other: OUTCOME_FAULT };

function countsOf(
  weightPpm: number,
  ofOld: ArrayLike<number>,
  ofNew: ArrayLike<number>,
  { fault, late, other }: Looked,
): EraCounts {
  const ok = (side: ArrayLike<number>) => (side[OUTCOME_OK] as number) + (side[other] as number);
  const faults = (side: ArrayLike<number>) => (side[fault] as number) + (side[late] ?? 0);
  return {
    weightPpm,
    oldOk: ok(ofOld),
    oldFault: faults(ofOld),
    newOk: ok(ofNew),
    newFault: faults(ofNew),
  };
}

function streamsOf({ streams, rho, delta, horizonBuckets }: TestSettings): Stream[] {
  const stream = (kind: StreamKind, share: number, tolerance: Tolerance, mostGain?: number): Stream => ({
    kind,
    logShare: Math.log(share),
    process: new EProcess(tolerance, horizonBuckets, mostGain),
  });
  const slow = (kind: SlowKind): Stream => stream(kind, 0.2 / 3, SLOW_TOLERANCE, MOST_SLOW_GAIN);
  if (streams === 'fault') return [stream('fault', 1, { rho, delta })];
  return [
    stream('fault', 0.6, { rho, delta }),
    stream('clientError', 0.2, { rho, delta }),
    slow('slow50'),
    slow('slow90'),
    slow('slow99'),
  ];
}
