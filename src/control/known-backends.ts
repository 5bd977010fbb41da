/**
 * The backends of the plan, by index: which endpoints they have, how well these and their sources are, and whether anything at them takes
 * connections.
 */
import { Discoveries } from '../discovery/discoveries.ts';
import type { DiscoveryHealth } from '../discovery/discovery.ts';
import type { EndpointMemory } from '../discovery/remembered.ts';
import type { EndpointsPatch } from '../domain/endpoints.ts';
import type { RouteSpec, Side } from '../domain/route.ts';
import type { Endpoint } from '../domain/snapshot.ts';
import type { AttemptsOfEndpoint, HealthMessage } from '../seam.ts';
import { Backends, formatEndpoint } from './backends.ts';
import type { BackendView } from './control.ts';
import { EndpointsHealth, type KnownEndpoint, type LeftEndpoint, type UnwellEndpoint } from './endpoint-health.ts';
import type { Events } from './events.ts';
import type { Plan } from './plan.ts';
import { probeBackend } from './probe.ts';

const UNKNOWN: DiscoveryHealth = { synced: false, alarm: null, confirmedAtMs: null };

interface Options {
  readonly events: Events;
  /** For sources that are away at the start; absent: they have no endpoints then. */
  readonly memory?: EndpointMemory;
  /** Milliseconds, only ever compared with each other. */
  readonly monotonic: () => number;
}

export interface KnownBackendsWatcher {
  /** Other endpoints of a backend than before are not to be used, or are warming. */
  onExceptions(backend: number): void;
  /** A source has answered for the first time, or has failed, or is well again. */
  onDiscovery(): void;
}

export class KnownBackends {
  readonly #events: Events;
  readonly #monotonic: () => number;
  readonly #watcher: KnownBackendsWatcher;
  readonly #discoveries: Discoveries;
  readonly #health: EndpointsHealth;
  /** Of the plan, once it is installed. */
  #backends: Backends | undefined;
  #plan: Plan;

  constructor(plan: Plan, { events, memory, monotonic }: Options, watcher: KnownBackendsWatcher) {
    this.#plan = plan;
    this.#events = events;
    this.#monotonic = monotonic;
    this.#watcher = watcher;
    this.#discoveries = new Discoveries({
      clock: monotonic,
      random: Math.random,
      env: process.env,
      ...(memory === undefined ? {} : { last: { memory, wall: Date.now } }),
    });
    this.#health = new EndpointsHealth({
      clock: monotonic,
      wall: Date.now,
      random: Math.random,
      watcher: {
        onExceptions: (backend) => watcher.onExceptions(backend),
        onEndpoint: (backend, endpoint, { state, reason }) =>
          events.emit({
            type: 'endpoint',
            backend: this.#nameOf(backend),
            endpoint: formatEndpoint(endpoint),
            state,
            reason: reason === '' ? null : reason,
          }),
        onBackend: (backend, problem) =>
          events.emit({ type: 'backend', backend: this.#nameOf(backend), ok: problem === null, reason: problem }),
      },
    });
  }

  /** What was installed last, or will be first. */
  get plan(): Plan {
    return this.#plan;
  }

  /** @param onEndpoints a backend of this plan has other endpoints than before */
  install(plan: Plan, onEndpoints: (backend: number, patch: EndpointsPatch) => void): void {
    this.#plan = plan;
    this.#backends = new Backends(plan, this.#discoveries, this.#backends, {
      onEndpoints: (backend, patch) => {
        onEndpoints(backend, patch);
        this.#health.follow(backend, this.endpoints(backend));
      },
      onHealth: (backend, health) => this.#tellDiscovery(backend, health),
    });
    this.#health.install(plan);
    for (const backend of plan.backends.keys()) this.#health.follow(backend, this.endpoints(backend));
  }

  #nameOf(backend: number): string {
    return this.#plan.backends[backend]?.spec.name ?? '';
  }

  #tellDiscovery(backend: number, { alarm }: DiscoveryHealth): void {
    const endpoints = this.endpoints(backend).length;
    const name = this.#nameOf(backend);
    this.#events.emit({ type: 'discovery', backend: name, ok: alarm === null, reason: alarm, endpoints });
    this.#watcher.onDiscovery();
  }

  /** Endpoints that are not to be used, and those that are warming. */
  exceptions(backend: number): Pick<HealthMessage, 'out' | 'warming'> {
    return this.#health.exceptions(backend);
  }

  /** A worker has told how its attempts ended. */
  reported(worker: number, endpoints: readonly AttemptsOfEndpoint[]): void {
    this.#health.reported(worker, endpoints);
  }

  /** The worker has gone. */
  forget(worker: number): void {
    this.#health.forget(worker);
  }

  endpoints(backend: number): readonly Endpoint[] {
    return this.#backends?.endpoints(backend) ?? [];
  }

  /** A backend's endpoints with their health. */
  health(backend: number): KnownEndpoint[] {
    return this.#health.view(backend);
  }

  /** Those of a backend's endpoints that are not healthy. */
  unwell(backend: number): UnwellEndpoint[] {
    return this.#health.unwell(backend);
  }

  /** Endpoints that its source has no more, for a while. */
  leftEndpoints(backend: number): LeftEndpoint[] {
    return this.#health.left(backend);
  }

  /** Why requests to a side of a route cannot be expected to succeed, in one sentence; null: they can. */
  sideProblem(route: RouteSpec, side: Side): string | null {
    const problem = this.#health.problem(route[side]);
    return problem === null
      ? null
      : `The ${side} side cannot take traffic: of backend ${this.#nameOf(route[side])} ${problem}`;
  }

  /** A line for each backend that has answered and has no healthy endpoint. */
  ailing(): string[] {
    return this.#plan.backends.flatMap(({ spec: { name } }, i) => {
      const problem = this.#backends?.health(i)?.synced ? this.#health.problem(i) : null;
      return problem === null ? [] : [`Backend ${name}: ${problem}`];
    });
  }

  /** Of the plan's backends, in its order. */
  discoveries(): BackendView[] {
    const nowMs = this.#monotonic();
    return this.#plan.backends.map(({ spec: { name }, source }, i) => {
      const { alarm, confirmedAtMs } = this.#backends?.health(i) ?? UNKNOWN;
      const ageMs = confirmedAtMs === null ? null : nowMs - confirmedAtMs;
      return { name, discovery: source.kind, endpoints: this.endpoints(i).length, ageMs, alarm };
    });
  }

  /** Names of backends whose source has never answered: before the plan is installed none was asked. */
  unsynced(): string[] {
    return this.#backends?.unsynced() ?? this.#plan.backends.map(({ spec: { name } }) => name);
  }

  /** Null: something at the route's new side takes connections; else why nothing does. */
  probe(route: string): Promise<string | null> {
    return this.#probe(this.#plan.routes.find(({ spec }) => spec.name === route)?.spec.new ?? -1);
  }

  /** Why nothing at the new side takes connections while the old one does; null: it is otherwise. Where both are away, neither is worse than the other. */
  async deadNew(route: string): Promise<string | null> {
    const old = this.#plan.routes.find(({ spec }) => spec.name === route)?.spec.old ?? -1;
    const [failure, failureOfOld] = await Promise.all([this.probe(route), this.#probe(old)]);
    return failureOfOld === null ? failure : null;
  }

  async #probe(index: number): Promise<string | null> {
    const backend = this.#plan.backends[index];
    return backend === undefined ? null : probeBackend(backend.spec, this.endpoints(index));
  }

  close(): void {
    this.#backends?.close();
    this.#health.close();
  }
}
