/** How control shows itself to people: the shapes of the admin API. */
import type { Obstacles } from '../domain/ramp-move.ts';
import { NEW, OLD, ppmToPercent, type RouteSpec } from '../domain/route.ts';
import type { Endpoint } from '../domain/snapshot.ts';
import type { RouteState, State } from '../domain/state.ts';
import { formatEndpoint } from './backends.ts';
import type { EndpointView, RouteGlance, RouteView, StatusView, UnconfiguredView } from './control.ts';
import type { Judge } from './judge.ts';
import type { KnownBackends } from './known-backends.ts';
import type { LocalRollbacks } from './local-rollbacks.ts';
import type { Opinion } from './opinion.ts';
import type { Plan } from './plan.ts';
import { rampView } from './ramp-view.ts';
import { isSame } from './same.ts';
import { type BackendSight, Standings } from './standings.ts';
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

/** What one look at routes has in common. */
interface Look {
  readonly served: State | undefined;
  /** What is wrong with the store, while ramps hold; null: nothing. */
  readonly away: string | null;
  readonly nowMs: number;
  /** By index. */
  readonly backends: Map<number, BackendSight>;
}

export interface ViewsOptions {
  readonly supervisor: Pick<Supervisor, 'plan' | 'applied' | 'recorder' | 'workers'> & {
    readonly backends: Pick<KnownBackends, 'endpoints' | 'unwell' | 'leftEndpoints'>;
  };
  readonly keeper: Pick<StateKeeper, 'state' | 'health' | 'isDisputed' | 'now' | 'ageMs'>;
  readonly local: Pick<LocalRollbacks, 'served'>;
  readonly judge: Pick<Judge, 'opinion'>;
  /** In the way of the route's ramp; null: this replica cannot tell yet. */
  readonly obstacles: (route: string, state: RouteState) => Obstacles | null;
}

export class Views {
  readonly #supervisor: ViewsOptions['supervisor'];
  readonly #keeper: ViewsOptions['keeper'];
  readonly #local: ViewsOptions['local'];
  readonly #judge: ViewsOptions['judge'];
  readonly #obstacles: ViewsOptions['obstacles'];
  readonly #standings = new Standings();
  /** What backends were seen as last, by index. */
  readonly #seen = new Map<number, { readonly endpoints: readonly Endpoint[]; readonly sight: BackendSight }>();
  #plan: Plan | undefined;

  constructor({ supervisor, keeper, local, judge, obstacles }: ViewsOptions) {
    this.#supervisor = supervisor;
    this.#keeper = keeper;
    this.#local = local;
    this.#judge = judge;
    this.#obstacles = obstacles;
  }

  /** @param names absent: all */
  routes(names?: ReadonlySet<string>): RouteView[] {
    const look = this.#look();
    const { routes } = this.#supervisor.plan;
    const wanted = names === undefined ? routes : routes.filter(({ spec }) => names.has(spec.name));
    return wanted.map(({ spec }) => this.#route(spec, look));
  }

  /** Undefined: not configured. */
  route(name: string): RouteView | undefined {
    const route = this.#supervisor.plan.routes.find(({ spec }) => spec.name === name);
    return route === undefined ? undefined : this.#route(route.spec, this.#look());
  }

  /** Of all routes. */
  glances(): RouteGlance[] {
    const look = this.#look();
    return this.#supervisor.plan.routes.map(({ spec }) => {
      const opinion = this.#judge.opinion(spec.name);
      const { value, threshold, verdict, reason } = opinion;
      return { standing: this.#standing(spec, opinion, look), evidence: { value, threshold, verdict, reason } };
    });
  }

  #route(spec: RouteSpec, look: Look): RouteView {
    const opinion = this.#judge.opinion(spec.name);
    const standing = this.#standing(spec, opinion, look);
    const { recorder, applied } = this.#supervisor;
    return {
      ...standing,
      old: { ...standing.old, ...recorder.side(spec.name, OLD) },
      new: { ...standing.new, ...recorder.side(spec.name, NEW) },
      evidence: { ...standing.evidence, value: opinion.value, reason: opinion.reason },
      applied: applied.view(standing.revision),
    };
  }

  #standing({ name, old, new: fresh }: RouteSpec, opinion: Opinion, look: Look): RouteView {
    const { away, nowMs } = look;
    const state = look.served?.routes.get(name) ?? UNKNOWN;
    const obstacles = (state.ramp && this.#obstacles(name, state)) ?? NO_OBSTACLES;
    return this.#standings.of({
      name,
      state,
      away,
      old: this.#backend(old, look),
      new: this.#backend(fresh, look),
      verdict: opinion.verdict,
      threshold: opinion.threshold,
      ramp: rampView(state, opinion, obstacles, away, nowMs),
      ...this.#supervisor.applied.reach(state.revision),
    });
  }

  #look(): Look {
    const { plan } = this.#supervisor;
    if (plan !== this.#plan) {
      this.#plan = plan;
      this.#standings.keepOnly(new Set(plan.routes.map(({ spec }) => spec.name)));
    }
    const { health, isDisputed } = this.#keeper;
    const trouble = isDisputed ? 'contradicts what is served' : 'does not answer';
    const away = health.up ? null : `the store ${trouble}, so ramps hold: ${health.reason}`;
    return { served: this.#local.served, away, nowMs: this.#keeper.now(), backends: new Map() };
  }

  #backend(index: number, { backends }: Look): BackendSight {
    const found = backends.get(index) ?? this.#see(index);
    backends.set(index, found);
    return found;
  }

  /** The same as last time for as long as it is the same. */
  #see(index: number): BackendSight {
    const { plan, backends } = this.#supervisor;
    const backend = plan.backends[index]?.spec.name ?? '';
    const endpoints = backends.endpoints(index);
    const ailing = this.#ailing(index);
    const last = this.#seen.get(index);
    if (last?.endpoints === endpoints && last.sight.backend === backend && isSame(last.sight.ailing, ailing)) {
      return last.sight;
    }
    const sight = { backend, endpoints: endpoints.map(formatEndpoint), ailing };
    this.#seen.set(index, { endpoints, sight });
    return sight;
  }

  #ailing(backend: number): EndpointView[] {
    const { backends } = this.#supervisor;
    const here = backends.unwell(backend).map(({ endpoint, state, reason, since }): EndpointView => {
      return { endpoint: formatEndpoint(endpoint), state, reason, since };
    });
    const left = backends.leftEndpoints(backend).map(({ endpoint, since }): EndpointView => {
      return { endpoint: formatEndpoint(endpoint), state: 'draining', reason: LEFT, since };
    });
    return [...here, ...left];
  }

  /** What the store has beside the plan's routes. */
  unconfigured(): UnconfiguredView[] {
    const configured = new Set(this.#supervisor.plan.routes.map(({ spec }) => spec.name));
    return [...(this.#local.served?.routes ?? [])].flatMap(([name, { weightPpm, revision, cutover, frozen }]) =>
      configured.has(name) ? [] : [{ name, weight: ppmToPercent(weightPpm), revision, state: cutover, frozen }],
    );
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
