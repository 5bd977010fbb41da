/** As much of the admin API's answers as commands print. */

interface Side {
  readonly backend: string;
  readonly requests: number;
  readonly faults: number;
  readonly endpoints: readonly string[];
}

export interface Applied {
  readonly replicas: number;
  readonly of: number;
  readonly ms: number | null;
}

export interface Route {
  readonly name: string;
  readonly weight: number;
  readonly revision: number;
  readonly state: string;
  readonly reason: string;
  readonly frozen: boolean;
  readonly old: Side;
  readonly new: Side;
  readonly evidence: { readonly verdict: string; readonly reason: string };
  readonly ramp: Ramp | null;
  readonly applied: Applied;
}

export type Gate = 'approval' | { readonly newRequests: number } | null;

export interface RampPlan {
  readonly template: string | null;
  readonly steps: readonly { readonly weight: number; readonly hold: number; readonly gate: Gate }[];
  /** From 1; null: every step would lower the route. */
  readonly begins: number | null;
}

export interface Ramp {
  readonly template: string | null;
  readonly step: number;
  readonly of: number;
  readonly since: number;
  readonly steps: RampPlan['steps'];
  readonly next: { readonly weight: number; readonly at: number | null } | null;
  readonly newRequests: number;
  readonly waiting: { readonly for: string; readonly reason: string } | null;
}

export interface Routes {
  readonly routes: readonly Route[];
}

/** Of the list of all routes, which also has those that only the store knows. */
export interface RouteList extends Routes {
  readonly unconfigured: readonly Pick<Route, 'name' | 'weight' | 'revision' | 'state' | 'frozen'>[];
}

export interface Replica {
  readonly id: string;
  readonly address: string | null;
  readonly revision: number;
  readonly applied: boolean;
  readonly seenMs: number;
}

export interface Status {
  readonly version: string;
  readonly fleet: string;
  readonly revision: number;
  readonly store: {
    readonly kind: string;
    readonly up: boolean;
    /** Absent: of a replica that cannot tell. */
    readonly disputed?: boolean;
    readonly reason: string | null;
  };
  /** Since the store last confirmed what is shown. */
  readonly stateAgeMs: number;
  readonly ready: boolean;
  readonly notReady: string | null;
  readonly workers: readonly { readonly ready: boolean }[];
  readonly applied: Applied;
  readonly replicas: readonly Replica[];
  readonly alarm: string | null;
}

interface Position {
  readonly weight: number;
  readonly frozen: boolean;
}

export interface Entry {
  readonly revision: number;
  readonly at: number;
  readonly verb: string;
  readonly actor: string;
  readonly reason: string;
  readonly routes: readonly { readonly route: string; readonly before: Position | null; readonly after: Position }[];
}

export interface History {
  readonly entries: readonly Entry[];
}

export interface Refused {
  readonly refusals: readonly {
    readonly at: number;
    readonly actor: string;
    readonly verb: string;
    readonly route: string | null;
    readonly code: string;
    readonly reason: string;
    readonly omitted: number;
  }[];
}

export interface RequestExplained {
  readonly route: string | null;
  readonly match: string;
  readonly key: { readonly source: string; readonly value: string } | null;
  readonly bucket: number | null;
  readonly weight: number | null;
  readonly side: string | null;
  readonly backend: string | null;
  readonly sentence: string;
}

export interface RouteExplained {
  readonly route: Route;
  readonly last: Entry | null;
  readonly sentence: string;
}

export interface ExaminedSide {
  readonly backend: string;
  readonly endpoints: number;
  readonly tried: number;
  readonly unreachable: readonly string[];
  readonly protocols: readonly string[];
  readonly tls: { readonly refused: string | null } | null;
  readonly sample: { readonly status: number; readonly latencyMs: number } | null;
}

export interface Examination {
  readonly route: string;
  readonly request: string;
  readonly old: ExaminedSide;
  readonly new: ExaminedSide;
  readonly findings: readonly { readonly severity: string; readonly text: string }[];
}

export interface Examinations {
  readonly routes: readonly Examination[];
}
