/** Numbers of what closed buckets left, as they are written down: enough digits to go on from, few enough to be sent each second. */
import type { SavedEProcess } from './e-process.ts';
import type { SavedEvidence } from './evidence.ts';
import type { SavedTrial } from './trial.ts';

/** Evidence is kept as logarithms: nine places of one are nine digits of it. */
const PLACES = 1e9;

/** What comes out is the same when it has been to text and back, so whoever wrote it can keep what it has. */
export function rounded(value: number): number {
  // JSON has no negative zero, which becomes 0 here.
  return Math.round(value * PLACES) / PLACES + 0;
}

export function roundedTrial(trial: SavedTrial): SavedTrial {
  if (trial.kind === 'fresh') return { kind: 'fresh', evidence: roundedEvidence(trial.evidence) };
  const families = trial.families.map(({ first, evidence }) => ({ first, evidence: roundedEvidence(evidence) }));
  return { kind: 'sticky', families };
}

function roundedEvidence({ bucket, begun, streams, ceilings, beyond }: SavedEvidence): SavedEvidence {
  return {
    bucket,
    begun,
    streams: streams.map(roundedProcess),
    ceilings: ceilings.map(roundedAll),
    beyond: beyond === null ? null : roundedProcess(beyond),
  };
}

function roundedProcess({ stakes, steady, history, totals }: SavedEProcess): SavedEProcess {
  const past = { requests: rounded(history.requests), faults: rounded(history.faults) };
  const rest = roundedAll(stakes);
  return steady === undefined
    ? { stakes: rest, history: past, totals }
    : { stakes: rest, history: past, totals, steady: roundedAll(steady) };
}

function roundedAll(values: readonly number[]): number[] {
  return values.map(rounded);
}
