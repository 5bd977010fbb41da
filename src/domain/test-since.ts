/** When a route's test begins (research page, section 2): when its weight leaves 0, and when a person resumes it. */
import { positionOf, type RoutePosition, type State, type Verb } from './state.ts';

/**
 * The position with the test that it belongs to, whatever was decided on.
 * @param before null: the route is new
 * @param nowMs milliseconds since 1970
 */
export function withTest(before: RoutePosition | null, next: RoutePosition, verb: Verb, nowMs: number): RoutePosition {
  const leavesZero = next.weightPpm > 0 && (before === null || before.weightPpm === 0);
  if (leavesZero || verb === 'resume') return begun(next, before?.testSince, nowMs);
  const { testSince: _, ...position } = positionOf(next);
  return before?.testSince === undefined ? position : { ...position, testSince: before.testSince };
}

/** All tests begin anew, as when a state is adopted that may be older than what was judged meanwhile. */
export function withNewTests(state: State, nowMs: number): State {
  const routes = [...state.routes].map(([name, route]) => {
    return [name, route.weightPpm === 0 ? route : { ...route, ...begun(route, route.testSince, nowMs) }] as const;
  });
  return { ...state, routes: new Map(routes) };
}

/** Never the number of an earlier test, even if the clock was set back. */
function begun(position: RoutePosition, last = -1, nowMs: number): RoutePosition {
  return { ...positionOf(position), testSince: Math.max(last + 1, Math.floor(nowMs / 1000)) };
}
