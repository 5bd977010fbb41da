/** What stands in the way of a route's ramp beside its evidence, as this replica sees it. */
import type { Obstacles } from '../domain/ramp-move.ts';
import type { RouteSpec, Side } from '../domain/route.ts';
import type { RouteState } from '../domain/state.ts';
import type { Plan } from './plan.ts';

export interface ObstacleSource {
  readonly plan: Pick<Plan, 'routes' | 'backends'>;
  /** Names of backends whose source has never answered. */
  unsynced(): readonly string[];
  /** Why requests to a side cannot be expected to succeed; null: they can. */
  sideProblem(route: RouteSpec, side: Side): string | null;
  /** Why the new side cannot carry the route at this weight; null: it can, as far as is known. */
  capacity(route: string, weightPpm: number): string | null;
}

const SIDES_ASKED: readonly Side[] = ['new', 'old'];

/** Null: where a side's endpoints are has not been found out yet, which says nothing of them. */
export function obstaclesOf(source: ObstacleSource, route: string, { ramp }: RouteState): Obstacles | null {
  const { routes, backends } = source.plan;
  const spec = routes.find((planned) => planned.spec.name === route)?.spec;
  if (spec === undefined) return null;
  const unsynced = source.unsynced();
  if (SIDES_ASKED.some((side) => unsynced.includes(backends[spec[side]]?.spec.name ?? ''))) return null;
  const [endpoints = null] = SIDES_ASKED.map((side) => source.sideProblem(spec, side)).filter(
    (problem) => problem !== null,
  );
  const next = ramp?.steps[ramp.step + 1];
  return { endpoints, capacity: next === undefined ? null : source.capacity(route, next.weightPpm) };
}
