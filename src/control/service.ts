/** What the admin plane may ask for and do: reads come from what is served, writes go through the store. */
import { setTimeout as sleep } from 'node:timers/promises';
import { noSuchRoute } from '../domain/did-you-mean.ts';
import type { RouteExamination } from '../domain/doctor.ts';
import type { RampPlan } from '../domain/ramp.ts';
import type { Obstacles } from '../domain/ramp-move.ts';
import { PPM } from '../domain/route.ts';
import type { AuditEntry, RouteState } from '../domain/state.ts';
import { createMetrics, type Metrics } from '../telemetry/metrics.ts';
import type {
  Control,
  ControlEvent,
  ExplainRequest,
  ExplainView,
  PreviewView,
  RampPreview,
  RampRequest,
  Refusal,
  RouteGlance,
  RouteView,
  SeriesView,
  StatsRow,
  StatusView,
  UnconfiguredView,
  WriteRequest,
  WriteResult,
} from './control.ts';
import { examineRoute } from './doctor.ts';
import type { Events } from './events.ts';
import { explainRequest } from './explain.ts';
import { Headroom } from './headroom.ts';
import type { HeldRoutes } from './held-routes.ts';
import type { Judge } from './judge.ts';
import type { LocalRollbacks } from './local-rollbacks.ts';
import { MetricsSource } from './metrics-source.ts';
import { rampOf, rampPreview } from './ramp-plan.ts';
import { alarmOf, lackOfReadiness } from './readiness.ts';
import type { Replicas } from './replicas.ts';
import { rollbackRefusal } from './rollback-guard.ts';
import { routeSentence } from './route-sentence.ts';
import { Series } from './series.ts';
import type { StateKeeper } from './state-keeper.ts';
import type { Supervisor } from './supervisor.ts';
import type { Verbs } from './verbs.ts';
import { Views } from './views.ts';
import type { Written } from './writer.ts';

const SAMPLE_MS = 1_000;

export interface ServiceOptions {
  readonly version: string;
  readonly fleet: string;
  /** Of the store, such as `file`. */
  readonly storeKind: string;
  readonly events: Events;
  readonly keeper: StateKeeper;
  readonly local: LocalRollbacks;
  readonly verbs: Verbs;
  readonly supervisor: Supervisor;
  readonly replicas: Replicas;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly judge: Judge;
  readonly held: HeldRoutes;
}

export class ControlService implements Control {
  readonly #options: ServiceOptions;
  readonly #views: Views;
  readonly #verbs: Verbs;
  readonly #metrics: Metrics;
  readonly #series: Series;
  readonly #headroom: Headroom;
  readonly #sampling: NodeJS.Timeout;
  #alarm: string | null = null;
  #draining = false;

  constructor(options: ServiceOptions) {
    const { keeper, supervisor, local, judge, version, events } = options;
    this.#options = options;
    this.#views = new Views({
      supervisor,
      keeper,
      local,
      judge,
      obstacles: (name, state) => this.obstacles(name, state),
    });
    this.#verbs = options.verbs;
    const source = new MetricsSource({ supervisor, keeper, local, judge, version });
    this.#metrics = createMetrics(source);
    this.#series = new Series(source, options.clock);
    this.#headroom = new Headroom({ ...options, series: this.#series });
    this.#sampling = setInterval(() => void this.#sample(), SAMPLE_MS);
    events.subscribe((event) => {
      if (event.type === 'change') source.note(event.entry);
      if (event.type === 'config') this.#alarm = event.ok ? null : event.detail;
    });
  }

  /** What workers send by themselves comes so seldom that a second would hold now more, now less than a second's requests. */
  async #sample(): Promise<void> {
    await this.#options.supervisor.flush();
    this.#series.sample();
  }

  /** From now on not ready: whoever sends traffic should stop. */
  leave(): void {
    this.#draining = true;
    clearInterval(this.#sampling);
  }

  status(): StatusView {
    const { version, fleet, storeKind, keeper, supervisor } = this.#options;
    const { health } = keeper;
    const replica = this.#views.replica();
    const isServed = replica.workers.some(({ ready }) => ready);
    const notReady = this.#draining ? 'It is draining' : lackOfReadiness(this.#options, isServed);
    const store = {
      kind: storeKind,
      up: health.up,
      disputed: keeper.isDisputed,
      reason: health.up ? null : health.reason,
    };
    const replicas = this.#options.replicas.view(replica.revision);
    const backends = supervisor.backends.discoveries();
    const alarm = alarmOf(this.#options, this.#alarm);
    return { version, fleet, ...replica, store, replicas, backends, ready: notReady === null, notReady, alarm };
  }

  routes(): RouteView[] {
    return this.#views.routes();
  }

  glances(): RouteGlance[] {
    return this.#views.glances();
  }

  unconfigured(): UnconfiguredView[] {
    return this.#views.unconfigured();
  }

  route(name: string): RouteView | undefined {
    return this.#views.route(name);
  }

  stats(): StatsRow[] {
    return this.#names().map((name) => this.#series.row(name));
  }

  series(name: string): SeriesView | undefined {
    return this.#series.of(name);
  }

  capacity(name: string, weightPpm: number): string | null {
    return this.#headroom.capacity(name, weightPpm);
  }

  obstacles(name: string, state: RouteState): Obstacles | null {
    return this.#headroom.obstacles(name, state);
  }

  preview(name: string, weightPpm: number): PreviewView | undefined {
    return this.#headroom.preview(name, weightPpm);
  }

  setWeight(name: string, weightPpm: number, write: WriteRequest): Promise<WriteResult> {
    return this.#written([name], write, () => this.#verbs.set(name, weightPpm, write));
  }

  rollback(routes: readonly string[] | 'all', write: WriteRequest): Promise<WriteResult> {
    const names = routes === 'all' ? this.#names() : routes;
    const { supervisor, local } = this.#options;
    return this.#written(names, write, async () => {
      const refusal = write.force === true ? null : rollbackRefusal(supervisor.backends, local.served, names);
      return refusal ?? this.#verbs.rollback(names, write);
    });
  }

  rollbackLocally(routes: readonly string[] | 'all', write: WriteRequest): Promise<WriteResult> {
    const names = routes === 'all' ? this.#names() : routes;
    return this.#written(names, {}, async () => {
      const written = this.#options.local.pin(names, { actor: write.actor, reason: write.reason });
      if (write.waitMs !== undefined) await atMost(written, write.waitMs);
      return { kind: 'unchanged' };
    });
  }

  ramp(name: string, plan: RampRequest, write: WriteRequest): Promise<WriteResult> {
    const found = this.#plan(name, plan);
    if ('kind' in found) return Promise.resolve(found);
    return this.#written([name], write, () => this.#verbs.ramp(name, found, write));
  }

  rampPlan(name: string, plan: RampRequest): RampPreview | Extract<WriteResult, { kind: 'refused' }> {
    const found = this.#plan(name, plan);
    return 'kind' in found ? found : rampPreview(found, this.#options.local.served?.routes.get(name)?.weightPpm ?? 0);
  }

  #plan(name: string, plan: RampRequest): RampPlan | Extract<WriteResult, { kind: 'refused' }> {
    return rampOf(this.#options.supervisor.plan, name, plan);
  }

  move(name: string, verb: 'step' | 'pause' | 'resume' | 'promote', write: WriteRequest): Promise<WriteResult> {
    return this.#written([name], write, () => this.#verbs.move(name, verb, write));
  }

  freeze(name: string, frozen: boolean, write: WriteRequest): Promise<WriteResult> {
    return this.#written([name], write, () => this.#verbs.freeze(name, frozen, write));
  }

  undo(revision: number, write: WriteRequest): Promise<WriteResult> {
    return this.#written([], write, () => this.#verbs.undo(revision, write));
  }

  adopt(write: WriteRequest, keep: 'served' | 'stored' = 'served'): Promise<WriteResult> {
    return this.#written(this.#names(), write, () => this.#verbs.adopt(keep, write));
  }

  /** Answers with the routes that were named, and those that the change touched beside them. */
  async #written(
    names: readonly string[],
    write: Pick<WriteRequest, 'waitMs'>,
    act: () => Promise<Written>,
  ): Promise<WriteResult> {
    const configured = this.#names();
    const known = new Set(configured);
    const unknown = names.find((name) => !known.has(name));
    if (unknown !== undefined) {
      return { kind: 'refused', code: 'unknownRoute', detail: noSuchRoute(unknown, configured) };
    }
    const written = await act();
    if (written.kind === 'refused') return written;
    const touched = new Set(names);
    if (written.kind === 'applied') {
      for (const { route } of written.entry.routes) touched.add(route);
      if (write.waitMs !== undefined) {
        await this.#options.supervisor.applied.wait(written.entry.revision, write.waitMs);
      }
    }
    const warning = written.kind === 'applied' ? written.warning : undefined;
    if (warning !== undefined) this.#options.events.emit({ type: 'atRisk', reason: warning });
    return { kind: 'done', routes: this.#views.routes(touched), warning };
  }

  #names(): string[] {
    return this.#options.supervisor.plan.routes.map(({ spec }) => spec.name);
  }

  history(query: { limit: number; route?: string; before?: number }): Promise<readonly AuditEntry[]> {
    return this.#options.keeper.history(query);
  }

  async examine(route: string | undefined, path: string | undefined): Promise<RouteExamination[] | undefined> {
    const { supervisor } = this.#options;
    const wanted = supervisor.plan.routes.filter(({ spec }) => route === undefined || spec.name === route);
    if (route !== undefined && wanted.length === 0) return undefined;
    const found: RouteExamination[] = [];
    // One after the other: nobody is to be flooded by being looked at.
    for (const { spec } of wanted) {
      const lack = this.capacity(spec.name, PPM);
      found.push(await examineRoute(supervisor, spec, { path, nowMs: Date.now(), lack }));
    }
    return found;
  }

  explain(request: ExplainRequest): ExplainView {
    const { supervisor, local } = this.#options;
    return explainRequest(supervisor.plan, local.served, request);
  }

  async explainRoute(
    name: string,
  ): Promise<{ route: RouteView; last: AuditEntry | null; sentence: string } | undefined> {
    const route = this.route(name);
    if (route === undefined) return undefined;
    const [last = null] = await this.#options.keeper.history({ limit: 1, route: name });
    return { route, last, sentence: routeSentence(route, last) };
  }

  tellRefusal(refusal: Refusal): void {
    this.#options.events.emit({ type: 'refused', ...refusal });
  }

  subscribe(onEvent: (event: ControlEvent) => void): () => void {
    return this.#options.events.subscribe(onEvent);
  }

  eventsSince(id: number): ControlEvent[] {
    return this.#options.events.since(id);
  }

  async metrics(): Promise<{ contentType: string; text: AsyncIterable<string> }> {
    await this.#options.supervisor.flush();
    return { contentType: this.#metrics.contentType, text: this.#metrics.text() };
  }
}

/** Resolves with the promise, or after so many milliseconds. */
async function atMost(promise: Promise<void>, ms: number): Promise<void> {
  const over = new AbortController();
  await Promise.race([promise, sleep(ms, undefined, { signal: over.signal }).catch(() => {})]);
  over.abort();
}
