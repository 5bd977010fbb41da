/** A route in one sentence: where it sends, how it is, since when, and what is thought of its new side. */
import { ppmToPercent } from '../domain/route.ts';
import type { AuditEntry } from '../domain/state.ts';
import type { RouteView } from './control.ts';
import { rampSentence } from './ramp-plan.ts';

/** @param last what was done to it last */
export function routeSentence(route: RouteView, last: AuditEntry | null): string {
  const place = `${route.name} sends ${route.weight}% to ${route.new.backend} and the rest to ${route.old.backend}`;
  const state = `it is ${route.state}${route.frozen ? ' and frozen' : ''}${rampSentence(route.ramp)}`;
  const since = last === null ? '' : `, since ${describe(last, route.name)}`;
  const { verdict, reason } = route.evidence;
  return `${place}; ${state}${since}; the new side is judged ${verdict}: ${reason}`;
}

function describe({ verb, actor, at, reason, revision, routes }: AuditEntry, name: string): string {
  const change = routes.find(({ route }) => route === name);
  const from = change?.before ? ` from ${ppmToPercent(change.before.weightPpm)}%` : '';
  return `${actor} did ${verb}${from} at ${new Date(at).toISOString()} (revision ${revision}): ${reason}`;
}
