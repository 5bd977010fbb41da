/** A route's ramp as the API tells it, read carefully: fields that are not there are not shown. */
import type { RouteView } from '../control/control.ts';
import { span } from './format.ts';

export interface RampShown {
  readonly step: number;
  readonly steps: readonly { readonly weight: number; readonly holdMs: number | null }[];
  /** When the next step is due, in milliseconds since 1970; null: not by time alone. */
  readonly nextAt: number | null;
  readonly waitsFor: string | null;
}

export function rampOf({ ramp }: RouteView): RampShown | null {
  if (ramp === null) return null;
  const { step, steps, nextAt, waitsFor } = ramp as Partial<Record<string, unknown>>;
  return {
    step: typeof step === 'number' ? step : 0,
    steps: Array.isArray(steps) ? (steps as RampShown['steps']) : [],
    nextAt: typeof nextAt === 'number' ? nextAt : null,
    waitsFor: typeof waitsFor === 'string' ? waitsFor : null,
  };
}

/** What comes next, in a few words. */
export function nextInWords(route: RouteView, ramp: RampShown, now: number): string {
  if (route.state === 'paused' || route.state === 'held') return route.state;
  if (ramp.waitsFor !== null) return ramp.waitsFor;
  if (ramp.nextAt === null) return '';
  return ramp.nextAt <= now ? 'due' : `next in ${span(ramp.nextAt - now)}`;
}
