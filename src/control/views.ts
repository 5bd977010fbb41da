/** How control shows itself to people: the shapes of the admin API. */
import type { Obstacles } from '../domain/ramp-move.ts';
import { NEW, OLD, ppmToPercent, type RouteSpec, type SideIndex } from '../domain/route.ts';
import type { RouteState } from '../domain/state.ts';
import { formatEndpoint } from './backends.ts';
import type { EndpointView, RouteView, SideView, StatusView, UnconfiguredView } from './control.ts';
import type { Judge } from './judge.ts';
import type { LocalRollbacks } from './local-rollbacks.ts';
import { rampView } from './ramp-view.ts';
import type { StateKeeper } from './state-keeper.ts';
import type { Supervisor } from './supervisor.ts';
import { isReady } from './worker-status.ts';

/** A route that the store does not know yet is served from old. */
const UNKNOWN: RouteState = {
  revision: 0,
  weightPpm: 0,
  cutover: 'steady',
  frozen: false,
  reason: 'not in the store yet',
  actor: '',
  at: 0,
};

const LEFT = 'its source has it no more: nothing new is sent to it, what runs on it finishes';

/** As far as anybody knows, nothing is in a ramp's way. */
const NO_OBSTACLES: Obstacles = { endpoints: null, capacity: null };

/** By backend, of one look at many routes. */
type BackendEndpoints = Map<number, Pick<SideView, 'endpoints' | 'ailing'>>;

export interface ViewsOptions {
  readonly supervisor: Supervisor;
  readonly keeper: StateKeeper;
  readonly local: LocalRollbacks;
  readonly judge: Judge;
  /** In the way of the route's ramp; null: this replica cannot tell yet. */
  readonly obstacles: (route: string, state: RouteState) => Obstacles | null;
}

export class Views {
  readonly #supervisor: Supervisor;
  readonly #keeper: StateKeeper;
  readonly #local: LocalRollbacks;
  readonly #judge: Judge;
  readonly #obstacles: ViewsOptions['obstacles'];

  constructor({ supervisor, keeper, local, judge, obstacles }: ViewsOptions) {
    this.#supervisor = supervisor;
    this.#keeper = keeper;
    this.#local = local;
    this.#judge = judge;
    this.#obstacles = obstacles;
  }

  /** @param names absent: all */
  routes(names?: ReadonlySet<string>): RouteView[] {
    const { routes } = this.#supervisor.plan;
    const wanted = names === undefined ? routes : routes.filter(({ spec }) => names.has(spec.name));
    const endpoints: BackendEndpoints = new Map();
    return wanted.map(({ spec }) => this.#route(spec, endpoints));
  }

  /** Undefined: not configured. */
  route(name: string): RouteView | undefined {
    const route = this.#supervisor.plan.routes.find(({ spec }) => spec.name === name);
    return route === undefined ? undefined : this.#route(route.spec, new Map());
  }

  #route(spec: RouteSpec, endpoints: BackendEndpoints): RouteView {
    const opinion = this.#judge.opinion(spec.name);
    const { value, threshold, verdict, reason: why } = opinion;
    const state = this.#local.served?.routes.get(spec.name) ?? UNKNOWN;
    const { revision, weightPpm, cutover, reason, frozen } = state;
    const { health, isDisputed } = this.#keeper;
    const obstacles = (state.ramp && this.#obstacles(spec.name, state)) ?? NO_OBSTACLES;
    const trouble = isDisputed ? 'contradicts what is served' : 'does not answer';
    const away = health.up ? null : `the store ${trouble}, so ramps hold: ${health.reason}`;
    return {
      name: spec.name,
      weight: ppmToPercent(weightPpm),
      revision,
      state: away !== null && cutover === 'ramping' ? 'held' : cutover,
      reason,
      frozen,
      old: this.#side(spec, OLD, endpoints),
      new: this.#side(spec, NEW, endpoints),
      evidence: { value, threshold, verdict, reason: why },
      ramp: rampView(state, opinion, obstacles, away, this.#keeper.now()),
      applied: this.#supervisor.applied.view(revision),
    };
  }

  /** What the store has beside the plan's routes. */
  unconfigured(): UnconfiguredView[] {
    const configured = new Set(this.#supervisor.plan.routes.map(({ spec }) => spec.name));
    return [...(this.#local.served?.routes ?? [])].flatMap(([name, { weightPpm, revision, cutover, frozen }]) =>
      configured.has(name) ? [] : [{ name, weight: ppmToPercent(weightPpm), revision, state: cutover, frozen }],
    );
  }

  #side(spec: RouteSpec, side: SideIndex, known: BackendEndpoints): SideView {
    const backend = side === OLD ? spec.old : spec.new;
    const found = known.get(backend) ?? this.#endpoints(backend);
    known.set(backend, found);
    const { requests, faults } = this.#supervisor.recorder.side(spec.name, side);
    const name = this.#supervisor.plan.backends[backend]?.spec.name ?? '';
    return { backend: name, requests, faults, endpoints: found.endpoints, ailing: found.ailing };
  }

  #endpoints(backend: number): Pick<SideView, 'endpoints' | 'ailing'> {
    const endpoints = this.#supervisor.backends.endpoints(backend).map(formatEndpoint);
    return { endpoints, ailing: this.#ailing(backend) };
  }

  #ailing(backend: number): EndpointView[] {
    const here = this.#supervisor.backends
      .health(backend)
      .flatMap(({ endpoint, state, reason, since }): EndpointView[] => {
        return state === 'healthy' ? [] : [{ endpoint: formatEndpoint(endpoint), state, reason, since }];
      });
    const left = this.#supervisor.backends.leftEndpoints(backend).map(({ endpoint, since }): EndpointView => {
      return { endpoint: formatEndpoint(endpoint), state: 'draining', reason: LEFT, since };
    });
    return [...here, ...left];
  }

  /** What the replica as a whole is; the rest of the status is not control's state. */
  replica(): Omit<
    StatusView,
    'version' | 'fleet' | 'store' | 'replicas' | 'backends' | 'alarm' | 'ready' | 'notReady'
  > {
    const { state } = this.#keeper;
    const revision = state?.revision ?? 0;
    return {
      epoch: state?.epoch ?? '',
      revision,
      stateAgeMs: this.#keeper.ageMs(),
      workers: this.#supervisor
        .workers()
        .map((worker) => ({ pid: worker.pid, revision: worker.revision, ready: isReady(worker) })),
      applied: this.#supervisor.applied.view(revision),
      routes: this.#supervisor.plan.routes.length,
    };
  }
}
