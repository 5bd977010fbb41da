/** Which steps are meant when somebody asks for a ramp, and what they come to. */
import { firstStep, type RampPlan } from '../domain/ramp.ts';
import { ppmToPercent } from '../domain/route.ts';
import type { RampPreview, RampRequest, RampView, WriteResult } from './control.ts';
import type { Plan } from './plan.ts';
import { gateView } from './ramp-view.ts';

type Refused = Extract<WriteResult, { kind: 'refused' }>;

export function rampOf(plan: Plan, route: string, { template, steps }: RampRequest): RampPlan | Refused {
  if (steps !== undefined) return { steps };
  if (template !== undefined) {
    const known = Object.hasOwn(plan.ramps, template) ? plan.ramps[template] : undefined;
    if (known !== undefined) return { steps: known, template };
    const names = Object.keys(plan.ramps);
    const there = names.length === 0 ? 'no ramps are configured' : `there are ${names.join(', ')}`;
    return { kind: 'refused', code: 'unknownRamp', detail: `There is no ramp "${template}": ${there}` };
  }
  const own = plan.routes.find(({ spec }) => spec.name === route)?.ramp;
  if (own) return own;
  const detail = `No ramp is configured for "${route}": name a template or give steps`;
  return { kind: 'refused', code: 'unknownRamp', detail };
}

export function rampPreview({ steps, template = '' }: RampPlan, weightPpm: number): RampPreview {
  const first = firstStep(steps, weightPpm);
  return {
    kind: 'plan',
    template: template === '' ? null : template,
    steps: steps.map((step) => ({
      weight: ppmToPercent(step.weightPpm),
      hold: step.holdMs,
      gate: gateView(step.gate),
    })),
    begins: first === -1 ? null : first + 1,
  };
}

/** How far a ramp is and what it waits for, to be put behind the state; empty: there is none. */
export function rampSentence(ramp: RampView | null): string {
  if (ramp === null) return '';
  const waiting = ramp.waiting === null ? 'about to go on' : `waits for ${ramp.waiting.for}: ${ramp.waiting.reason}`;
  return `, at step ${ramp.step} of ${ramp.of} of ${ramp.template ?? 'a ramp'} (${ramp.weight}%), ${waiting}`;
}
