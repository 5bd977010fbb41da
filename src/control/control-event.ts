/** What the control plane tells those who listen. */
import type { AuditEntry } from '../domain/state.ts';
import type { EndpointView, RouteView } from './route-view.ts';

/** Something that happened, as sent to `GET /v1/events`. `id` rises by one with each. */
export type ControlEvent =
  | { id: number; at: number; type: 'change'; entry: AuditEntry }
  /** `disputed`: it answers, but what does not follow from what is served; `settled`: it is up because that has ended. */
  | { id: number; at: number; type: 'store'; up: boolean; disputed: boolean; settled: boolean; reason: string | null }
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
