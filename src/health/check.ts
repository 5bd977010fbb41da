/** Active checks of one endpoint: `fall` failures in a row take it out, `rise` passes bring it back. */
import type { CheckPolicy } from '../domain/health-policy.ts';

/** What one check found. `reason` in words for people. */
export type ProbeResult = { readonly ok: true } | { readonly ok: false; readonly reason: string };

export interface CheckState {
  readonly verdict: 'unknown' | 'passing' | 'failing';
  /** Results in a row that speak against the verdict. */
  readonly against: number;
  /** Of the last failure; '' while there was none. */
  readonly reason: string;
}

export const UNCHECKED: CheckState = { verdict: 'unknown', against: 0, reason: '' };

/** The first result decides at once; afterwards `rise` and `fall` do. */
export function afterProbe(state: CheckState, result: ProbeResult, { rise, fall }: CheckPolicy): CheckState {
  const found = result.ok ? 'passing' : 'failing';
  const reason = result.ok ? state.reason : result.reason;
  if (state.verdict === 'unknown' || state.verdict === found) return { verdict: found, against: 0, reason };
  const against = state.against + 1;
  return against >= (result.ok ? rise : fall)
    ? { verdict: found, against: 0, reason }
    : { verdict: state.verdict, against, reason };
}
