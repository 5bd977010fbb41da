/** The two platforms a route stands between. */
export type Side = 'old' | 'new';

/** Sides as indexes into typed arrays of counts. */
export const OLD = 0;
export const NEW = 1;
export type SideIndex = typeof OLD | typeof NEW;
export const SIDES: readonly [Side, Side] = ['old', 'new'];

/** A weight is the new side's share in integer parts per million; people read and write it as percent. */
export const PPM = 1_000_000;

/** Percent (0 to 100, at most four decimals) as parts per million; undefined when it is neither in range nor that exact. */
export function percentToPpm(percent: number): number | undefined {
  const ppm = Math.round(percent * 10_000);
  return percent >= 0 && percent <= 100 && Math.abs(percent * 10_000 - ppm) < 1e-6 ? ppm : undefined;
}

export function ppmToPercent(ppm: number): number {
  return ppm / 10_000;
}

/**
 * Which requests belong to a route; every part given must hold. `path` is kept as written: `/x/` takes `/x` and all below it,
 * `/x` only itself, `/` everything, and `exact` the one path given.
 */
export interface RouteMatch {
  /** Lower case, without port; `*.example.com` stands for one or more labels in front. Absent: any host. */
  readonly hosts?: readonly string[];
  readonly path?: string | { readonly exact: string };
  /** Method tokens, case-sensitive (RFC 9110 section 9.1). Absent: any. */
  readonly methods?: readonly string[];
  /** Lower-case field names and the exact value that each must have. */
  readonly headers?: Readonly<Record<string, string>>;
  /** `service` is the full name with package; without `method` all of the service's methods match. */
  readonly grpc?: { readonly service: string; readonly method?: string };
}

/** Where a sticky key is read from. The first source that a request has gives the key. */
export type StickySource =
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'cookie'; readonly name: string }
  | { readonly kind: 'address' }
  | { readonly kind: 'generate' };

/** All times in milliseconds; 0 switches a limit off. */
export interface Timeouts {
  /** From the first try of a connection to its being usable. Default 1 s. */
  readonly connectMs: number;
  /** From a request's first byte to the end of its head. Default 10 s. */
  readonly requestHeadMs: number;
  /** From the request's last byte to the head of the final response. Default 60 s. */
  readonly responseHeadMs: number;
  /** Without a byte in either direction, of a connection at rest or a body on its way. Default 60 s. */
  readonly idleMs: number;
  /** From the request's head to the end of the response. Default 0: none. */
  readonly totalMs: number;
}

/** Sending a request again that failed before any byte of an answer and may be repeated. */
export interface RescuePolicy {
  /** Share of the route's requests, 0 to 1, that may be sent again. Default 0.2; 0: none. */
  readonly budget: number;
  /** Whether new may take what old fails on; old always takes what new fails on. Default no. */
  readonly toNew: boolean;
  /** Bytes of a request's body that are kept to be sent again. Default 64 KiB. */
  readonly bodyBytes: number;
  /** gRPC methods whose repetition has the effect of one, as request targets: `/package.Service/Method`. */
  readonly safeMethods?: readonly string[];
  /** Lower-case name of a response's field that says what the request was rescued from; absent: none does. */
  readonly responseField?: string;
}

/** A route as the data plane needs it: names resolved, times in milliseconds, backends by index. */
export interface RouteSpec {
  readonly name: string;
  readonly match: RouteMatch;
  /** Indexes into the table's backends. */
  readonly old: number;
  readonly new: number;
  readonly sticky: readonly StickySource[];
  /** Salt of the split: the route's group, or its name. */
  readonly salt: string;
  readonly timeouts: Timeouts;
  readonly rescue: RescuePolicy;
}
