/** A route's ramp as the console shows it. */
import type { RouteView } from '../control/control.ts';
import { span } from './format.ts';

interface RampStep {
  readonly weight: number;
  /** Milliseconds. */
  readonly hold: number;
}

export interface RampShown {
  /** From 1. */
  readonly step: number;
  readonly of: number;
  readonly steps: readonly RampStep[];
  /** `at`: when it is due, in milliseconds since 1970; null: not by time alone. */
  readonly next: { readonly weight: number; readonly at: number | null } | null;
  readonly waiting: { readonly for: string; readonly reason: string } | null;
}

export function rampOf({ ramp }: RouteView): RampShown | null {
  if (ramp === null) return null;
  const { step, of, steps, next, waiting } = ramp;
  return { step, of, steps, next, waiting };
}

/** What comes next, in a few words. */
export function nextInWords(route: RouteView, { next, waiting }: RampShown, now: number): string {
  if (waiting !== null && waiting.for !== 'hold') return `waits: ${waiting.for}`;
  if (route.state === 'paused' || route.state === 'held') return route.state;
  if (next === null) return 'last step';
  if (next.at === null) return '';
  return next.at <= now ? 'due' : `next in ${span(next.at - now)}`;
}
