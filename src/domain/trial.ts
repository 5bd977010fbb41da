/** The evidence of one route, by whichever way its requests are drawn: each afresh, or by a key that stays on its side. */
import type { Totals } from './e-process.ts';
import { Evidence, type SavedEvidence, type TestSettings } from './evidence.ts';
import { FAMILIES, type SavedStickyEvidence, StickyEvidence } from './sticky-evidence.ts';
import { type Verdict, verdictOf } from './verdict.ts';

export type SavedTrial =
  | { readonly kind: 'fresh'; readonly evidence: SavedEvidence }
  | { readonly kind: 'sticky'; readonly families: SavedStickyEvidence };

export interface Trial {
  begin(): void;
  advanceTo(bucket: number): void;
  /** Where to count what has been tallied under a prefix; see `prefixes`. */
  countsOf(index: number): Pick<Evidence, 'addOutcomes' | 'addSlow'>;
  /** What stands in front of the names of the counts that speak for or against a side. */
  readonly prefixes: readonly string[];
  verdict(share: number, isStall: boolean): Verdict;
  /** Of the responses that are slow by the highest bound. */
  slowTotals(): Totals;
  save(): SavedTrial;
  /** False: what was saved is of the other kind. */
  restore(saved: SavedTrial): boolean;
}

export function openTrial(isSticky: boolean, settings: TestSettings, bucket: number): Trial {
  return isSticky ? new StickyTrial(settings, bucket) : new FreshTrial(settings, bucket);
}

class FreshTrial implements Trial {
  readonly prefixes = [''] as const;
  readonly #evidence: Evidence;

  constructor(settings: TestSettings, bucket: number) {
    this.#evidence = new Evidence(settings, bucket);
  }

  begin(): void {
    this.#evidence.begin();
  }

  advanceTo(bucket: number): void {
    this.#evidence.advanceTo(bucket);
  }

  countsOf(): Evidence {
    return this.#evidence;
  }

  verdict(share: number, isStall: boolean): Verdict {
    return verdictOf(this.#evidence, share, isStall);
  }

  slowTotals(): Totals {
    return this.#evidence.slowTotals();
  }

  save(): SavedTrial {
    return { kind: 'fresh', evidence: this.#evidence.save() };
  }

  restore(saved: SavedTrial): boolean {
    if (saved.kind === 'fresh') this.#evidence.restore(saved.evidence);
    return saved.kind === 'fresh';
  }
}

class StickyTrial implements Trial {
  readonly prefixes = FAMILIES.map(({ prefix }) => prefix);
  readonly #evidence: StickyEvidence;

  constructor(settings: TestSettings, bucket: number) {
    this.#evidence = new StickyEvidence(settings, bucket);
  }

  begin(): void {
    this.#evidence.begin();
  }

  advanceTo(bucket: number): void {
    this.#evidence.advanceTo(bucket);
  }

  countsOf(index: number): Pick<Evidence, 'addOutcomes' | 'addSlow'> {
    return this.#evidence.countsOf(index === 0 ? 0 : 1);
  }

  verdict(share: number, isStall: boolean): Verdict {
    return this.#evidence.verdict(share, isStall);
  }

  slowTotals(): Totals {
    return this.#evidence.slowTotals();
  }

  save(): SavedTrial {
    return { kind: 'sticky', families: this.#evidence.save() };
  }

  restore(saved: SavedTrial): boolean {
    if (saved.kind === 'sticky') this.#evidence.restore(saved.families);
    return saved.kind === 'sticky';
  }
}
