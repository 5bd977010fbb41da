/** What a ramp does by itself at this moment, if anything; and what it waits for. */
import type { Progress } from './cutover.ts';
import { type GateEvidence, type HoldCause, holdEnds, stepOf, type Waiting, waitingFor } from './ramp.ts';
import { ppmToPercent } from './route.ts';
import type { RouteState } from './state.ts';

export interface Move {
  readonly event: Progress;
  /** For the history. */
  readonly reason: string;
}

/** What stands in the way of a ramp beside its evidence, each in one sentence; null: nothing. */
export interface Obstacles {
  /** Why one of the sides cannot be sent to. */
  readonly endpoints: string | null;
  /** When that was last so, in milliseconds since 1970 by the store's clock; absent: it was not seen. */
  readonly endpointsAt?: number | undefined;
  /** Why the new side cannot carry the next step. */
  readonly capacity: string | null;
}

/** A verdict or a capacity that is missing this long after a step's hold is worth telling; until then it is only waited for. */
const PATIENCE_MS = 5_000;
/** A side that is back must stay back this long, so that one that comes and goes fills no history. */
const SETTLED_MS = 5_000;

/** @param now milliseconds since 1970 by the store's clock */
export function nextMove(state: RouteState, evidence: GateEvidence, obstacles: Obstacles, now: number): Move | null {
  const { cutover, ramp, frozen } = state;
  if (ramp === undefined || frozen || (cutover !== 'ramping' && cutover !== 'held')) return null;
  const cause = ramp.held?.cause;
  if (cause === 'breach' || (cause === 'approval' && evidence.verdict !== 'breach')) return null;
  if (obstacles.endpoints !== null) return cause === 'endpoints' ? null : held('endpoints', obstacles.endpoints);
  if (cause === 'endpoints') {
    const settled = now - Math.max(ramp.held?.since ?? 0, obstacles.endpointsAt ?? 0) >= SETTLED_MS;
    return settled ? released('both sides have healthy endpoints again; the hold begins anew') : null;
  }
  const waiting = waitingFor(ramp, evidence, now) ?? capacityWait(obstacles);
  if (waiting === null) return advanced(state, ramp.step + 1, evidence);
  if (waiting.for === 'breach' || waiting.for === 'approval') return held(waiting.for, waiting.reason);
  if (waiting.for === 'verdict' || waiting.for === 'capacity') {
    const patient = now - holdEnds(ramp) < PATIENCE_MS;
    return cause === waiting.for || patient ? null : held(waiting.for, waiting.reason);
  }
  return cause === undefined ? null : released(`there is a ${cause} again`);
}

/** Asked last, since it is about the next step only. */
function capacityWait({ capacity }: Obstacles): Waiting | null {
  return capacity === null ? null : { for: 'capacity', reason: capacity };
}

/** What the route's ramp, or its way back, waits for; null: for nothing, or there is no ramp. */
export function pendingOf(
  { cutover, ramp, frozen }: RouteState,
  evidence: GateEvidence,
  obstacles: Obstacles,
  now: number,
): Waiting | { readonly for: 'paused' | 'frozen' | 'resume'; readonly reason: string } | null {
  if (ramp === undefined) return null;
  if (cutover === 'rolledBack')
    return { for: 'resume', reason: 'rolled back: resume begins the ramp at its first step' };
  if (frozen) return { for: 'frozen', reason: 'the route is frozen' };
  if (cutover === 'paused') return { for: 'paused', reason: 'paused: resume lets it go on' };
  const { cause, reason = '' } = ramp.held ?? {};
  if (cause === 'approval' || cause === 'breach') return { for: cause, reason };
  if (obstacles.endpoints !== null) return { for: 'endpoints', reason: obstacles.endpoints };
  if (cause !== undefined) return { for: cause, reason };
  return waitingFor(ramp, evidence, now) ?? capacityWait(obstacles);
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

function held(cause: HoldCause, reason: string): Move {
  return { event: { kind: 'hold', cause, reason }, reason };
}

function released(reason: string): Move {
  return { event: { kind: 'release' }, reason };
}
