/** What holds between parts of the file. Each check takes what it needs of the raw value, so that one fault does not hide another. */

import { isIPv6 } from 'node:net';
import { didYouMean } from '../domain/did-you-mean.ts';
import { isLoopback, ListenAddress } from './address.ts';
import { Admin } from './admin.ts';
import { Match } from './match.ts';
import type { Finding, KeyPath } from './problem.ts';
import { list, mapping } from './raw.ts';

export function crossCheck(root: unknown): Finding[] {
  const { admin, listeners, backends, ramps, routes } = mapping(root);
  return [
    ...checkAddresses(mapping(admin), list(listeners)),
    ...checkTokens(list(mapping(admin).tokens)),
    ...checkProtocols(mapping(backends)),
    ...checkReferences(Object.keys(mapping(backends)), Object.keys(mapping(ramps)), list(routes)),
    ...checkRouteNames(list(routes)),
    ...checkMatches(list(routes)),
  ];
}

/** Without tokens only callers on this machine are trusted; and one address serves one purpose. */
function checkAddresses(admin: Readonly<Record<string, unknown>>, listeners: readonly unknown[]): Finding[] {
  const findings: Finding[] = [];
  const taken: { host: string; port: number; name: string }[] = [];
  const places: (readonly [KeyPath, unknown])[] = [
    ...listeners.map((listener, i) => [['listeners', i, 'address'], mapping(listener).address] as const),
    [['admin', 'address'], admin.address],
  ];
  for (const [path, written] of places) {
    const parsed = (path[0] === 'admin' ? Admin.shape.address : ListenAddress).safeParse(written);
    if (!parsed.success) continue;
    const { address, host, port } = parsed.data;
    const other = taken.find((earlier) => earlier.port === port && overlap(earlier.host, host));
    if (other !== undefined) {
      const how = other.host === host ? 'is already the address' : 'overlaps the address';
      findings.push({ path, message: `${address} ${how} of ${other.name}` });
    }
    // Port 0 is another free port each time.
    else if (port !== 0) taken.push({ host, port, name: `listeners[${path[1]}]` });
    if (path[0] === 'admin' && list(admin.tokens).length === 0 && !isLoopback(host)) {
      findings.push({
        path,
        message: `must be a loopback address, such as 127.0.0.1:9900, without tokens (got "${address}")`,
      });
    }
  }
  return findings;
}

/** Whether one port can not be opened on both hosts. All of IPv6 takes IPv4 along. */
function overlap(one: string, other: string): boolean {
  const hosts = [one, other].map((host) => (isIPv6(host) ? new URL(`http://[${host}]`).hostname : host));
  if (hosts[0] === hosts[1] || hosts.includes('[::]')) return true;
  return hosts.includes('0.0.0.0') && !hosts.some((host) => host.startsWith('['));
}

/** A name in the history is one caller, and a token one name. */
function checkTokens(tokens: readonly unknown[]): Finding[] {
  const names = tokens.map((token) => mapping(token).name);
  const hashes = tokens.map((token) => {
    const { sha256 } = mapping(token);
    return typeof sha256 === 'string' ? sha256.toLowerCase() : undefined;
  });
  return [
    ...findRepeated(names).map(([i, first, name]): Finding => {
      return {
        path: ['admin', 'tokens', i, 'name'],
        message: `"${name}" is already the name of admin.tokens[${first}]`,
      };
    }),
    // The hash is left unsaid.
    ...findRepeated(hashes).map(([i, first]): Finding => {
      return { path: ['admin', 'tokens', i, 'sha256'], message: `this is already the token of admin.tokens[${first}]` };
    }),
  ];
}

/** Texts that stand earlier as well: where, where first, and the text. */
function findRepeated(texts: readonly unknown[]): [index: number, first: number, text: string][] {
  const places = new Map<string, number>();
  return texts.flatMap((text, i): [number, number, string][] => {
    if (typeof text !== 'string') return [];
    const first = places.get(text);
    if (first !== undefined) return [[i, first, text]];
    places.set(text, i);
    return [];
  });
}

/** A backend chooses its protocol while the connection is secured. */
function checkProtocols(backends: Readonly<Record<string, unknown>>): Finding[] {
  return Object.entries(backends).flatMap(([name, backend]): Finding[] => {
    const { protocol, tls } = mapping(backend);
    if (protocol !== 'auto' || tls !== undefined) return [];
    const message = 'auto is chosen by ALPN, which needs tls; give it tls (such as tls: {}), or say http1 or h2';
    return [{ path: ['backends', name, 'protocol'], message }];
  });
}

/** Old, new and ramp name what there is. */
function checkReferences(backends: readonly string[], ramps: readonly string[], routes: readonly unknown[]): Finding[] {
  const findings: Finding[] = [];
  const knownBackends = new Set(backends);
  const knownRamps = new Set(ramps);
  for (const [i, raw] of routes.entries()) {
    const route = mapping(raw);
    const check = (key: string, kind: string, known: ReadonlySet<string>, names: readonly string[]) => {
      const name = route[key];
      if (typeof name !== 'string' || known.has(name)) return;
      const message = `there is no ${kind} ${JSON.stringify(name)}${didYouMean(name, names)}`;
      findings.push({ path: ['routes', i, key], message });
    };
    check('old', 'backend', knownBackends, backends);
    check('new', 'backend', knownBackends, backends);
    check('ramp', 'ramp', knownRamps, ramps);
  }
  return findings;
}

/** Such a route can be served: its new side may not be there yet. But its weight says nothing. */
export function warnOfSameBackends(root: unknown): Finding[] {
  return list(mapping(root).routes).flatMap((raw, i): Finding[] => {
    const { old, new: target } = mapping(raw);
    if (typeof old !== 'string' || old !== target) return [];
    return [{ path: ['routes', i, 'new'], message: `"${old}" is also old: whatever the weight, nothing moves` }];
  });
}

function checkRouteNames(routes: readonly unknown[]): Finding[] {
  return findRepeated(routes.map((route) => mapping(route).name)).map(([i, first, name]) => {
    return { path: ['routes', i, 'name'], message: `"${name}" is already the name of routes[${first}]` };
  });
}

/** The order of routes never matters, so that two of them must not take the same requests. */
function checkMatches(routes: readonly unknown[]): Finding[] {
  const findings: Finding[] = [];
  const taken = new Map<string, number>();
  for (const [i, raw] of routes.entries()) {
    const match = Match.safeParse(mapping(raw).match);
    if (!match.success) continue;
    const keys = requestsOf(match.data);
    const other = keys.map((key) => taken.get(key)).find((index) => index !== undefined);
    for (const key of keys) if (!taken.has(key)) taken.set(key, i);
    if (other === undefined) continue;
    const names = [routes[other], raw].map((route) => JSON.stringify(mapping(route).name ?? '')).join(' and ');
    findings.push({
      path: ['routes', i, 'match'],
      message: `routes ${names} match the same requests and neither is more specific`,
    });
  }
  return findings;
}

/** One text for each kind of request that a match is equally specific about; two routes that share one cannot be told apart. */
function requestsOf(match: Match): string[] {
  const headers = Object.entries(match.headers ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const path = pathOf(match);
  return [...new Set(match.hosts ?? ['*'])].flatMap((host) =>
    [...new Set(match.methods ?? ['*'])].map((method) => JSON.stringify([host, path, method, headers])),
  );
}

/** A path without a slash at its end is exact, however it is written; gRPC's are made of service and method. */
function pathOf({ path, grpc }: Match): string {
  if (grpc !== undefined) return grpc.method === undefined ? `/${grpc.service}/` : `/${grpc.service}/${grpc.method}`;
  if (typeof path === 'object') return path.exact.endsWith('/') ? `exact ${path.exact}` : path.exact;
  return path ?? '/';
}
