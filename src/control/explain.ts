/** Why a request would go where, by the same matching and splitting that workers serve by. */
import { compileMatcher } from '../domain/match.ts';
import { normalisePath } from '../domain/path.ts';
import { PPM, ppmToPercent, type RouteMatch, type RouteSpec, SIDES, type StickySource } from '../domain/route.ts';
import { bucketOf, saltPrefix, sideOfBucket, utf8Bytes } from '../domain/split.ts';
import type { State } from '../domain/state.ts';
import type { ExplainRequest, ExplainView } from './control.ts';
import type { Plan } from './plan.ts';

interface Key {
  readonly source: string;
  readonly value: string;
}

interface Target {
  readonly host: string;
  readonly path: string;
}

export function explainRequest(plan: Plan, state: State | undefined, request: ExplainRequest): ExplainView {
  const fields = new Map<string, string>();
  for (const [name, value] of request.headers) if (!fields.has(name)) fields.set(name, value);
  const { host, path } = readTarget(request.url, fields.get('host') ?? '');
  const matcher = compileMatcher(plan.routes.map(({ spec }) => spec.match));
  const route = plan.routes[matcher.match(host, path, request.method, fields)]?.spec;
  if (route === undefined) return noRoute(`${request.method} ${host}${path}`);

  const weightPpm = state?.routes.get(route.name)?.weightPpm ?? 0;
  const key = keyOf(route.sticky, fields, request.address);
  const bucket = key === null ? null : bucketOf(saltPrefix(route.salt), utf8Bytes(key.value));
  const side = sideOf(bucket, weightPpm);
  return {
    route: route.name,
    match: describeMatch(route.match),
    key,
    bucket,
    weight: ppmToPercent(weightPpm),
    side,
    backend: side === null ? null : (plan.backends[route[side]]?.spec.name ?? null),
    sentence: sentence(route, key, bucket, weightPpm),
  };
}

function noRoute(request: string): ExplainView {
  const nothing = { route: null, key: null, bucket: null, weight: null, side: null, backend: null };
  return { ...nothing, match: 'no route', sentence: `No route matches ${request}; the proxy answers 404` };
}

/** @param url absolute, or only a path */
function readTarget(url: string, hostHeader: string): Target {
  const parts = /^(?:[a-z][a-z0-9+.-]*:\/\/([^/?#]*))?([^?#]*)/i.exec(url);
  const authority = (parts?.[1] ?? hostHeader).toLowerCase();
  const path = parts?.[2] ?? '';
  return { host: authority.replace(/:\d*$/, ''), path: normalisePath(path === '' ? '/' : path) };
}

function keyOf(sources: readonly StickySource[], fields: ReadonlyMap<string, string>, address?: string): Key | null {
  for (const source of sources) {
    const key = keyFrom(source, fields, address);
    if (key !== null && key.value !== '') return key;
    // Without the client's address nothing further may be asked: a real request always has one.
    if (source.kind === 'address') return null;
  }
  return null;
}

function keyFrom(source: StickySource, fields: ReadonlyMap<string, string>, address = ''): Key | null {
  switch (source.kind) {
    case 'header':
      return { source: `header ${source.name}`, value: fields.get(source.name) ?? '' };
    case 'cookie':
      return { source: `cookie ${source.name}`, value: cookie(fields, source.name) };
    case 'address':
      return { source: 'client address', value: address };
    case 'generate':
      return { source: 'cookie crossfade', value: cookie(fields, 'crossfade') };
  }
}

function cookie(fields: ReadonlyMap<string, string>, name: string): string {
  for (const pair of fields.get('cookie')?.split(';') ?? []) {
    const equals = pair.indexOf('=');
    if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
  }
  return '';
}

function sideOf(bucket: number | null, weightPpm: number): 'old' | 'new' | null {
  if (weightPpm === 0) return 'old';
  if (weightPpm === PPM) return 'new';
  return bucket === null ? null : SIDES[sideOfBucket(bucket, weightPpm)];
}

function describeMatch(match: RouteMatch): string {
  const parts: string[] = [];
  if (match.hosts !== undefined) parts.push(`host ${match.hosts.join(' or ')}`);
  if (match.grpc !== undefined)
    parts.push(`gRPC ${match.grpc.service}${match.grpc.method ? `/${match.grpc.method}` : ''}`);
  if (typeof match.path === 'object') parts.push(`path exactly ${match.path.exact}`);
  else if (match.path !== undefined) parts.push(`path ${match.path}`);
  if (match.methods !== undefined) parts.push(`method ${match.methods.join(' or ')}`);
  for (const [name, value] of Object.entries(match.headers ?? {})) parts.push(`header ${name}: ${value}`);
  return parts.length === 0 ? 'every request' : parts.join(', ');
}

function sentence({ name, sticky }: RouteSpec, key: Key | null, bucket: number | null, weightPpm: number): string {
  const percent = `${ppmToPercent(weightPpm)}%`;
  if (weightPpm === 0 || weightPpm === PPM) {
    return `Route ${name} is at ${percent}: every request goes to ${weightPpm === 0 ? 'old' : 'new'}`;
  }
  if (key !== null && bucket !== null) {
    const [relation, side] = bucket < weightPpm ? ['below', 'new'] : ['not below', 'old'];
    return `The ${key.source} "${key.value}" falls into bucket ${bucket} of ${PPM}, ${relation} ${weightPpm} (${percent}): ${side}`;
  }
  if (sticky.some(({ kind }) => kind === 'address')) {
    return `Route ${name} is at ${percent} and goes by the client's address here, which was not given`;
  }
  return `Route ${name} is at ${percent}, and the request has no key: each such request is drawn afresh`;
}
