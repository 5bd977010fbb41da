/**
 * What an event makes of a route's state: the next position, or why not. Pure, so that whoever lost a compare-and-set decides again on
 * what it reads. Only a person, or a ramp whose gate has passed, raises a weight here; everything may lower one, and nothing holds up a
 * rollback.
 */
import { latched, withRollback } from './latch.ts';
import {
  firstStep,
  type GateEvidence,
  type HoldCause,
  planFault,
  type Ramp,
  type RampStep,
  waitingFor,
} from './ramp.ts';
import { PPM, ppmToPercent } from './route.ts';
import type { AuditEntry, RoutePosition, RouteState } from './state.ts';

/** What a person asks for. */
export type Command = (
  | { readonly kind: 'set'; readonly weightPpm: number }
  /** Walks through the steps, from the first one that does not lower the route. */
  | { readonly kind: 'ramp'; readonly steps: readonly RampStep[]; readonly template?: string | undefined }
  /** To the ramp's next step, whatever it waits for; of a paused ramp, which stays paused, too. */
  | { readonly kind: 'step' }
  | { readonly kind: 'pause' }
  /** A ramp goes on, its step's hold begins anew; a ramp that was rolled back begins at its first step, another route where it was. */
  | { readonly kind: 'resume' }
  /** All the way, and done. */
  | { readonly kind: 'promote' }
  | { readonly kind: 'freeze' }
  | { readonly kind: 'unfreeze' }
  /** Back to what the change of this revision replaced. */
  | { readonly kind: 'undo'; readonly revision: number; readonly before: RoutePosition }
) & {
  /** The revision that the caller believes to change; a raise must name it, anything else may. */
  readonly ifRevision?: number | undefined;
  /** Past the latch, and over a ramp that is under way. */
  readonly force?: boolean | undefined;
};

/** By a person or not. */
export interface Rollback {
  readonly kind: 'rollback';
  readonly automatic: boolean;
  readonly ifRevision?: number | undefined;
}

/** What a ramp does by itself. */
export type Progress =
  /** To the step of this index, or past the last. */
  | { readonly kind: 'advance'; readonly step: number; readonly evidence: GateEvidence }
  | { readonly kind: 'hold'; readonly cause: HoldCause; readonly reason: string }
  /** What it was held for is over. */
  | { readonly kind: 'release' };

export type CutoverEvent = Command | Rollback | Progress;

export type CutoverRefusal = 'preconditionRequired' | 'stale' | 'frozen' | 'latched' | 'conflict';

export type CutoverDecision =
  | { readonly kind: 'next'; readonly next: RoutePosition }
  /** The route already is where it was asked to be, or where the event is of no account; nothing needs writing. */
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'refused'; readonly code: CutoverRefusal; readonly detail: string };

/**
 * @param state what the store holds
 * @param now milliseconds since 1970 by the store's clock
 */
export function decide(state: RouteState, event: CutoverEvent, now: number): CutoverDecision {
  const ifRevision = 'ifRevision' in event ? event.ifRevision : undefined;
  if (ifRevision !== undefined && ifRevision !== state.revision) {
    return refused('stale', `The route is at revision ${state.revision}, not ${ifRevision}: read it again`);
  }
  const decision = decisionOf(state, event, now);
  if (decision.kind !== 'next' || decision.next.weightPpm <= state.weightPpm) return decision;
  return raiseRefusal(state, event, now) ?? decision;
}

/** What stands against any raise; undefined: nothing. */
function raiseRefusal(state: RouteState, event: CutoverEvent, now: number): CutoverDecision | undefined {
  if (state.frozen) return refused('frozen', 'The route is frozen: unfreeze it before raising its weight');
  if (event.kind === 'advance' || event.kind === 'hold' || event.kind === 'release' || event.kind === 'rollback') {
    return undefined;
  }
  // An undo names a revision itself.
  if (event.ifRevision === undefined && event.kind !== 'undo') {
    return refused('preconditionRequired', `Raising a weight needs If-Match with the revision (${state.revision})`);
  }
  const latch = state.weightPpm === 0 && event.force !== true ? latched(state.rollbacks, now) : null;
  if (latch === 'raising' || (latch === 'resuming' && (event.kind === 'resume' || event.kind === 'ramp'))) {
    return refused('latched', 'The route was rolled back twice within a day: raising it again needs force');
  }
  return undefined;
}

function decisionOf(state: RouteState, event: CutoverEvent, now: number): CutoverDecision {
  switch (event.kind) {
    case 'set':
      return next(state, { weightPpm: event.weightPpm, cutover: 'steady' });
    case 'ramp':
      return start(state, event, event.force === true, now);
    case 'step':
      return stepOn(state, now);
    case 'pause':
      return pause(state);
    case 'resume':
      return resume(state, now);
    case 'promote':
      return promote(state);
    case 'rollback':
      return rollBack(state, event.automatic, now);
    case 'freeze':
      return state.frozen ? UNCHANGED : next(state, { ...placeOf(state), frozen: true });
    case 'unfreeze':
      return state.frozen ? next(state, { ...begunAnew(placeOf(state), now), frozen: false }) : UNCHANGED;
    case 'undo':
      return undo(state, event, now);
    case 'advance':
      return advance(state, event.step, event.evidence, now);
    case 'hold':
      return hold(state, event.cause, event.reason, now);
    case 'release':
      return release(state, now);
  }
}

/** A ramp that is under way, paused or held included; undefined: there is none. */
function rampUnderWay({ cutover, ramp }: RoutePosition): Ramp | undefined {
  return cutover === 'ramping' || cutover === 'held' || cutover === 'paused' ? ramp : undefined;
}

function start(
  state: RouteState,
  { steps, template }: { readonly steps: readonly RampStep[]; readonly template?: string | undefined },
  force: boolean,
  now: number,
): CutoverDecision {
  const fault = planFault(steps);
  if (fault !== null) return refused('conflict', `The plan cannot be walked: ${fault}`);
  if (rampUnderWay(state) !== undefined && !force) {
    return refused('conflict', `A ramp is ${state.cutover}: step, pause or resume it, or begin another by force`);
  }
  const first = firstStep(steps, state.weightPpm);
  if (first === -1) {
    return refused('conflict', `The route is at ${ppmToPercent(state.weightPpm)}%, above every step of the ramp`);
  }
  const ramp = { ...(template !== undefined && { template }), steps, step: first, since: now };
  return next(state, atStep(ramp, first, now));
}

function stepOn(state: RouteState, now: number): CutoverDecision {
  const ramp = rampUnderWay(state);
  if (ramp === undefined) return refused('conflict', noRamp(state));
  const place = atStep(ramp, ramp.step + 1, now);
  return next(state, state.cutover === 'paused' && place.ramp !== undefined ? { ...place, cutover: 'paused' } : place);
}

function pause(state: RouteState): CutoverDecision {
  if (state.cutover === 'paused') return UNCHANGED;
  const ramp = rampUnderWay(state);
  if (ramp === undefined) return refused('conflict', noRamp(state));
  return next(state, { weightPpm: state.weightPpm, cutover: 'paused', ramp: unheld(ramp) });
}

function resume(state: RouteState, now: number): CutoverDecision {
  const { cutover, weightPpm, ramp, from = 0 } = state;
  if (cutover === 'rolledBack') {
    return next(state, ramp === undefined ? { weightPpm: from, cutover: 'steady' } : atStep(ramp, 0, now));
  }
  if (cutover === 'ramping') return UNCHANGED;
  if (rampUnderWay(state) === undefined || ramp === undefined) {
    return refused('conflict', `The route is ${cutover}: nothing is paused, held or rolled back`);
  }
  if (ramp.held?.cause === 'approval') return next(state, atStep(ramp, ramp.step + 1, now));
  return next(state, { weightPpm, cutover: 'ramping', ramp: { ...unheld(ramp), since: now } });
}

function promote(state: RouteState): CutoverDecision {
  if (state.cutover === 'rolledBack') return refused('conflict', 'The route is rolled back: resume it first');
  if (state.cutover === 'completed' && state.weightPpm === PPM) return UNCHANGED;
  return next(state, { weightPpm: PPM, cutover: 'completed' });
}

function rollBack(state: RouteState, automatic: boolean, now: number): CutoverDecision {
  const { weightPpm, cutover, ramp } = state;
  if (weightPpm === 0 && cutover === 'rolledBack') return UNCHANGED;
  const kept = ramp !== undefined && { ramp: unheld(ramp) };
  if (weightPpm === 0) return next(state, { weightPpm, cutover: 'rolledBack', ...kept });
  const rollbacks = withRollback(state.rollbacks, { at: now, automatic });
  return next(state, { weightPpm: 0, cutover: 'rolledBack', ...kept, from: weightPpm, rollbacks });
}

function undo(
  state: RouteState,
  { revision, before }: { readonly revision: number; readonly before: RoutePosition },
  now: number,
): CutoverDecision {
  if (state.revision !== revision) {
    return refused(
      'conflict',
      `The route was changed again at revision ${state.revision}: undo that first, or use set`,
    );
  }
  return next(state, { ...begunAnew(placeOf(before), now), frozen: before.frozen });
}

function advance(state: RouteState, step: number, evidence: GateEvidence, now: number): CutoverDecision {
  const ramp = state.cutover === 'paused' ? undefined : rampUnderWay(state);
  // Somebody else was faster, or a person has spoken.
  if (ramp === undefined || ramp.step + 1 !== step) return UNCHANGED;
  if (ramp.held?.cause === 'approval' || ramp.held?.cause === 'breach') return UNCHANGED;
  if (state.frozen) return UNCHANGED;
  const waiting = waitingFor(ramp, evidence, now);
  return waiting === null ? next(state, atStep(ramp, step, now)) : refused('conflict', waiting.reason);
}

function hold(state: RouteState, cause: HoldCause, reason: string, now: number): CutoverDecision {
  const ramp = state.cutover === 'paused' ? undefined : rampUnderWay(state);
  if (ramp === undefined || ramp.held?.cause === cause) return UNCHANGED;
  const { weightPpm } = state;
  return next(state, { weightPpm, cutover: 'held', ramp: { ...ramp, held: { cause, reason, since: now } } });
}

/** What happened while a side had no endpoints says nothing: the hold begins anew. */
function release(state: RouteState, now: number): CutoverDecision {
  const { cutover, weightPpm, ramp } = state;
  const cause = ramp?.held?.cause;
  if (cutover !== 'held' || ramp === undefined || cause === 'approval' || cause === 'breach') return UNCHANGED;
  const since = cause === 'endpoints' ? now : ramp.since;
  return next(state, { weightPpm, cutover: 'ramping', ramp: { ...unheld(ramp), since } });
}

type Place = Pick<RoutePosition, 'weightPpm' | 'cutover' | 'ramp' | 'from'>;

/** Where a ramp has the route from this step on; past the last step, or at a last one that waits for nothing, it is over. */
function atStep(ramp: Ramp, step: number, now: number): Place {
  const last = ramp.steps.length - 1;
  const { weightPpm, holdMs, gate } = ramp.steps[Math.min(step, last)] as RampStep;
  if (step > last || (step === last && holdMs === 0 && gate === null)) {
    return { weightPpm, cutover: weightPpm === PPM ? 'completed' : 'steady' };
  }
  return { weightPpm, cutover: 'ramping', ramp: { ...unheld(ramp), step, since: now } };
}

function placeOf({ weightPpm, cutover, ramp, from }: RoutePosition): Place {
  return { weightPpm, cutover, ...(ramp !== undefined && { ramp }), ...(from !== undefined && { from }) };
}

/** A ramp that stood still is not due at once. */
function begunAnew(place: Place, now: number): Place {
  return place.ramp === undefined ? place : { ...place, ramp: { ...place.ramp, since: now } };
}

function unheld({ template, steps, step, since }: Ramp): Ramp {
  return { ...(template !== undefined && { template }), steps, step, since };
}

function noRamp({ cutover }: RouteState): string {
  return cutover === 'rolledBack'
    ? 'The route is rolled back: resume it first'
    : `The route is ${cutover}: no ramp is under way`;
}

/** Why a whole change cannot be undone, whatever its routes are now; undefined: it can, as far as it goes by itself. */
export function undoRefusal(entry: AuditEntry): string | undefined {
  if (entry.verb === 'rollback') return 'Undoing a rollback is refused: use resume';
  if (entry.routes.some(({ before }) => before === null)) return 'The first appearance of a route cannot be undone';
  return undefined;
}

const UNCHANGED: CutoverDecision = { kind: 'unchanged' };

/** Frozen and the memory of rollbacks stay as they are, unless said otherwise. */
function next(
  { frozen, rollbacks }: RouteState,
  place: Place & Partial<Pick<RoutePosition, 'frozen' | 'rollbacks'>>,
): CutoverDecision {
  return { kind: 'next', next: { frozen, ...(rollbacks !== undefined && { rollbacks }), ...place } };
}

function refused(code: CutoverRefusal, detail: string): CutoverDecision {
  return { kind: 'refused', code, detail };
}
