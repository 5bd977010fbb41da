/** What the evidence says, with the raw counts that it says it by. */
import type { Totals } from './e-process.ts';
import type { Evidence, StreamKind } from './evidence.ts';

export interface Verdict {
  /** `inconclusive` is not `breach`: a ramp holds, nothing is taken back. */
  readonly kind: 'healthy' | 'inconclusive' | 'breach';
  /** One sentence, without the full stop. */
  readonly reason: string;
  /** The evidence that the reason names; it is a breach from `threshold` on. */
  readonly value: number;
  readonly threshold: number;
  readonly log10: number;
  /** What the reason speaks of: both sides compared, or the absolute ceiling. */
  readonly guard: Guard;
  /** That the reason tells; a fault is what it speaks of. */
  readonly counts: Totals;
}

export type Guard = 'comparison' | 'ceiling';

/** Fewer requests of the new side than this say nothing in its favour; little is needed to speak against it. */
const ENOUGH_NEW_REQUESTS = 100;

/**
 * How far the comparison is above its threshold, as a natural logarithm: from 0 on it takes the route back. What can be asked after
 * every response, where `verdictOf` has words to make.
 * @param share of its alpha that the evidence may use
 * @param isStall new has stopped answering in time (streak.ts)
 */
export function lead(evidence: Evidence, share = 1, isStall = false): number {
  return evidence.log(isStall) + Math.log(evidence.settings.alpha * share);
}

/** @param share of its alphas that the evidence may use @param isStall new has stopped answering in time (streak.ts) */
export function verdictOf(evidence: Evidence, share = 1, isStall = false): Verdict {
  const alpha = evidence.settings.alpha * share;
  const log = evidence.log(isStall);
  if (log + Math.log(alpha) >= 0) {
    const { kind, totals } = evidence.leading(isStall);
    const stalled = isStall && kind.startsWith('slow') ? ', and none of the last was in time' : '';
    return verdict(totals, { kind: 'breach', said: `${sentence(kind, totals)}${stalled}`, log, alpha });
  }
  const counts = evidence.totals();
  return (
    ceilingVerdict(evidence, share, counts) ??
    verdict(counts, { ...conclusion(counts, evidence.recentOldRequests()), log, alpha })
  );
}

/** When the new side is above the ceiling. Unless the old side is better there is nothing to go back to, and a ramp only holds. */
function ceilingVerdict(evidence: Evidence, share: number, counts: Totals): Verdict | undefined {
  const { ceiling } = evidence.settings;
  const logs = evidence.ceilingLogs();
  if (ceiling === null || logs === null) return undefined;
  const alpha = ceiling.alpha * share;
  const threshold = -Math.log(alpha);
  const limit = `the ceiling of ${PLAIN.format(ceiling.share * 100)} percent`;
  const finding = (kind: Verdict['kind'], said: string): Verdict =>
    verdict(counts, { kind, said: `${sentence('fault', counts)}: ${said}`, log: logs.beyond, alpha, guard: 'ceiling' });
  if (logs.beyond >= threshold) return finding('breach', `new is above ${limit}`);
  if (logs.new < threshold) return undefined;
  if (logs.old >= threshold) return finding('inconclusive', `both sides are above ${limit}`);
  return finding('inconclusive', `new is above ${limit}, and old may be as well`);
}

function conclusion(counts: Totals, recentOldRequests: number): Pick<Finding, 'kind' | 'said'> {
  const said = sentence('fault', counts);
  if (counts.newRequests < ENOUGH_NEW_REQUESTS) {
    return { kind: 'inconclusive', said: `${said}: fewer than ${ENOUGH_NEW_REQUESTS} requests to new` };
  }
  if (counts.oldRequests === 0 || recentOldRequests < 1) {
    return { kind: 'inconclusive', said: `${said}: no recent requests to old to compare with` };
  }
  return { kind: 'healthy', said };
}

const WORDS: Readonly<Record<StreamKind, string>> = {
  fault: 'failed',
  clientError: 'were refused as client errors',
  slow50: "were slower than old's median",
  slow90: "were slower than old's p90",
  slow99: "were slower than old's p99",
};

/** `new 14 of 212 failed, old 9 of 20,431` */
function sentence(kind: StreamKind, { oldRequests, oldFaults, newRequests, newFaults }: Totals): string {
  return `new ${count(newFaults)} of ${count(newRequests)} ${WORDS[kind]}, old ${count(oldFaults)} of ${count(oldRequests)}`;
}

interface Finding {
  readonly kind: Verdict['kind'];
  readonly said: string;
  readonly log: number;
  readonly alpha: number;
  readonly guard?: Guard;
}

function verdict(counts: Totals, { kind, said, log, alpha, guard = 'comparison' }: Finding): Verdict {
  // JSON knows no Infinity.
  const value = Math.min(Math.exp(log), Number.MAX_VALUE);
  const threshold = 1 / alpha;
  const reason = `${said}; evidence ${amount(value)} against ${amount(threshold)}`;
  return { kind, reason, value, threshold, log10: log / Math.LN10, guard, counts };
}

/** Made once: a verdict is put into words for every route after every response, and `toLocaleString` makes one a call. */
const PLAIN = new Intl.NumberFormat('en-US');
const TWO_DIGITS = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 2 });
const FOUR_DIGITS = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 4 });

function count(value: number): string {
  return value < 1_000 && Number.isInteger(value) ? String(value) : PLAIN.format(value);
}

/** Four digits are as much as a reader can use, and two of what says nothing. */
function amount(value: number): string {
  if (value < 0.01) return 'below 0.01';
  if (value >= 1e12) return value.toExponential(1);
  return (value < 1 ? TWO_DIGITS : FOUR_DIGITS).format(value);
}
