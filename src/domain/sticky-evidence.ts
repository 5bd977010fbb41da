/**
 * Evidence of a sticky route. A key stays on its side, so its responses are no independent draws: one user who always fails would speak
 * against a side again and again. So time is cut into windows, each a test of its own that counts each key's first response in it. A
 * later window has less alpha, and all together have what the route has. Short ones see a large fault soon, long ones a small one at all.
 */
import type { Totals } from './e-process.ts';
import { Evidence, type SavedEvidence, type TestSettings } from './evidence.ts';
import { lead, type Verdict, verdictOf } from './verdict.ts';

/** The two families: lengths of their windows in buckets, and what stands in front of the names of what is counted in them. */
export const FAMILIES = [
  { buckets: 60, prefix: 'w0.' },
  { buckets: 600, prefix: 'w1.' },
] as const;

/** Families share alpha equally. */
const FAMILY_SHARE = 1 / FAMILIES.length;

/** What the closed buckets left, as JSON, by family. */
export type SavedStickyEvidence = readonly { readonly first: number; readonly evidence: SavedEvidence }[];

export class StickyEvidence {
  readonly #families: readonly Family[];

  /** Without a test until `begin`. @param bucket the open one */
  constructor(settings: TestSettings, bucket: number) {
    this.#families = FAMILIES.map(({ buckets }) => new Family(settings, buckets, bucket));
  }

  /** A new test of the route: when the weight leaves 0, at resume and every 24 h. */
  begin(): void {
    for (const family of this.#families) family.begin();
  }

  advanceTo(bucket: number): void {
    for (const family of this.#families) family.advanceTo(bucket);
  }

  /** Where to count the first responses of the family's open window, which begins with the buckets at multiples of its length. */
  countsOf(family: 0 | 1): Pick<Evidence, 'addFaults' | 'addOutcomes' | 'addSlow'> {
    return (this.#families[family] as Family).evidence;
  }

  /**
   * Of the family that is nearest to its threshold.
   * @param of its alpha that the route may use
   * @param isStall new has stopped answering in time (streak.ts)
   */
  verdict(of = 1, isStall = false): Verdict {
    const leadOf = (family: Family): number => family.lead(isStall);
    const { evidence, share } = this.#families.reduce((most, next) => (leadOf(next) > leadOf(most) ? next : most));
    return verdictOf(evidence, share * of, isStall);
  }

  /** Of the shorter windows. */
  slowTotals(): Totals {
    return (this.#families[0] as Family).evidence.slowTotals();
  }

  save(): SavedStickyEvidence {
    return this.#families.map(({ first, evidence }) => ({ first, evidence: evidence.save() }));
  }

  /** In place of everything counted so far. */
  restore(saved: SavedStickyEvidence): void {
    for (const [i, { first, evidence }] of saved.entries()) this.#families[i]?.restore(first, evidence);
  }
}

/** The windows of one length. They lie at multiples of it, where every replica finds them. */
class Family {
  readonly evidence: Evidence;
  readonly #buckets: number;
  /** Window that the test began in. */
  #first: number;
  #window: number;

  constructor(settings: TestSettings, buckets: number, bucket: number) {
    this.evidence = new Evidence({ ...settings, horizonBuckets: buckets }, bucket);
    this.#buckets = buckets;
    this.#first = this.#window = Math.floor(bucket / buckets);
  }

  get first(): number {
    return this.#first;
  }

  /** Of the route's alpha, what the open window has: these sum up to the family's share over all windows there ever are. */
  get share(): number {
    const number = this.#window - this.#first + 1;
    return (FAMILY_SHARE * 6) / (Math.PI * number) ** 2;
  }

  lead(isStall: boolean): number {
    return lead(this.evidence, this.share, isStall);
  }

  begin(): void {
    this.evidence.begin();
    this.#first = this.#window;
  }

  advanceTo(bucket: number): void {
    this.evidence.advanceTo(bucket);
    const window = Math.floor(bucket / this.#buckets);
    if (window <= this.#window) return;
    this.#window = window;
    this.evidence.begin();
  }

  restore(first: number, evidence: SavedEvidence): void {
    this.evidence.restore(evidence);
    this.#first = first;
    this.#window = Math.floor(evidence.bucket / this.#buckets);
  }
}
