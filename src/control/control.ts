/**
 * What the admin plane may ask of and tell the control plane. The supervisor implements it; admin and tests see only this.
 * JSON shapes are those of the admin API (DESIGN section 7): weights in percent, times in milliseconds.
 */
import type { RouteExamination } from '../domain/doctor.ts';
import type { AuditEntry } from '../domain/state.ts';
import type { ControlEvent, Refusal } from './control-event.ts';
import type { ExplainRequest, ExplainView } from './explain-view.ts';
import type { RouteGlance, RouteView, UnconfiguredView } from './route-view.ts';
import type { StatusView } from './status-view.ts';
import type { PreviewView, SeriesView, StatsRow } from './traffic-view.ts';
import type { RampPreview, RampRequest, WriteRequest, WriteResult } from './write-request.ts';

export interface Control {
  status(): StatusView;
  routes(): RouteView[];
  /** Routes that the store has and this replica does not serve. */
  unconfigured(): UnconfiguredView[];
  route(name: string): RouteView | undefined;
  /** Of all routes, in the order of `routes`. */
  glances(): RouteGlance[];
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
export type * from './control-event.ts';
export type * from './explain-view.ts';
export type * from './route-view.ts';
export type * from './status-view.ts';
export type * from './traffic-view.ts';
export type * from './write-request.ts';
export type { AuditEntry };
