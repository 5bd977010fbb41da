/** From what control knows to what workers are told: the downward half of the seam. */
import type { RouteState, State } from '../domain/state.ts';
import type { Limits, TableMessage, WeightsMessage } from '../seam.ts';
import type { Plan } from './plan.ts';

/** The table of a plan. `limits.connections` of the plan is the whole process family's; a worker is told its share. */
export function tableMessage(plan: Plan, generation: number, ticketKeys: Uint8Array): TableMessage {
  return {
    kind: 'table',
    generation,
    listeners: plan.listeners,
    ticketKeys,
    backends: plan.backends.map(({ spec }) => spec),
    routes: plan.routes.map(({ spec }) => spec),
    limits: shareOf(plan.limits, plan.workers),
    requestHeadMs: plan.requestHeadMs,
    idleMs: plan.idleMs,
    trustedProxies: plan.trustedProxies,
    override: plan.override,
    drainMs: plan.drainMs,
    accessLog: plan.accessLog,
  };
}

function shareOf(limits: Limits, workers: number): Limits {
  return { ...limits, connections: Math.ceil(limits.connections / workers) };
}

/** Routes of a generation by name. Routes of the store that it does not have are left alone. */
export interface RouteIndex {
  readonly generation: number;
  readonly byName: ReadonlyMap<string, number>;
}

export function indexRoutes(table: TableMessage): RouteIndex {
  return { generation: table.generation, byName: new Map(table.routes.map(({ name }, index) => [name, index])) };
}

/** Every route's weight; one that the state does not know is at 0. */
export function allWeights(index: RouteIndex, state: State): WeightsMessage {
  const weights = [...index.byName].map(([name, route]) => weightOf(route, state.routes.get(name)));
  const held = [...index.byName].flatMap(([name, route]) => (isHeld(state.routes.get(name)) ? [route] : []));
  return { kind: 'weights', generation: index.generation, revision: state.revision, held, weights };
}

function isHeld(state: RouteState | undefined): boolean {
  return state?.cutover === 'held' || state?.cutover === 'rolledBack';
}

function weightOf(route: number, state: RouteState | undefined): WeightsMessage['weights'][number] {
  return [route, state?.weightPpm ?? 0, state?.testSince ?? 0];
}

/** What brings a worker from one state to a newer one: the routes whose weight or test differs, often none. */
export function changedWeights(index: RouteIndex, from: State, to: State): WeightsMessage {
  const weights: WeightsMessage['weights'][number][] = [];
  const held: number[] = [];
  for (const [name, next] of to.routes) {
    const before = from.routes.get(name);
    const isSame =
      next.weightPpm === (before?.weightPpm ?? 0) &&
      next.testSince === before?.testSince &&
      isHeld(next) === isHeld(before);
    if (next === before || isSame) continue;
    const route = index.byName.get(name);
    if (route === undefined) continue;
    weights.push(weightOf(route, next));
    if (isHeld(next)) held.push(route);
  }
  for (const name of from.routes.keys()) {
    const route = to.routes.has(name) ? undefined : index.byName.get(name);
    if (route !== undefined) weights.push(weightOf(route, undefined));
  }
  return { kind: 'weights', generation: index.generation, revision: to.revision, held, weights };
}
