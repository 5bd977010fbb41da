/** A route's ramp as the admin API shows it. */

import { type GateEvidence, holdEnds, type RampGate, stepOf } from '../domain/ramp.ts';
import { type Obstacles, pendingOf } from '../domain/ramp-move.ts';
import { ppmToPercent } from '../domain/route.ts';
import type { RouteState } from '../domain/state.ts';
import type { RampView } from './control.ts';

/** @param away what is wrong with the store, while ramps hold; null: nothing */
export function rampView(
  state: RouteState,
  evidence: GateEvidence,
  obstacles: Obstacles,
  away: string | null,
  now: number,
): RampView | null {
  const { ramp, cutover } = state;
  if (ramp === undefined) return null;
  const { steps, step, since, template = null } = ramp;
  const { weightPpm, gate } = stepOf(ramp);
  const next = steps[step + 1];
  const ends = cutover === 'ramping' && away === null ? holdEnds(ramp) : null;
  return {
    template,
    step: step + 1,
    of: steps.length,
    weight: ppmToPercent(weightPpm),
    since,
    steps: steps.map((each) => ({
      weight: ppmToPercent(each.weightPpm),
      hold: each.holdMs,
      gate: gateView(each.gate),
    })),
    next: next === undefined ? null : { weight: ppmToPercent(next.weightPpm), at: ends },
    gate: gateView(gate),
    newRequests: evidence.newRequests,
    waiting: away === null ? pendingOf(state, evidence, obstacles, now) : { for: 'store', reason: away },
  };
}

export function gateView(gate: RampGate | null): RampView['gate'] {
  if (gate?.kind === 'newRequests') return { newRequests: gate.newRequests };
  return gate?.kind ?? null;
}
