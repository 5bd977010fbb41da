/** What a ramp does by itself at this moment, if anything; and what it waits for. */
import type { Progress } from './cutover.ts';
import { type GateEvidence, holdEnds, stepOf, type Waiting, waitingFor } from './ramp.ts';
import { ppmToPercent } from './route.ts';
import type { RouteState } from './state.ts';

export interface Move {
  readonly event: Progress;
  /** For the history. */
  readonly reason: string;
}

/** A verdict that is missing this long after a step's hold is worth telling; until then it is only waited for. */
const PATIENCE_MS = 5_000;
/** A side that is back must stay back this long, so that one that comes and goes fills no history. */
const SETTLED_MS = 5_000;

/**
 * @param refusal why a side cannot be sent to; null: both can
 * @param now milliseconds since 1970 by the store's clock
 */
export function nextMove(state: RouteState, evidence: GateEvidence, refusal: string | null, now: number): Move | null {
  const { cutover, ramp, frozen } = state;
  if (ramp === undefined || frozen || (cutover !== 'ramping' && cutover !== 'held')) return null;
  const cause = ramp.held?.cause;
  if (cause === 'breach' || (cause === 'approval' && evidence.verdict !== 'breach')) return null;
  if (refusal !== null) return cause === undefined || cause === 'verdict' ? held('endpoints', refusal) : null;
  if (cause === 'endpoints') {
    const settled = now - (ramp.held?.since ?? 0) >= SETTLED_MS;
    return settled ? released('both sides have endpoints again; the hold begins anew') : null;
  }
  const waiting = waitingFor(ramp, evidence, now);
  if (waiting === null) return advanced(state, ramp.step + 1, evidence);
  if (waiting.for === 'breach' || waiting.for === 'approval') return held(waiting.for, waiting.reason);
  if (waiting.for === 'verdict') {
    const patient = now - holdEnds(ramp) < PATIENCE_MS;
    return cause === 'verdict' || patient ? null : held('verdict', waiting.reason);
  }
  return cause === 'verdict' ? released('there is a verdict again') : null;
}

/** What the route's ramp, or its way back, waits for; null: for nothing, or there is no ramp. */
export function pendingOf(
  { cutover, ramp, frozen }: RouteState,
  evidence: GateEvidence,
  now: number,
): Waiting | { readonly for: 'paused' | 'frozen' | 'resume'; readonly reason: string } | null {
  if (ramp === undefined) return null;
  if (cutover === 'rolledBack')
    return { for: 'resume', reason: 'rolled back: resume begins the ramp at its first step' };
  if (frozen) return { for: 'frozen', reason: 'the route is frozen' };
  if (cutover === 'paused') return { for: 'paused', reason: 'paused: resume lets it go on' };
  if (ramp.held !== undefined) return { for: ramp.held.cause, reason: ramp.held.reason };
  return waitingFor(ramp, evidence, now);
}

function advanced(state: RouteState, step: number, evidence: GateEvidence): Move {
  const ramp = state.ramp;
  const next = ramp?.steps[step];
  const from = ramp === undefined ? '' : ` after ${ppmToPercent(stepOf(ramp).weightPpm)}%`;
  const what =
    next === undefined
      ? 'the ramp is done'
      : `step ${step + 1} of ${ramp?.steps.length}, ${ppmToPercent(next.weightPpm)}%`;
  return { event: { kind: 'advance', step, evidence }, reason: `${what}${from}: ${evidence.reason}` };
}

function held(cause: 'approval' | 'verdict' | 'breach' | 'endpoints', reason: string): Move {
  return { event: { kind: 'hold', cause, reason }, reason };
}

function released(reason: string): Move {
  return { event: { kind: 'release' }, reason };
}
