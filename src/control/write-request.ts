/** A change as it is asked for, and what became of it. */
import type { RampStep } from '../domain/ramp.ts';
import type { EvidenceNote } from '../domain/state.ts';
import type { RampView, RouteView } from './route-view.ts';

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
  | 'storeUnavailable'
  /** The store answers what does not follow from what is served, until somebody adopts (503). */
  | 'storeDisputed';
