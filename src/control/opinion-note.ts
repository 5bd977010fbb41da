import type { EvidenceNote } from '../domain/state.ts';
import type { Opinion } from './judge.ts';

/** What the history keeps of an opinion. JSON has no infinity: evidence beyond all bounds is kept as the largest number. */
export function noteOf({ verdict, value, threshold, reason, newRequests, counts }: Opinion): EvidenceNote {
  const note = { verdict, value: Math.min(value, Number.MAX_VALUE), threshold, reason, newRequests };
  return counts === undefined ? note : { ...note, counts };
}
