/** From a request to the index of its route. */
import { normalisePath } from '../domain/path.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import type { RequestView } from './halves.ts';

/** @returns index into the snapshot's routes, or -1 */
export function routeOf(snapshot: Snapshot, request: RequestView): number {
  const { matcher } = snapshot;
  const { route } = request;
  if (route.by === matcher) return route.value;
  const host = matcher.usesHosts ? hostName(request.authority) : '';
  const found = matcher.match(host, matchPath(request.target), request.method, request.fields);
  route.keep(matcher, found);
  return found;
}

/** Without the query; `OPTIONS *` asks about the whole server and is matched as its root. */
function matchPath(target: string): string {
  if (target === '*') return '/';
  const query = target.indexOf('?');
  return normalisePath(query === -1 ? target : target.substring(0, query));
}

/** Lower case, without port and without the root's dot. */
function hostName(authority: string): string {
  const colon = authority.lastIndexOf(':');
  const host = colon !== -1 && authority.indexOf(']', colon) === -1 ? authority.substring(0, colon) : authority;
  const lower = host.toLowerCase();
  return lower.endsWith('.') ? lower.slice(0, -1) : lower;
}
