/** A rollback sends all of a route's requests to its old side: not onto one that cannot take any, unless somebody insists. */
import type { RouteSpec, Side } from '../domain/route.ts';
import type { State } from '../domain/state.ts';
import type { Written } from './writer.ts';

export interface Sides {
  readonly plan: { readonly routes: readonly { readonly spec: RouteSpec }[] };
  /** Why requests to a side cannot be expected to succeed; null: they can. */
  sideProblem(route: RouteSpec, side: Side): string | null;
}

/** Null: nothing stands in the way of taking these routes back. One that is at old already moves nothing. */
export function rollbackRefusal(
  sides: Sides,
  state: State | undefined,
  routes: readonly string[],
): Extract<Written, { kind: 'refused' }> | null {
  const named = new Set(routes);
  for (const { spec } of sides.plan.routes) {
    if (!named.has(spec.name) || (state?.routes.get(spec.name)?.weightPpm ?? 0) === 0) continue;
    const problem = sides.sideProblem(spec, 'old');
    if (problem === null) continue;
    const detail = `Route ${spec.name} stays where it is. ${problem}. It can be forced`;
    return { kind: 'refused', code: 'noHealthyEndpoint', detail };
  }
  return null;
}
