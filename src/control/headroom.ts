/** What the new side of a route can carry, as far as this replica can tell, and what stands in the way of more. */
import { capacityRefusal } from '../domain/capacity.ts';
import type { Obstacles } from '../domain/ramp-move.ts';
import type { RouteState } from '../domain/state.ts';
import type { PreviewView } from './control.ts';
import type { KnownBackends } from './known-backends.ts';
import type { LocalRollbacks } from './local-rollbacks.ts';
import { obstaclesOf } from './obstacles.ts';
import { previewOf } from './preview.ts';
import type { Replicas } from './replicas.ts';
import type { Series } from './series.ts';
import type { Supervisor } from './supervisor.ts';

interface HeadroomOptions {
  readonly supervisor: Pick<Supervisor, 'plan'> & {
    readonly backends: Pick<KnownBackends, 'health' | 'endpoints' | 'unsynced' | 'sideProblem'>;
  };
  readonly replicas: Pick<Replicas, 'view'>;
  readonly local: Pick<LocalRollbacks, 'served'>;
  readonly series: Pick<Series, 'row' | 'seconds'>;
}

export class Headroom {
  readonly #options: HeadroomOptions;

  constructor(options: HeadroomOptions) {
    this.#options = options;
  }

  /** Why the new side cannot carry the route at this weight, in one sentence; null: it can, as far as is known. */
  capacity(name: string, weightPpm: number): string | null {
    const { supervisor, replicas, series } = this.#options;
    const backend = supervisor.plan.routes.find(({ spec }) => spec.name === name)?.spec.new ?? -1;
    const perEndpoint = supervisor.plan.backends[backend]?.maxRequestsPerEndpoint ?? 0;
    if (perEndpoint === 0) return null;
    const [old, , , , , fresh] = series.row(name);
    // Replicas share the traffic evenly, as far as one of them can tell.
    const living = Math.max(replicas.view(0).length, 1);
    const requestsPerSecond = ((old + fresh) / series.seconds(name)) * living;
    const usable = supervisor.backends
      .health(backend)
      .filter(({ state }) => state === 'healthy' || state === 'starting');
    return capacityRefusal({ weightPpm, requestsPerSecond, endpoints: usable.length, perEndpoint });
  }

  /** What this replica sees in the way of the route's ramp; null: it cannot tell yet. */
  obstacles(name: string, state: RouteState): Obstacles | null {
    const { supervisor } = this.#options;
    return obstaclesOf(
      {
        plan: supervisor.plan,
        unsynced: () => supervisor.backends.unsynced(),
        sideProblem: (route, side) => supervisor.backends.sideProblem(route, side),
        capacity: (route, weightPpm) => this.capacity(route, weightPpm),
      },
      name,
      state,
    );
  }

  preview(name: string, weightPpm: number): PreviewView | undefined {
    const { supervisor, local, series } = this.#options;
    const { plan } = supervisor;
    const spec = plan.routes.find((route) => route.spec.name === name)?.spec;
    if (spec === undefined) return undefined;
    const endpoints = supervisor.backends.endpoints(spec.new).length;
    const perWorker = plan.backends[spec.new]?.spec.connections ?? 0;
    return previewOf({
      spec,
      weightPpm: { now: local.served?.routes.get(name)?.weightPpm ?? 0, after: weightPpm },
      stats: series.row(name),
      seconds: series.seconds(name),
      endpoints,
      connections: perWorker * plan.workers * endpoints,
    });
  }
}
