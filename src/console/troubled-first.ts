/** Which routes are shown, and in which order: trouble first, then what moves, then as configured. */
import type { RouteView } from '../control/control.ts';

export function placesOf(routes: readonly RouteView[], query: string): number[] {
  const words = query
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  const shown = routes.flatMap((route, place) => {
    const text = `${route.name} ${route.state} ${route.old.backend} ${route.new.backend}`.toLowerCase();
    return words.every((word) => text.includes(word)) ? [place] : [];
  });
  return shown.sort((a, b) => urgency(routes[a] as RouteView) - urgency(routes[b] as RouteView) || a - b);
}

/** The places as before, if they are the same ones: what somebody is about to click on stays where it is. */
export function inOrderOf(before: readonly number[], places: number[]): number[] {
  const shown = new Set(places);
  return before.length === places.length && before.every((place) => shown.has(place)) ? [...before] : places;
}

function urgency({ state, weight, evidence }: RouteView): number {
  if (evidence.verdict === 'breach' && weight > 0) return 0;
  if (state === 'rolledBack' || state === 'held') return 1;
  if (state === 'ramping' || state === 'paused') return 2;
  return weight > 0 && weight < 100 ? 3 : 4;
}
