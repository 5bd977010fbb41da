/** What is thought of a route's new side, and what the history keeps of it. */
import type { Totals } from '../domain/e-process.ts';
import type { EvidenceNote } from '../domain/state.ts';
import type { Verdict } from '../domain/verdict.ts';

export interface Opinion {
  readonly verdict: Verdict['kind'];
  readonly value: number;
  readonly threshold: number;
  readonly log10: number;
  readonly reason: string;
  /** The fleet's responses of the new side, drawn at the present weight in the present test. */
  readonly newRequests: number;
  /** That the reason tells; absent: nothing is judged. */
  readonly counts?: Totals;
}

export function opinionOf({ kind, value, threshold, log10, reason, counts }: Verdict, newRequests: number): Opinion {
  return { verdict: kind, value, threshold, log10, reason, newRequests, counts };
}

/** JSON has no infinity: evidence beyond all bounds is kept as the largest number. */
export function noteOf({ verdict, value, threshold, reason, newRequests, counts }: Opinion): EvidenceNote {
  const note = { verdict, value: Math.min(value, Number.MAX_VALUE), threshold, reason, newRequests };
  return counts === undefined ? note : { ...note, counts };
}
