/** Passive ejection of one endpoint: how many faults it has had in a row, whether it is out, and for how long the next time. */
import type { EjectionPolicy } from '../domain/health-policy.ts';

/** What a worker saw of an endpoint since it last told. */
export interface AttemptReport {
  readonly attempts: number;
  readonly faults: number;
  /** Faults since the last attempt without one. */
  readonly streak: number;
}

export interface EjectionState {
  readonly streak: number;
  /** The endpoint is out until then; 0: it never was. */
  readonly untilMs: number;
  /** Ejections that the length of the next one grows by. */
  readonly times: number;
}

export const NEVER_EJECTED: EjectionState = { streak: 0, untilMs: 0, times: 0 };

/** Workers' streaks are joined in the order in which they tell: one that saw an attempt go well ends what others began. */
export function afterAttempts(state: EjectionState, { attempts, faults, streak }: AttemptReport): EjectionState {
  return { ...state, streak: attempts > faults ? streak : state.streak + streak };
}

export function isEjected(state: EjectionState, nowMs: number): boolean {
  return nowMs < state.untilMs;
}

/** Out from now on, twice as long as the last time unless that is long ago. */
export function ejected(state: EjectionState, { baseMs, longestMs }: EjectionPolicy, nowMs: number): EjectionState {
  const times = nowMs - state.untilMs >= longestMs ? 0 : state.times;
  const forMs = Math.min(baseMs * 2 ** times, longestMs);
  return { streak: 0, untilMs: nowMs + forMs, times: times + 1 };
}

/** Whether one endpoint more may be ejected: never more than half of them are out. */
export function mayEject(endpoints: number, out: number): boolean {
  return 2 * (out + 1) <= endpoints;
}
