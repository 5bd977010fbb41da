/** How a backend's endpoints are watched and how traffic keeps away from those that fail. All times in milliseconds. */

/** What an endpoint is asked. */
export type CheckKind =
  /** GET over HTTP/1.1. `host`: the Host field; null: the endpoint's own address. `statuses`: what counts as well; null: 200 to 399. */
  | {
      readonly kind: 'http';
      readonly path: string;
      readonly host: string | null;
      readonly statuses: readonly number[] | null;
    }
  /** grpc.health.v1.Health/Check. '' asks about the server as a whole. */
  | { readonly kind: 'grpc'; readonly service: string }
  /** Whether a connection can be made. */
  | { readonly kind: 'tcp' };

export interface CheckPolicy {
  readonly ask: CheckKind;
  /** From the end of one check to the begin of the next. Default 5 s. */
  readonly intervalMs: number;
  /** Default 1 s. */
  readonly timeoutMs: number;
  /** Passed checks in a row that bring an endpoint back. Default 2. */
  readonly rise: number;
  /** Failed checks in a row that take it out. Default 3. */
  readonly fall: number;
  /** Share of the interval, 0 to 1, by which it varies either way, so that replicas do not ask all at once. Default 0.1. */
  readonly jitter: number;
}

export interface EjectionPolicy {
  /** Faults in a row that eject. Default 5. */
  readonly consecutive: number;
  /** Length of the first ejection; each further one doubles it. Default 10 s. */
  readonly baseMs: number;
  /** Longest ejection, and how long an endpoint must have been back for its next one to be short again. Default 5 min. */
  readonly longestMs: number;
  /** Whether endpoints that fail more often than their peers are ejected as well. Default yes. */
  readonly bySuccessRate: boolean;
}

export interface HealthPolicy {
  /** null: endpoints are not asked. */
  readonly check: CheckPolicy | null;
  /** null: faults of requests eject nobody. */
  readonly ejection: EjectionPolicy | null;
  /** From being new or back to a full share of the traffic. Default 10 s; 0: at once. */
  readonly slowStartMs: number;
  /** Share, 0 to 1: with fewer endpoints well than this, all are used. Default 0.5. */
  readonly panicBelow: number;
}
