import type { Plan } from '../../src/control/plan.ts';
import type { HealthPolicy } from '../../src/domain/health-policy.ts';
import type { JudgeSettings } from '../../src/domain/judgement.ts';
import type { RouteSpec } from '../../src/domain/route.ts';
import type { RouteState, State } from '../../src/domain/state.ts';

/** The defaults. */
export const JUDGE: JudgeSettings = {
  alpha: 0.001,
  rho: 1,
  delta: 0.001,
  latency: { factor: 1.25, slackMs: 25 },
  ceiling: 0.25,
  adviseOnly: false,
};

/** Nobody asks the endpoints, and nobody is ejected. */
const UNWATCHED: HealthPolicy = { check: null, ejection: null, slowStartMs: 0, panicBelow: 0.5 };

/** Two backends, `old` and `new`, and a route for each name. */
export function planOf(names: readonly string[], more: Partial<Plan> = {}): Plan {
  return {
    listeners: [{ address: '127.0.0.1:0', host: '127.0.0.1', port: 0 }],
    backends: ['old', 'new'].map((name, i) => ({
      spec: { name, connections: 0 },
      maxRequestsPerEndpoint: 0,
      source: { kind: 'static', endpoints: [{ host: '127.0.0.1', port: 9101 + i }] },
      health: UNWATCHED,
    })),
    routes: names.map((name) => ({ spec: routeSpec(name), weightPpm: 0, judge: JUDGE, ramp: null })),
    ramps: {},
    webhooks: [],
    limits: {
      headBytes: 16_384,
      fields: 100,
      targetBytes: 8192,
      bodyBytes: 0,
      connections: 100,
      connectionsPerClient: 0,
      concurrentStreams: 1024,
      workerMemoryBytes: 0,
    },
    requestHeadMs: 10_000,
    idleMs: 60_000,
    trustedProxies: [],
    override: null,
    drainMs: 1_000,
    accessLog: null,
    ticketRotationMs: 0,
    workers: 2,
    ...more,
  };
}

export function routeSpec(name: string, more: Partial<RouteSpec> = {}): RouteSpec {
  return {
    name,
    match: { path: `/${name}/` },
    old: 0,
    new: 1,
    sticky: [],
    salt: name,
    rescue: { budget: 0.2, toNew: false, bodyBytes: 65_536 },
    timeouts: { connectMs: 1_000, requestHeadMs: 10_000, responseHeadMs: 60_000, idleMs: 60_000, totalMs: 0 },
    ...more,
  };
}

export function routeState(weightPpm: number, more: Partial<RouteState> = {}): RouteState {
  return { revision: 7, weightPpm, cutover: 'steady', frozen: false, reason: 'why', actor: 'ann', at: 1, ...more };
}

export function stateOf(revision: number, weights: Readonly<Record<string, number>>): State {
  const routes = Object.entries(weights).map(([name, weight]) => [name, routeState(weight, { revision })] as const);
  return { epoch: 'e', revision, routes: new Map(routes) };
}
