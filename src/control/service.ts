/** What the admin plane may ask for and do: reads come from what is served, writes go through the store. */
import { ppmToPercent } from '../domain/route.ts';
import type { AuditEntry } from '../domain/state.ts';
import { createMetrics, type Metrics } from '../telemetry/metrics.ts';
import type {
  Control,
  ControlEvent,
  ExplainRequest,
  ExplainView,
  RouteView,
  StatusView,
  WriteRequest,
  WriteResult,
} from './control.ts';
import type { Events } from './events.ts';
import { explainRequest } from './explain.ts';
import { MetricsSource } from './metrics-source.ts';
import type { Replicas } from './replicas.ts';
import type { StateKeeper } from './state-keeper.ts';
import type { Supervisor } from './supervisor.ts';
import { Verbs } from './verbs.ts';
import { Views } from './views.ts';
import { Writer, type Written } from './writer.ts';

export interface ServiceOptions {
  readonly version: string;
  readonly fleet: string;
  /** Of the store, such as `file`. */
  readonly storeKind: string;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly events: Events;
  readonly keeper: StateKeeper;
  readonly supervisor: Supervisor;
  readonly replicas: Replicas;
}

export class ControlService implements Control {
  readonly #options: ServiceOptions;
  readonly #views: Views;
  readonly #verbs: Verbs;
  readonly #metrics: Metrics;
  #alarm: string | null = null;
  #draining = false;

  constructor(options: ServiceOptions) {
    const { keeper, supervisor, version, clock, events } = options;
    this.#options = options;
    this.#views = new Views(supervisor, keeper);
    this.#verbs = new Verbs(keeper, new Writer(keeper, clock));
    const source = new MetricsSource(supervisor, keeper, version);
    this.#metrics = createMetrics(source);
    events.subscribe((event) => {
      if (event.type === 'change') source.note(event.entry);
      if (event.type === 'config') this.#alarm = event.ok ? null : event.detail;
    });
  }

  /** From now on not ready: whoever sends traffic should stop. */
  leave(): void {
    this.#draining = true;
  }

  status(): StatusView {
    const { version, fleet, storeKind, keeper } = this.#options;
    const { health } = keeper;
    const replica = this.#views.replica();
    const notReady = this.#notReady(replica.workers.some(({ ready }) => ready));
    const store = { kind: storeKind, up: health.up, reason: health.up ? null : health.reason };
    const replicas = this.#options.replicas.view(replica.revision);
    const alarm = keeper.alarm ?? this.#alarm;
    return { version, fleet, ...replica, store, replicas, ready: notReady === null, notReady, alarm };
  }

  #notReady(served: boolean): string | null {
    const { state, health } = this.#options.keeper;
    if (this.#draining) return 'It is draining';
    if (state === undefined && !health.up) {
      return `The store does not answer, and no last state is on disk (--bootstrap old serves from old): ${health.reason}`;
    }
    return served ? null : 'No worker serves yet';
  }

  routes(): RouteView[] {
    return this.#views.routes();
  }

  route(name: string): RouteView | undefined {
    return this.#views.route(name);
  }

  setWeight(name: string, weightPpm: number, write: WriteRequest): Promise<WriteResult> {
    return this.#written([name], write, () => this.#verbs.set(name, weightPpm, write));
  }

  rollback(routes: readonly string[] | 'all', write: WriteRequest): Promise<WriteResult> {
    const names = routes === 'all' ? this.#names() : routes;
    return this.#written(names, write, () => this.#verbs.rollback(names, write));
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
  async #written(names: readonly string[], write: WriteRequest, act: () => Promise<Written>): Promise<WriteResult> {
    const configured = new Set(this.#names());
    const unknown = names.find((name) => !configured.has(name));
    if (unknown !== undefined) {
      return { kind: 'refused', code: 'unknownRoute', detail: `Route "${unknown}" is not configured here` };
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
    return { kind: 'done', routes: this.#views.routes(touched) };
  }

  #names(): string[] {
    return this.#options.supervisor.plan.routes.map(({ spec }) => spec.name);
  }

  history(query: { limit: number; route?: string; before?: number }): Promise<readonly AuditEntry[]> {
    return this.#options.keeper.history(query);
  }

  explain(request: ExplainRequest): ExplainView {
    const { supervisor, keeper } = this.#options;
    return explainRequest(supervisor.plan, keeper.state, request);
  }

  async explainRoute(
    name: string,
  ): Promise<{ route: RouteView; last: AuditEntry | null; sentence: string } | undefined> {
    const route = this.route(name);
    if (route === undefined) return undefined;
    const [last = null] = await this.#options.keeper.history({ limit: 1, route: name });
    const place = `${name} sends ${route.weight}% to ${route.new.backend} and the rest to ${route.old.backend}`;
    const state = `it is ${route.state}${route.frozen ? ' and frozen' : ''}`;
    return { route, last, sentence: `${place}; ${state}${last === null ? '' : `, since ${describe(last, name)}`}` };
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

function describe({ verb, actor, at, reason, revision, routes }: AuditEntry, name: string): string {
  const change = routes.find(({ route }) => route === name);
  const from = change?.before ? ` from ${ppmToPercent(change.before.weightPpm)}%` : '';
  return `${actor} did ${verb}${from} at ${new Date(at).toISOString()} (revision ${revision}): ${reason}`;
}
