/** Ramps: the steps that a route is walked through, and when the next one may be taken. Times in milliseconds by the store's clock. */
import { ppmToPercent } from './route.ts';

/** What must hold, beside the time and a healthy verdict, before a step is left. */
export type RampGate =
  | { readonly kind: 'approval' }
  /** At least so many judged requests of the new side at the step's weight, by the whole fleet. */
  | { readonly kind: 'newRequests'; readonly newRequests: number };

export interface RampStep {
  readonly weightPpm: number;
  /** How long the weight holds at least. */
  readonly holdMs: number;
  readonly gate: RampGate | null;
}

/**
 * Why a ramp was stopped by itself. It goes on by itself from `verdict`, `endpoints` and `capacity` when they are over, since what is missing
 * then harms nobody; from `approval` and `breach` only by a person.
 */
export const HOLD_CAUSES = ['approval', 'verdict', 'breach', 'endpoints', 'capacity'] as const;
export type HoldCause = (typeof HOLD_CAUSES)[number];

/** A ramp and how far it has come; part of the route's state, so that every replica knows it and none needs to remember. */
export interface Ramp {
  /** Name in the configuration; absent: the steps were given by hand. */
  readonly template?: string;
  readonly steps: readonly RampStep[];
  /** Index of the step that the route is at, or was when it was rolled back. */
  readonly step: number;
  /** When the step's hold began. */
  readonly since: number;
  /** While held. */
  readonly held?: { readonly cause: HoldCause; readonly reason: string; readonly since: number };
}

/** The steps of a ramp, and its name in the configuration if it has one. */
export interface RampPlan {
  readonly steps: readonly RampStep[];
  readonly template?: string | undefined;
}

/** What the judge says of a route, as far as a step depends on it. */
export interface GateEvidence {
  readonly verdict: 'healthy' | 'inconclusive' | 'breach';
  readonly reason: string;
  /** Judged at the present weight, in the present test. */
  readonly newRequests: number;
}

/** What a step still waits for, or what forbids it. */
export interface Waiting {
  readonly for: 'hold' | 'newRequests' | HoldCause;
  readonly reason: string;
}

/** Most steps of a ramp. */
const MOST_STEPS = 100;

/** What is wrong with a plan, or null. */
export function planFault(steps: readonly RampStep[]): string | null {
  if (steps.length === 0) return 'a ramp needs a step';
  if (steps.length > MOST_STEPS) return `a ramp has at most ${MOST_STEPS} steps`;
  for (const [i, { weightPpm }] of steps.entries()) {
    const before = steps[i - 1]?.weightPpm ?? 0;
    if (weightPpm <= before) {
      const [weight, least] = [ppmToPercent(weightPpm), ppmToPercent(before)];
      return `step ${i + 1} must be above ${least}%, since a ramp only rises (got ${weight}%)`;
    }
  }
  return null;
}

/** The first step that does not lower the route; -1: all would. */
export function firstStep(steps: readonly RampStep[], weightPpm: number): number {
  return steps.findIndex((step) => step.weightPpm >= weightPpm);
}

/** The step that the ramp is at. */
export function stepOf({ steps, step }: Ramp): RampStep {
  return steps[step] as RampStep;
}

/** When the step has held long enough. */
export function holdEnds(ramp: Ramp): number {
  return ramp.since + stepOf(ramp).holdMs;
}

/** Why the ramp may not go on to its next step by itself at this moment; null: it may. */
export function waitingFor(ramp: Ramp, evidence: GateEvidence, now: number): Waiting | null {
  const { gate } = stepOf(ramp);
  if (evidence.verdict === 'breach') return { for: 'breach', reason: evidence.reason };
  if (now < holdEnds(ramp)) return { for: 'hold', reason: `until ${new Date(holdEnds(ramp)).toISOString()}` };
  if (gate?.kind === 'approval') return { for: 'approval', reason: 'waits for approval: step or resume lets it go on' };
  if (evidence.verdict === 'inconclusive') return { for: 'verdict', reason: evidence.reason };
  if (gate !== null && evidence.newRequests < gate.newRequests) {
    const reason = `${evidence.newRequests} of ${gate.newRequests} requests of the new side at this weight`;
    return { for: 'newRequests', reason };
  }
  return null;
}
