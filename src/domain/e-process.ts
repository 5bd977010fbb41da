/**
 * One stream of evidence: compares how often the two sides answer with a certain kind of fault. It counts in buckets. What the open one
 * is worth is reckoned with the old side's rate as the closed ones showed it, so closed ones never change, and whatever comes late is
 * counted in the open one. A count is worth what the weight that it was drawn with makes it worth, so counts come by era.
 */
import { type Factors, fillFactors, noFactors, type Tolerance, wagersOf } from './factors.ts';
import { Mixture } from './mixture.ts';
import { PPM } from './route.ts';

/** Responses of one era. A fault is whatever the stream looks for, ok everything else that it counts. */
export interface EraCounts {
  readonly weightPpm: number;
  readonly oldOk: number;
  readonly oldFault: number;
  readonly newOk: number;
  readonly newFault: number;
}

export interface Totals {
  readonly oldRequests: number;
  readonly oldFaults: number;
  readonly newRequests: number;
  readonly newFaults: number;
}

/** What the closed buckets left, as JSON. Counts of the open bucket are not in it. */
export interface SavedEProcess {
  readonly stakes: readonly number[];
  /** The same of the mixture whose gain a bucket is limited; absent: there is none. */
  readonly steady?: readonly number[];
  readonly history: { readonly requests: number; readonly faults: number };
  readonly totals: Totals;
}

interface Era {
  weightPpm: number;
  oldOk: number;
  oldFault: number;
  newOk: number;
  newFault: number;
  readonly factors: Factors;
  /** The old side's rate that `factors` were made with; NaN: they are of another weight. */
  madeWith: number;
  /** They were made without the old side. */
  madeAlone: boolean;
}

/** What is left of the old side's history a bucket later. */
const KEPT = 0.95;

const NO_TOTALS: Totals = { oldRequests: 0, oldFaults: 0, newRequests: 0, newFaults: 0 };

export class EProcess {
  readonly #tolerance: Tolerance;
  readonly #mixture: Mixture;
  /** The same wagers, of which no single bucket makes much; null: they count as they are. */
  readonly #steady: Mixture | null;
  readonly #gains: Float64Array;
  /** The first `#open` are those of the open bucket; the others wait to be used again. */
  readonly #eras: Era[] = [];
  #open = 0;
  /** Of the test's closed buckets. */
  #closed = NO_TOTALS;
  #historyRequests = 0;
  #historyFaults = 0;
  /** The old side's rate that the open bucket is reckoned with. */
  #u = expectedRate(0, 0);
  /** The open bucket is reckoned without the old side, which has had nothing to say lately. Never the first one of all. */
  #isAlone = false;

  /**
   * @param horizonBuckets length of a test
   * @param mostGain natural logarithm of the most that one bucket may multiply the evidence by; absent: there is no limit
   */
  constructor(tolerance: Tolerance, horizonBuckets: number, mostGain?: number) {
    this.#tolerance = tolerance;
    this.#gains = new Float64Array(wagersOf(tolerance));
    this.#mixture = new Mixture(this.#gains.length, horizonBuckets);
    this.#steady = mostGain === undefined ? null : new Mixture(this.#gains.length, horizonBuckets, mostGain);
  }

  /** A new test: of what has been counted only the old side's history stays. */
  begin(): void {
    if (this.#open > 0) this.#remember(1);
    this.#mixture.begin();
    this.#steady?.begin();
    this.#closed = NO_TOTALS;
    this.#open = 0;
  }

  add(counts: EraCounts): void {
    const era = this.#eraOf(counts.weightPpm);
    era.oldOk += counts.oldOk;
    era.oldFault += counts.oldFault;
    era.newOk += counts.newOk;
    era.newFault += counts.newFault;
  }

  /** @param buckets 1, and one more for each empty bucket behind the open one */
  close(buckets: number): void {
    const gains = this.#gainsOfOpen();
    this.#mixture.close(gains, buckets);
    this.#steady?.close(gains, buckets);
    this.#closed = this.totals();
    this.#remember(buckets);
    this.#open = 0;
  }

  /** Natural logarithm of the evidence. */
  log(): number {
    return (this.#steady ?? this.#mixture).log(this.#gainsOfOpen());
  }

  /** The same without the limit of what one bucket may add. */
  logAtOnce(): number {
    return this.#mixture.log(this.#gainsOfOpen());
  }

  /** Of the test so far, without what was drawn with weight 0. */
  totals(): Totals {
    let { oldRequests, oldFaults, newRequests, newFaults } = this.#closed;
    for (let i = 0; i < this.#open; i++) {
      const era = this.#eras[i] as Era;
      if (era.weightPpm === 0) continue;
      oldRequests += era.oldOk + era.oldFault;
      oldFaults += era.oldFault;
      newRequests += era.newOk + era.newFault;
      newFaults += era.newFault;
    }
    return { oldRequests, oldFaults, newRequests, newFaults };
  }

  /** The old side's requests of the open bucket and what is left of its history. */
  recentOldRequests(): number {
    let requests = this.#historyRequests;
    for (let i = 0; i < this.#open; i++) {
      const era = this.#eras[i] as Era;
      requests += era.oldOk + era.oldFault;
    }
    return requests;
  }

  save(): SavedEProcess {
    const history = { requests: this.#historyRequests, faults: this.#historyFaults };
    const [stakes, totals] = [this.#mixture.save(), this.#closed];
    return this.#steady === null
      ? { stakes, history, totals }
      : { stakes, history, totals, steady: this.#steady.save() };
  }

  /** In place of everything counted so far. */
  restore({ stakes, steady, history, totals }: SavedEProcess): void {
    this.#mixture.restore(stakes);
    if (steady !== undefined) this.#steady?.restore(steady);
    this.#historyRequests = history.requests;
    this.#historyFaults = history.faults;
    this.#expect();
    this.#closed = totals;
    this.#open = 0;
  }

  #eraOf(weightPpm: number): Era {
    for (let i = 0; i < this.#open; i++) {
      const era = this.#eras[i] as Era;
      if (era.weightPpm === weightPpm) return era;
    }
    const era = (this.#eras[this.#open] ??= newEra(this.#gains.length));
    this.#open += 1;
    if (era.weightPpm !== weightPpm) era.madeWith = Number.NaN;
    era.weightPpm = weightPpm;
    era.oldOk = era.oldFault = era.newOk = era.newFault = 0;
    return era;
  }

  /** By wager, what the open bucket is worth. */
  #gainsOfOpen(): Float64Array {
    const gains = this.#gains.fill(0);
    for (let i = 0; i < this.#open; i++) {
      const era = this.#eras[i] as Era;
      if (era.madeWith !== this.#u || era.madeAlone !== this.#isAlone) {
        fillFactors(era.factors, this.#tolerance, this.#isAlone ? 1 : era.weightPpm / PPM, this.#u);
        era.madeWith = this.#u;
        era.madeAlone = this.#isAlone;
      }
      const { newFault, newOk, oldFault, oldOk } = era.factors;
      for (let k = 0; k < gains.length; k++) {
        (gains[k] as number) +=
          era.newFault * (newFault[k] as number) +
          era.newOk * (newOk[k] as number) +
          era.oldFault * (oldFault[k] as number) +
          era.oldOk * (oldOk[k] as number);
      }
    }
    return gains;
  }

  /** Makes the old side's counts of the open bucket history. */
  #remember(buckets: number): void {
    let requests = this.#historyRequests * KEPT;
    let faults = this.#historyFaults * KEPT;
    for (let i = 0; i < this.#open; i++) {
      const era = this.#eras[i] as Era;
      requests += era.oldOk + era.oldFault;
      faults += era.oldFault;
    }
    const fading = buckets === 1 ? 1 : KEPT ** (buckets - 1);
    this.#historyRequests = requests * fading;
    this.#historyFaults = faults * fading;
    this.#expect();
  }

  /** By closed buckets only: what the open one shows must not decide what it is worth. */
  #expect(): void {
    this.#u = expectedRate(this.#historyRequests, this.#historyFaults);
    this.#isAlone = this.#tolerance.alone !== undefined && this.#historyRequests < 1;
  }
}

function newEra(wagers: number): Era {
  const counts = { oldOk: 0, oldFault: 0, newOk: 0, newFault: 0 };
  return { weightPpm: -1, ...counts, factors: noFactors(wagers), madeWith: Number.NaN, madeAlone: false };
}

/** Without history 0.1 percent; 500 requests of history weigh as much as that guess. */
function expectedRate(requests: number, faults: number): number {
  return Math.min(0.6, Math.max(1e-5, (faults + 0.5) / (requests + 500)));
}
