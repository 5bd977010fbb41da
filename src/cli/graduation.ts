/** The route of the Gateway API that does what a route of Crossfade does at weight 100: it takes Crossfade out of the path. */
import type { RouteMatch, Timeouts } from '../domain/route.ts';

export interface Graduate {
  readonly name: string;
  readonly match: RouteMatch;
  readonly timeouts: Pick<Timeouts, 'totalMs'>;
  /** Where the new side runs. */
  readonly service: { readonly namespace: string; readonly name: string; readonly port: number };
  readonly gateway: string;
}

/** An HTTPRoute, or for gRPC a GRPCRoute, of gateway.networking.k8s.io/v1. */
export function gatewayRoute({ name, match, timeouts, service, gateway }: Graduate): object {
  const { hosts, grpc } = match;
  const rule = {
    matches: grpc === undefined ? httpMatches(match) : [{ method: grpc, ...headerMatches(match) }],
    ...(timeouts.totalMs > 0 && grpc === undefined ? { timeouts: { request: `${timeouts.totalMs}ms` } } : {}),
    backendRefs: [{ name: service.name, port: service.port }],
  };
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: grpc === undefined ? 'HTTPRoute' : 'GRPCRoute',
    metadata: { name: name.toLowerCase().replaceAll(/[^a-z0-9.-]/g, '-'), namespace: service.namespace },
    spec: {
      parentRefs: [{ name: gateway }],
      ...(hosts === undefined ? {} : { hostnames: hosts }),
      rules: [rule],
    },
  };
}

/** One for each method, since a match has at most one. */
function httpMatches(match: RouteMatch): object[] {
  const path = { path: pathMatch(match.path ?? '/') };
  const methods = match.methods ?? [null];
  return methods.map((method) => ({ ...path, ...(method === null ? {} : { method }), ...headerMatches(match) }));
}

/** `/x/` takes /x and all below it, which is the Gateway API's prefix /x. */
function pathMatch(path: NonNullable<RouteMatch['path']>): object {
  if (typeof path === 'object') return { type: 'Exact', value: path.exact };
  if (path === '/') return { type: 'PathPrefix', value: '/' };
  return path.endsWith('/') ? { type: 'PathPrefix', value: path.slice(0, -1) } : { type: 'Exact', value: path };
}

function headerMatches({ headers = {} }: RouteMatch): object {
  const entries = Object.entries(headers);
  return entries.length === 0 ? {} : { headers: entries.map(([name, value]) => ({ type: 'Exact', name, value })) };
}
