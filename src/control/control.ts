/**
 * What the admin plane may ask of and tell the control plane. The supervisor implements it; admin and tests see only this.
 * JSON shapes are those of the admin API (DESIGN section 7): weights in percent, times in milliseconds.
 */
import type { RouteExamination } from '../domain/doctor.ts';
import type { RampStep } from '../domain/ramp.ts';
import type { AuditEntry, Cutover, EvidenceNote } from '../domain/state.ts';

export interface EndpointView {
  /** `host:port` */
  endpoint: string;
  /**
   * `starting`: not checked yet; `unhealthy`: checks fail; `ejected`: requests failed on it; `unreachable`: connections fail; `draining`:
   * it was among the endpoints until a minute ago at most.
   */
  state: 'starting' | 'unhealthy' | 'ejected' | 'unreachable' | 'draining';
  reason: string;
  /** Milliseconds since 1970. */
  since: number;
}

export interface SideView {
  backend: string;
  /** Since the supervisor started. */
  requests: number;
  faults: number;
  /** `host:port` of each endpoint that is known. */
  endpoints: string[];
  /** Those of them that are not healthy, then those that have just left, and why. */
  ailing: EndpointView[];
}

export interface AppliedView {
  /** Replicas whose workers all serve the route's revision. */
  replicas: number;
  of: number;
  /** From the store's acknowledgement to the last worker's, of the newest revision; null while under way. */
  ms: number | null;
}

export interface RouteView {
  name: string;
  /** Percent. */
  weight: number;
  revision: number;
  state: Cutover;
  reason: string;
  frozen: boolean;
  old: SideView;
  new: SideView;
  evidence: { value: number; threshold: number; verdict: 'healthy' | 'inconclusive' | 'breach'; reason: string };
  ramp: RampView | null;
  applied: AppliedView;
}

/** Times in milliseconds, `since` and `at` since 1970 by the store's clock. */
export interface RampView {
  template: string | null;
  /** From 1. */
  step: number;
  of: number;
  /** Percent, of the step. */
  weight: number;
  /** When the step's hold began. */
  since: number;
  steps: { weight: number; hold: number; gate: 'approval' | { newRequests: number } | null }[];
  /** Null: the step is the last. `at`: when its hold ends; null while nothing runs. */
  next: { weight: number; at: number | null } | null;
  /** Of the step. */
  gate: 'approval' | { newRequests: number } | null;
  /** Judged at the step's weight. */
  newRequests: number;
  /** Why it does not go on at this moment; null: it is about to. */
  waiting: {
    for:
      | 'hold'
      | 'newRequests'
      | 'approval'
      | 'verdict'
      | 'breach'
      | 'endpoints'
      | 'capacity'
      | 'paused'
      | 'frozen'
      | 'resume'
      | 'store';
    reason: string;
  } | null;
}

export interface ReplicaView {
  id: string;
  /** `host:port` of its admin API; null when it has told none. */
  address: string | null;
  /** That all its workers serve; -1: none, or of another epoch than this replica's. */
  revision: number;
  /** Whether that is the newest that this replica knows of. */
  applied: boolean;
  /** Milliseconds since it said so, by the store's clock. */
  seenMs: number;
}

/** Where a backend's endpoints come from, and how well. */
export interface BackendView {
  name: string;
  /** static, dns, helios or kubernetes. */
  discovery: string;
  endpoints: number;
  /** Milliseconds since the source last confirmed them; null: it never has. */
  ageMs: number | null;
  /** What is wrong with the source, in one sentence; the last good endpoints are in use meanwhile. */
  alarm: string | null;
}

export interface StatusView {
  version: string;
  fleet: string;
  epoch: string;
  revision: number;
  /** Milliseconds since the state was last confirmed by the store. */
  stateAgeMs: number;
  store: { kind: string; up: boolean; reason: string | null };
  ready: boolean;
  /** Why not ready, or null. */
  notReady: string | null;
  workers: { pid: number; revision: number; ready: boolean }[];
  applied: AppliedView;
  /** The living replicas of the fleet, this one first. */
  replicas: ReplicaView[];
  /** In the configuration's order. */
  backends: BackendView[];
  /**
   * Null, or a line each: the store holds what does not follow from what is served, which `adopt` ends; the last state is not on disk;
   * the last reload of the configuration was refused; a backend's source does not answer, or not credibly.
   */
  alarm: string | null;
  routes: number;
}

/** Something that happened, as sent to `GET /v1/events`. `id` rises by one with each. */
export type ControlEvent =
  | { id: number; at: number; type: 'change'; entry: AuditEntry }
  | { id: number; at: number; type: 'store'; up: boolean; reason: string | null }
  | {
      id: number;
      at: number;
      type: 'worker';
      pid: number;
      what: 'started' | 'ready' | 'exited' | 'shedding' | 'relieved';
      detail: string | null;
    }
  | { id: number; at: number; type: 'config'; ok: boolean; detail: string }
  /** A change is made and acknowledged, but a failover of the store may lose it. */
  | { id: number; at: number; type: 'atRisk'; reason: string }
  /** A webhook was given up; `url` without its path. */
  | { id: number; at: number; type: 'webhook'; url: string; ok: false; detail: string }
  /** A backend's source has answered for the first time, has failed, or is well again; how many endpoints are known. */
  | {
      id: number;
      at: number;
      type: 'discovery';
      backend: string;
      ok: boolean;
      reason: string | null;
      endpoints: number;
    }
  /** Routes that were rolled back on this replica alone (`pinned`), or whose rollback the store has by now. */
  | { id: number; at: number; type: 'pinned'; routes: string[]; pinned: boolean; actor: string; reason: string }
  /** What is thought of a route's new side is something else than before. */
  | {
      id: number;
      at: number;
      type: 'verdict';
      route: string;
      verdict: RouteView['evidence']['verdict'];
      value: number;
      threshold: number;
      reason: string;
    }
  /** An endpoint is in another state than before. */
  | {
      id: number;
      at: number;
      type: 'endpoint';
      backend: string;
      endpoint: string;
      state: Exclude<EndpointView['state'], 'draining'> | 'healthy';
      reason: string | null;
    }
  /** A backend has no healthy endpoint any more, or has again. */
  | { id: number; at: number; type: 'backend'; backend: string; ok: boolean; reason: string | null }
  | ({ id: number; at: number; type: 'refused' } & Refusal);

/** A write that was not let through, by whom it was tried and why not. */
export interface Refusal {
  /** The caller's name; `unknown` when nobody is known to have been it. */
  actor: string;
  verb: string;
  /** null: none in particular. */
  route: string | null;
  /** Of the problem, such as `forbidden` or `stale`. */
  code: string;
  reason: string;
  /** How many refusals of the same caller were left untold before this one, because they came too fast. */
  omitted: number;
}

/**
 * What a route has done in the last ten seconds: of the old side, then of the new one, requests, faults, p50 and p99 in milliseconds (null
 * without requests), requests under way.
 */
export type StatsRow = [
  oldRequests: number,
  oldFaults: number,
  oldP50: number | null,
  oldP99: number | null,
  oldInflight: number,
  newRequests: number,
  newFaults: number,
  newP50: number | null,
  newP99: number | null,
  newInflight: number,
];

/** A side over time, one value a slot. */
export interface SideSeries {
  requests: number[];
  faults: number[];
  /** Milliseconds, estimated from the duration buckets; null without requests. */
  p50: (number | null)[];
  p99: (number | null)[];
}

export interface SeriesView {
  route: string;
  /** The last five minutes by the second, the last hour by ten seconds. */
  rings: {
    /** That a slot spans. */
    seconds: number;
    /** When each slot ended, in milliseconds since 1970, oldest first. */
    at: number[];
    /** Percent. */
    weight: number[];
    old: SideSeries;
    new: SideSeries;
  }[];
}

/** What a change of weight would move. */
export interface PreviewView {
  /** Percent. */
  weight: { now: number; after: number };
  requestsPerSecond: { old: { now: number; after: number }; new: { now: number; after: number } };
  /** How many of the users would change sides, and what tells them apart; null: the route is not sticky. */
  users: { percent: number; by: string[] } | null;
  /** Of the new side. `connections`: most that all workers may open to its endpoints; 0: no limit. */
  headroom: { endpoints: number; connections: number; inflight: { now: number; after: number } };
}

/** A route that the store has and the configuration has not. */
export interface UnconfiguredView {
  name: string;
  /** Percent. */
  weight: number;
  revision: number;
  state: Cutover;
  frozen: boolean;
}

export interface WriteRequest {
  actor: string;
  reason: string;
  /** Revision from If-Match; undefined: none was sent. */
  ifRevision?: number | undefined;
  /** Wait this long for all workers of all replicas to serve the change; the answer then says how many do. */
  waitMs?: number | undefined;
  /** Past the guards that may be overruled. */
  force?: boolean | undefined;
  /** What the judge says of the route, for the history. */
  evidence?: EvidenceNote | undefined;
}

export interface RampRequest {
  template?: string | undefined;
  steps?: readonly RampStep[] | undefined;
}

export interface RampPreview {
  kind: 'plan';
  template: string | null;
  steps: RampView['steps'];
  /** From 1: the first step that does not lower the route; null: all would. */
  begins: number | null;
}

/** What became of a write. A refusal changes nothing. */
export type WriteResult =
  /** `warning`: why the change, though it is made, may be lost in a failover of the store. */
  | { kind: 'done'; routes: RouteView[]; warning?: string | undefined }
  | { kind: 'refused'; code: RefusalCode; detail: string };

export type RefusalCode =
  | 'unknownRoute'
  | 'unknownRevision'
  /** Neither a template nor a configured ramp (404). */
  | 'unknownRamp'
  /** Raising needs If-Match (428). */
  | 'preconditionRequired'
  /** If-Match names an older revision (412). */
  | 'stale'
  | 'frozen'
  /** Two rollbacks within a day: raising needs force (409). */
  | 'latched'
  /** Undoing a rollback, or a change that others have built on; adopting where nothing is in dispute (409). */
  | 'conflict'
  /** A rollback onto an old side of which no endpoint is healthy: needs force (409). */
  | 'noHealthyEndpoint'
  /** The store does not answer (503). */
  | 'storeUnavailable';

/** Why a request would go where: what `explain` answers. */
export interface ExplainView {
  route: string | null;
  /** Which part of the match decided, in words. */
  match: string;
  key: { source: string; value: string } | null;
  bucket: number | null;
  weight: number | null;
  /** null when no key fixes it: the side is drawn for each request. */
  side: 'old' | 'new' | null;
  backend: string | null;
  sentence: string;
}

export interface ExplainRequest {
  url: string;
  method: string;
  /** Lower-case names. */
  headers: [string, string][];
  address?: string | undefined;
}

export interface Control {
  status(): StatusView;
  routes(): RouteView[];
  /** Routes that the store has and this replica does not serve. */
  unconfigured(): UnconfiguredView[];
  route(name: string): RouteView | undefined;
  /** Of all routes, in the order of `routes`. */
  stats(): StatsRow[];
  /** The last hour of a route; undefined: not configured. */
  series(name: string): SeriesView | undefined;
  /** Undefined: not configured. */
  preview(name: string, weightPpm: number): PreviewView | undefined;
  setWeight(name: string, weightPpm: number, write: WriteRequest): Promise<WriteResult>;
  /** To the old side: one route, or all of them in one change. */
  rollback(routes: readonly string[] | 'all', write: WriteRequest): Promise<WriteResult>;
  /**
   * As `rollback`, but on this replica alone and at once, whether or not the store answers; what the store shows of these routes counts again
   * when the same rollback has been written. `waitMs` waits for that.
   */
  rollbackLocally(routes: readonly string[] | 'all', write: WriteRequest): Promise<WriteResult>;
  /**
   * Begins a ramp: of a template, of steps given by hand, or (neither) as configured for the route.
   * Refused as `unknownRamp` when there is none.
   */
  ramp(name: string, plan: RampRequest, write: WriteRequest): Promise<WriteResult>;
  /** What `ramp` would walk the route through, changing nothing. */
  rampPlan(name: string, plan: RampRequest): RampPreview | Extract<WriteResult, { kind: 'refused' }>;
  move(name: string, verb: 'step' | 'pause' | 'resume' | 'promote', write: WriteRequest): Promise<WriteResult>;
  freeze(name: string, frozen: boolean, write: WriteRequest): Promise<WriteResult>;
  /** Restores what the change of this revision replaced, if nobody has changed its routes since. */
  undo(revision: number, write: WriteRequest): Promise<WriteResult>;
  /**
   * Ends a dispute about what counts: `served` puts what this replica serves over what the store holds, `stored` takes what it holds.
   * Either way under a new epoch, which all replicas follow; answers with all routes.
   */
  adopt(write: WriteRequest, keep?: 'served' | 'stored'): Promise<WriteResult>;
  history(query: {
    limit: number;
    route?: string | undefined;
    before?: number | undefined;
  }): Promise<readonly AuditEntry[]>;
  /** Both sides of a route, or of all, held against each other; undefined: there is no such route. @param path of the sample request */
  examine(route: string | undefined, path: string | undefined): Promise<RouteExamination[] | undefined>;
  explain(request: ExplainRequest): ExplainView;
  /** One sentence on why the route is where it is. */
  explainRoute(name: string): Promise<{ route: RouteView; last: AuditEntry | null; sentence: string } | undefined>;
  /** Tells whoever listens that a write was refused before it came here, or by what it found here. */
  tellRefusal(refusal: Refusal): void;
  /** Calls back with each event from now on; returns the unsubscribe function. */
  subscribe(onEvent: (event: ControlEvent) => void): () => void;
  /** Events after `id` that are still remembered (the last 1,000). */
  eventsSince(id: number): ControlEvent[];
  /** Prometheus text, counts of all workers fetched first; `contentType` fits the text. */
  metrics(): Promise<{ contentType: string; text: AsyncIterable<string> }>;
}

export { StoreUnavailable } from '../store/store.ts';
export type { AuditEntry, Cutover };
