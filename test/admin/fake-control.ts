/** Control in memory: decides as the real one does (domain/cutover.ts), with no workers and no store behind it. */
import type {
  AppliedView,
  AuditEntry,
  Control,
  ControlEvent,
  ExplainRequest,
  PreviewView,
  RampPreview,
  RampRequest,
  Refusal,
  ReplicaView,
  RouteGlance,
  RouteView,
  SeriesView,
  StatsRow,
  StatusView,
  UnconfiguredView,
  WriteRequest,
  WriteResult,
} from '../../src/control/control.ts';
import { type CutoverEvent, decide, undoRefusal } from '../../src/domain/cutover.ts';
import { PPM, ppmToPercent } from '../../src/domain/route.ts';
import { positionOf, type RouteState, type Verb } from '../../src/domain/state.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { tableSource } from '../telemetry/table.ts';

/** Like ControlEvent, without what is the same for all. */
type NewEvent = ControlEvent extends infer Event
  ? Event extends ControlEvent
    ? Omit<Event, 'id' | 'at'>
    : never
  : never;

const AT = Date.UTC(2026, 0, 2, 3, 4, 5);

export class FakeControl implements Control {
  notReady: string | null = null;
  storeUp = true;
  disputed = false;
  alarm: string | null = null;
  applied: AppliedView = { replicas: 1, of: 1, ms: 9 };
  /** What the last request to explain asked. */
  explained: ExplainRequest | undefined;
  /** Every write that reached control. */
  readonly writes: WriteRequest[] = [];
  /** Routes that were rolled back here alone. */
  readonly pinned = new Set<string>();
  /** The other replicas. */
  others: ReplicaView[] = [];
  /** Routes of the store that are not configured. */
  stored: UnconfiguredView[] = [];
  readonly #routes = new Map<string, RouteState>();
  readonly #standings = new Map<string, RouteView>();
  readonly #audit: AuditEntry[] = [];
  readonly #events: ControlEvent[] = [];
  readonly #listeners = new Set<(event: ControlEvent) => void>();
  #revision = 0;

  constructor(...names: string[]) {
    for (const name of names) {
      this.#revision++;
      this.#routes.set(name, {
        revision: this.#revision,
        weightPpm: 0,
        cutover: 'steady',
        frozen: false,
        reason: 'first start',
        actor: 'config',
        at: AT,
      });
      const after = { weightPpm: 0, cutover: 'steady', frozen: false } as const;
      const entry = { revision: this.#revision, at: AT, verb: 'init', actor: 'config', reason: 'first start' } as const;
      this.#audit.unshift({ ...entry, routes: [{ route: name, before: null, after }] });
    }
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  status(): StatusView {
    return {
      version: '0.1.0',
      fleet: 'default',
      epoch: 'e1',
      revision: this.#revision,
      stateAgeMs: 12,
      store: {
        kind: 'file',
        up: this.storeUp && !this.disputed,
        disputed: this.disputed,
        reason: this.storeUp ? (this.disputed ? 'it holds another epoch' : null) : 'disk full',
      },
      ready: this.notReady === null,
      notReady: this.notReady,
      workers: [{ pid: 4711, revision: this.#revision, ready: true }],
      applied: this.applied,
      replicas: [
        { id: 'px-1', address: '127.0.0.1:9900', revision: this.#revision, applied: true, seenMs: 0 },
        ...this.others,
      ],
      backends: [{ name: 'search-helios', discovery: 'helios', endpoints: 3, ageMs: 400, alarm: null }],
      alarm: this.alarm,
      routes: this.#routes.size,
    };
  }

  unconfigured() {
    return this.stored;
  }

  tellRefusal(refusal: Refusal): void {
    this.emit({ type: 'refused', ...refusal });
  }

  routes(): RouteView[] {
    return [...this.#routes.keys()].map((name) => this.route(name) as RouteView);
  }

  glances(): RouteGlance[] {
    return this.routes().map((route) => {
      const made: RouteView = {
        ...route,
        old: { ...route.old, requests: 0, faults: 0 },
        new: { ...route.new, requests: 0, faults: 0 },
        evidence: { ...route.evidence, value: 0, reason: '' },
        applied: { ...route.applied, ms: null },
      };
      const known = this.#standings.get(route.name);
      const standing = known !== undefined && JSON.stringify(known) === JSON.stringify(made) ? known : made;
      this.#standings.set(route.name, standing);
      return { standing, evidence: route.evidence };
    });
  }

  route(name: string): RouteView | undefined {
    const state = this.#routes.get(name);
    if (state === undefined) return undefined;
    return {
      name,
      weight: ppmToPercent(state.weightPpm),
      revision: state.revision,
      state: state.cutover,
      reason: state.reason,
      frozen: state.frozen,
      from: state.cutover === 'rolledBack' && state.from !== undefined ? ppmToPercent(state.from) : null,
      old: { backend: `${name}-old`, requests: 9120, faults: 2, endpoints: ['10.0.0.7:31002'], ailing: [] },
      new: {
        backend: `${name}-new`,
        requests: 1011,
        faults: 0,
        endpoints: ['10.1.4.2:8080', '10.1.4.3:8080'],
        ailing: [],
      },
      evidence: { value: 0, threshold: 3, verdict: 'inconclusive', reason: 'nothing is judged yet' },
      ramp: null,
      applied: this.applied,
    };
  }

  stats(): StatsRow[] {
    return this.routes().map(() => [800, 1, 12.5, 80, 4, 200, 0, 10, 60, 1]);
  }

  series(name: string): SeriesView | undefined {
    if (!this.#routes.has(name)) return undefined;
    const side = { requests: [80], faults: [1], p50: [12.5], p99: [null] };
    return { route: name, rings: [{ seconds: 1, at: [AT], weight: [20], old: side, new: side }] };
  }

  preview(name: string, weightPpm: number): PreviewView | undefined {
    const route = this.route(name);
    if (route === undefined) return undefined;
    const nothing = { now: 0, after: 0 };
    return {
      weight: { now: route.weight, after: ppmToPercent(weightPpm) },
      requestsPerSecond: { old: nothing, new: nothing },
      users: null,
      headroom: { endpoints: 2, connections: 0, inflight: nothing },
    };
  }

  async setWeight(name: string, weightPpm: number, write: WriteRequest): Promise<WriteResult> {
    return this.#change('set', [name], () => ({ kind: 'set', weightPpm }), write);
  }

  async rollback(routes: readonly string[] | 'all', write: WriteRequest): Promise<WriteResult> {
    const names = routes === 'all' ? [...this.#routes.keys()] : routes;
    return this.#change('rollback', names, () => ({ kind: 'rollback', automatic: false }), write);
  }

  async rollbackLocally(routes: readonly string[] | 'all', write: WriteRequest): Promise<WriteResult> {
    this.writes.push(write);
    const names = routes === 'all' ? [...this.#routes.keys()] : routes;
    for (const name of names) this.pinned.add(name);
    return { kind: 'done', routes: names.map((name) => this.route(name) as RouteView) };
  }

  /** Steps and template of the last call of `ramp` or `rampPlan`. */
  planned: RampRequest | undefined;

  async ramp(name: string, plan: RampRequest, write: WriteRequest): Promise<WriteResult> {
    this.planned = plan;
    const steps = plan.steps ?? [{ weightPpm: PPM / 2, holdMs: 60_000, gate: null }];
    return this.#change('ramp', [name], () => ({ kind: 'ramp', steps, template: plan.template }), write);
  }

  rampPlan(_name: string, plan: RampRequest): RampPreview | Extract<WriteResult, { kind: 'refused' }> {
    this.planned = plan;
    if (plan.template === 'none') return { kind: 'refused', code: 'unknownRamp', detail: 'There is no ramp "none"' };
    return { kind: 'plan', template: 'careful', steps: [{ weight: 50, hold: 60_000, gate: null }], begins: 1 };
  }

  async move(name: string, verb: 'step' | 'pause' | 'resume' | 'promote', write: WriteRequest): Promise<WriteResult> {
    return this.#change(verb, [name], () => ({ kind: verb }), write);
  }

  async freeze(name: string, frozen: boolean, write: WriteRequest): Promise<WriteResult> {
    const verb = frozen ? 'freeze' : 'unfreeze';
    return this.#change(verb, [name], () => ({ kind: verb }), write);
  }

  async undo(revision: number, write: WriteRequest): Promise<WriteResult> {
    const entry = this.#audit.find((candidate) => candidate.revision === revision);
    if (entry === undefined) return { kind: 'refused', code: 'unknownRevision', detail: `No change ${revision}` };
    const refusal = undoRefusal(entry);
    if (refusal !== undefined) return { kind: 'refused', code: 'conflict', detail: refusal };
    const before = new Map(entry.routes.map((change) => [change.route, change.before]));
    const request = (name: string): CutoverEvent => {
      const position = before.get(name);
      if (position == null) throw new Error(`${name} was not there before`);
      return { kind: 'undo', revision, before: position };
    };
    return this.#change('undo', [...before.keys()], request, write);
  }

  /** What was asked to be kept, by the last call of `adopt`. */
  adopted: 'served' | 'stored' | undefined;

  async adopt(write: WriteRequest, keep: 'served' | 'stored' = 'served'): Promise<WriteResult> {
    this.writes.push(write);
    this.adopted = keep;
    return { kind: 'done', routes: this.routes() };
  }

  #change(
    verb: Verb,
    names: readonly string[],
    request: (name: string) => CutoverEvent,
    write: WriteRequest,
  ): WriteResult {
    this.writes.push(write);
    if (!this.storeUp) return { kind: 'refused', code: 'storeUnavailable', detail: 'disk full' };
    const changes: AuditEntry['routes'][number][] = [];
    for (const route of names) {
      const state = this.#routes.get(route);
      if (state === undefined) return { kind: 'refused', code: 'unknownRoute', detail: `No route ${route}` };
      const decision = decide(
        state,
        { ...request(route), ifRevision: write.ifRevision, force: write.force } as CutoverEvent,
        AT,
      );
      if (decision.kind === 'refused') return decision;
      if (decision.kind === 'next') changes.push({ route, before: positionOf(state), after: decision.next });
    }
    if (changes.length > 0) this.#write(verb, write, changes);
    return { kind: 'done', routes: names.map((name) => this.route(name) as RouteView) };
  }

  #write(verb: Verb, { actor, reason }: WriteRequest, routes: AuditEntry['routes']): void {
    this.#revision++;
    const entry = { revision: this.#revision, at: AT, verb, actor, reason, routes };
    for (const { route, after } of routes) {
      this.#routes.set(route, { ...after, revision: this.#revision, reason, actor, at: AT });
    }
    this.#audit.unshift(entry);
    this.emit({ type: 'change', entry });
  }

  async history(query: { limit: number; route?: string; before?: number }): Promise<readonly AuditEntry[]> {
    return this.#audit
      .filter(({ revision }) => revision < (query.before ?? Number.POSITIVE_INFINITY))
      .filter(({ routes }) => query.route === undefined || routes.some(({ route }) => route === query.route))
      .slice(0, query.limit);
  }

  examine(route: string | undefined) {
    const side = {
      backend: 'search-helios',
      endpoints: 1,
      alarm: null,
      tried: 1,
      unreachable: [],
      configured: 'http1' as const,
      protocols: ['http1'],
      tls: null,
      sample: null,
      noSample: null,
    };
    const examined = { route: 'search', request: 'GET /search/', old: side, new: side, findings: [] };
    return Promise.resolve(route === undefined || route === 'search' ? [examined] : undefined);
  }

  explain(request: ExplainRequest) {
    this.explained = request;
    const route = this.route('search') as RouteView;
    return {
      route: route.name,
      match: 'path /search/',
      key: { source: 'header x-user-id', value: 'u1' },
      bucket: 123_456,
      weight: route.weight,
      side: 'old' as const,
      backend: route.old.backend,
      sentence: 'Goes to old (search-old): bucket 123456 is not below 0',
    };
  }

  async explainRoute(name: string) {
    const route = this.route(name);
    if (route === undefined) return undefined;
    const [last = null] = await this.history({ limit: 1, route: name });
    return { route, last, sentence: `${name} is at ${route.weight}% because: ${route.reason}` };
  }

  emit(event: NewEvent): void {
    const full: ControlEvent = { ...event, id: this.#events.length + 1, at: AT };
    this.#events.push(full);
    for (const listener of this.#listeners) listener(full);
  }

  subscribe(onEvent: (event: ControlEvent) => void): () => void {
    this.#listeners.add(onEvent);
    return () => this.#listeners.delete(onEvent);
  }

  eventsSince(id: number): ControlEvent[] {
    return this.#events.filter((event) => event.id > id);
  }

  async metrics() {
    const metrics = createMetrics(tableSource([...this.#routes.keys()]));
    return { contentType: metrics.contentType, text: metrics.text() };
  }
}
