import type { AuditEntry } from '../domain/state.ts';
import { ENDPOINT_STATES } from '../health/ledger.ts';
import { type CountsSource, ROLLBACK_REASONS, type RollbackReason } from '../telemetry/counts-source.ts';
import type { Judge } from './judge.ts';
import type { LocalRollbacks } from './local-rollbacks.ts';
import type { Plan } from './plan.ts';
import type { StateKeeper } from './state-keeper.ts';
import type { Supervisor } from './supervisor.ts';
import { JUDGE_ACTORS } from './taking-back.ts';

/** What the metrics are read from. */
export class MetricsSource implements CountsSource {
  readonly build: CountsSource['build'];
  readonly #supervisor: Supervisor;
  readonly #keeper: StateKeeper;
  readonly #local: LocalRollbacks;
  readonly #judge: Judge;
  /** By reason and route. */
  readonly #rollbacks = new Map<RollbackReason, Map<string, number>>();
  #plan: Plan | undefined;
  #routes: readonly string[] = [];

  constructor({
    supervisor,
    keeper,
    local,
    judge,
    version,
  }: {
    supervisor: Supervisor;
    keeper: StateKeeper;
    local: LocalRollbacks;
    judge: Judge;
    version: string;
  }) {
    this.#supervisor = supervisor;
    this.#keeper = keeper;
    this.#local = local;
    this.#judge = judge;
    this.build = { version, node: process.version };
  }

  /** Counts rollbacks. */
  note({ verb, actor, routes }: AuditEntry): void {
    if (verb !== 'rollback') return;
    const reason = ROLLBACK_REASONS.find((each) => each !== 'manual' && JUDGE_ACTORS[each] === actor) ?? 'manual';
    const counts = this.#rollbacks.get(reason) ?? new Map<string, number>();
    this.#rollbacks.set(reason, counts);
    for (const { route } of routes) counts.set(route, (counts.get(route) ?? 0) + 1);
  }

  /** The same array for as long as the plan is the same. */
  get routes(): readonly string[] {
    const { plan } = this.#supervisor;
    if (plan !== this.#plan) {
      this.#plan = plan;
      this.#routes = plan.routes.map(({ spec }) => spec.name);
    }
    return this.#routes;
  }

  get cells(): Float64Array {
    return this.#supervisor.recorder.totals();
  }

  weightsPpm(): number[] {
    const { served } = this.#local;
    return this.routes.map((name) => served?.routes.get(name)?.weightPpm ?? 0);
  }

  connections(): { listener: string; protocol: string; value: number }[] {
    const workers = this.#supervisor.workers();
    return this.#supervisor.plan.listeners.flatMap(({ address }, i) =>
      (['http1', 'h2'] as const).map((protocol) => ({
        listener: address,
        protocol,
        value: workers.reduce((sum, worker) => sum + (worker.connections[i]?.[protocol] ?? 0), 0),
      })),
    );
  }

  endpoints(): { backend: string; state: string; value: number }[] {
    return this.#supervisor.plan.backends.flatMap(({ spec }, i) => {
      const health = this.#supervisor.backends.health(i);
      return ENDPOINT_STATES.map((state) => {
        return { backend: spec.name, state, value: health.filter((endpoint) => endpoint.state === state).length };
      });
    });
  }

  discoveries(): { backend: string; up: boolean; ageSeconds: number | null }[] {
    return this.#supervisor.backends.discoveries().map(({ name, alarm, ageMs }) => {
      return { backend: name, up: alarm === null && ageMs !== null, ageSeconds: ageMs === null ? null : ageMs / 1000 };
    });
  }

  storeUp(): boolean {
    return this.#keeper.health.up;
  }

  revision(): number {
    return this.#keeper.state?.revision ?? 0;
  }

  stateAgeSeconds(): number {
    return this.#keeper.ageMs() / 1000;
  }

  rollbacks(): { route: string; reason: RollbackReason; value: number }[] {
    const known = new Set(this.routes);
    return [...this.#rollbacks].flatMap(([reason, counts]) =>
      [...counts].filter(([route]) => known.has(route)).map(([route, value]) => ({ route, reason, value })),
    );
  }

  evidenceLog10(): number[] {
    return this.routes.map((name) => this.#judge.opinion(name).log10);
  }
}
