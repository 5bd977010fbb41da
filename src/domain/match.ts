/**
 * From a request to its route. The most specific route wins whatever the order of the configuration: first by host (named, wildcard
 * with more labels, any), then by path (exact, longer prefix, any), then routes that ask for a method, then those that ask for more
 * headers. The cost depends on the depth of the paths, not on how many routes there are.
 */
import type { RouteMatch } from './route.ts';

/** As much of a request's fields as matching needs. */
export interface FieldLookup {
  get(name: string): string | undefined;
}

interface Candidate {
  readonly route: number;
  readonly methods: readonly string[] | undefined;
  /** Name, value, name, value… */
  readonly headers: readonly string[];
  /** Takes only what says that it is gRPC, or gRPC-Web. */
  readonly isGrpc: boolean;
}

/** Paths of one host pattern. Prefixes stand without their closing slash, `/` as the empty string. */
interface PathTable {
  readonly exact: Map<string, Candidate[]>;
  readonly prefix: Map<string, Candidate[]>;
  /** Slashes in the longest prefix. */
  depth: number;
}

export interface Matcher {
  /** Whether `host` is looked at at all. */
  readonly usesHosts: boolean;
  /**
   * @param host lower case, without port; '' when unknown
   * @param path normalised, without query
   * @returns index of the route, or -1
   */
  match(host: string, path: string, method: string, fields: FieldLookup): number;
}

const NONE = -1;

export function compileMatcher(matches: readonly RouteMatch[]): Matcher {
  const named = new Map<string, PathTable>();
  const wildcards = new Map<string, PathTable>();
  const anyHost = emptyTable();
  for (const [route, match] of matches.entries()) {
    if (match.hosts === undefined) insert(anyHost, match, route);
    for (const host of match.hosts ?? []) {
      const table = host.startsWith('*.') ? tableFor(wildcards, host.slice(1)) : tableFor(named, host);
      insert(table, match, route);
    }
  }
  for (const table of [anyHost, ...named.values(), ...wildcards.values()]) sortCandidates(table);
  const usesHosts = named.size > 0 || wildcards.size > 0;
  return {
    usesHosts,
    match(host, path, method, fields) {
      if (usesHosts) {
        const exact = named.get(host);
        let found = exact === undefined ? NONE : matchPath(exact, path, method, fields);
        for (let dot = host.indexOf('.'); found === NONE && dot !== -1 && wildcards.size > 0; ) {
          const table = wildcards.get(host.slice(dot));
          if (table !== undefined) found = matchPath(table, path, method, fields);
          dot = host.indexOf('.', dot + 1);
        }
        if (found !== NONE) return found;
      }
      return matchPath(anyHost, path, method, fields);
    },
  };
}

function matchPath(table: PathTable, path: string, method: string, fields: FieldLookup): number {
  if (table.exact.size > 0) {
    const found = choose(table.exact.get(path), method, fields);
    if (found !== NONE) return found;
  }
  if (table.depth > 0) {
    const found = matchPrefix(table, path, method, fields);
    if (found !== NONE) return found;
  }
  return choose(table.prefix.get(''), method, fields);
}

/** Longest prefix first. Only as many slashes are looked at as the deepest prefix has, however long the path is. */
function matchPrefix(table: PathTable, path: string, method: string, fields: FieldLookup): number {
  let end = 0;
  let depth = 0;
  while (end !== path.length && depth < table.depth) {
    const slash = path.indexOf('/', end + 1);
    end = slash === -1 ? path.length : slash;
    depth++;
  }
  while (end > 0) {
    const found = choose(table.prefix.get(path.substring(0, end)), method, fields);
    if (found !== NONE) return found;
    end = path.lastIndexOf('/', end - 1);
  }
  return NONE;
}

function choose(candidates: readonly Candidate[] | undefined, method: string, fields: FieldLookup): number {
  if (candidates === undefined) return NONE;
  for (const candidate of candidates) {
    if (candidate.methods !== undefined && !candidate.methods.includes(method)) continue;
    if (candidate.isGrpc && fields.get('content-type')?.startsWith('application/grpc') !== true) continue;
    if (hasAll(candidate.headers, fields)) return candidate.route;
  }
  return NONE;
}

function hasAll(headers: readonly string[], fields: FieldLookup): boolean {
  for (let i = 0; i < headers.length; i += 2) {
    if (fields.get(headers[i] as string) !== headers[i + 1]) return false;
  }
  return true;
}

function emptyTable(): PathTable {
  return { exact: new Map(), prefix: new Map(), depth: 0 };
}

function tableFor(tables: Map<string, PathTable>, host: string): PathTable {
  let table = tables.get(host);
  if (table === undefined) {
    table = emptyTable();
    tables.set(host, table);
  }
  return table;
}

function insert(table: PathTable, match: RouteMatch, route: number): void {
  const headers = Object.entries(match.headers ?? {}).sort(([a], [b]) => compareTexts(a, b));
  const candidate = { route, methods: match.methods, headers: headers.flat(), isGrpc: match.grpc !== undefined };
  const path = pathOf(match);
  if (typeof path === 'string' && path.endsWith('/')) {
    const prefix = path.slice(0, -1);
    push(table.prefix, prefix, candidate);
    table.depth = Math.max(table.depth, prefix.split('/').length - 1);
  } else {
    push(table.exact, typeof path === 'string' ? path : path.exact, candidate);
  }
}

/** gRPC names a method by its path (gRPC over HTTP/2, "Requests"): `/service/method`. */
function pathOf(match: RouteMatch): string | { readonly exact: string } {
  if (match.grpc === undefined) return match.path ?? '/';
  const { service, method } = match.grpc;
  return method === undefined ? `/${service}/` : { exact: `/${service}/${method}` };
}

function push(map: Map<string, Candidate[]>, key: string, candidate: Candidate): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [candidate]);
  else list.push(candidate);
}

/** How much a route asks for beyond its host and path. */
function rank(candidate: Candidate): number {
  return (candidate.methods === undefined ? 0 : 1000) + (candidate.isGrpc ? 1 : 0) + candidate.headers.length;
}

function among(candidate: Candidate): number {
  return candidate.methods?.length ?? 0;
}

/**
 * What asks for more comes first. Where two ask for as much of different things, and a request has both, the order of the configuration
 * must not decide either: fewer methods first, then by their text.
 */
function sortCandidates(table: PathTable): void {
  for (const candidates of [...table.exact.values(), ...table.prefix.values()]) {
    candidates.sort(
      (a, b) => rank(b) - rank(a) || among(a) - among(b) || compareTexts(textOf(a), textOf(b)) || a.route - b.route,
    );
  }
}

/** What a candidate asks for, in an order of its own. */
function textOf({ methods = [], headers }: Candidate): string {
  return JSON.stringify([[...methods].sort(), headers]);
}

function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
