/** A route as the control plane shows it. Weights are percent. */
import type { Cutover } from '../domain/state.ts';

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
  /** Percent that a rollback took away, while it is rolled back; else null. */
  from: number | null;
  old: SideView;
  new: SideView;
  evidence: { value: number; threshold: number; verdict: 'healthy' | 'inconclusive' | 'breach'; reason: string };
  ramp: RampView | null;
  applied: AppliedView;
}

/** A route for those who look at all of them each second. */
export interface RouteGlance {
  /**
   * Without what changes with each request: counts are 0, the evidence has no value and no reason, `applied` no time. The same object for
   * as long as it says the same.
   */
  readonly standing: RouteView;
  readonly evidence: RouteView['evidence'];
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

/** A route that the store has and the configuration has not. */
export interface UnconfiguredView {
  name: string;
  /** Percent. */
  weight: number;
  revision: number;
  state: Cutover;
  frozen: boolean;
}
