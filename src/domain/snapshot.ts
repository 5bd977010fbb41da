/**
 * The immutable routing table that a worker serves from. A table makes one; endpoints and weights make the next out of it,
 * which the worker puts in place by a single assignment. An exchange reads the current one once and keeps it to its end.
 */
import { type EndpointsPatch, patched } from './endpoints.ts';
import { eraOf } from './era.ts';
import { compileMatcher, type Matcher } from './match.ts';
import type { RouteSpec } from './route.ts';
import { saltPrefix } from './split.ts';

export interface Endpoint {
  /** IP literal or host name. */
  readonly host: string;
  readonly port: number;
  /** The name that the address was found under: what TLS asks for and verifies, unless the backend says otherwise. Absent: the host. */
  readonly name?: string;
}

export interface Snapshot {
  readonly generation: number;
  /** Revision of the state that the weights come from; -1 until there are any. */
  readonly revision: number;
  readonly routes: readonly RouteSpec[];
  readonly matcher: Matcher;
  /** By route: what stands in front of each key (see split.ts). */
  readonly saltPrefixes: readonly string[];
  /** By route, parts per million. */
  readonly weightsPpm: Int32Array;
  /** By route, 1: held or rolled back. */
  readonly held: Uint8Array;
  /** By route: what is drawn now belongs to (era.ts). */
  readonly eras: Float64Array;
  /** By backend. */
  readonly endpoints: readonly (readonly Endpoint[])[];
}

export function createSnapshot(generation: number, routes: readonly RouteSpec[], backends: number): Snapshot {
  return {
    generation,
    revision: -1,
    routes,
    matcher: compileMatcher(routes.map((route) => route.match)),
    saltPrefixes: routes.map((route) => saltPrefix(route.salt)),
    weightsPpm: new Int32Array(routes.length),
    eras: new Float64Array(routes.length),
    held: new Uint8Array(routes.length),
    endpoints: Array.from({ length: backends }, () => []),
  };
}

export function withWeights(
  snapshot: Snapshot,
  revision: number,
  weights: readonly (readonly [route: number, weightPpm: number, testSince: number])[],
  held: readonly number[] = [],
): Snapshot {
  const weightsPpm = snapshot.weightsPpm.slice();
  const eras = snapshot.eras.slice();
  const isHeld = snapshot.held.slice();
  for (const [route, weightPpm, testSince] of weights) {
    weightsPpm[route] = weightPpm;
    eras[route] = eraOf(testSince, weightPpm);
    isHeld[route] = 0;
  }
  for (const route of held) isHeld[route] = 1;
  return { ...snapshot, revision, weightsPpm, eras, held: isHeld };
}

export function withEndpoints(snapshot: Snapshot, backend: number, { removed, added }: EndpointsPatch): Snapshot {
  const endpoints = patched(snapshot.endpoints[backend] ?? [], removed, added);
  return { ...snapshot, endpoints: snapshot.endpoints.with(backend, endpoints) };
}
