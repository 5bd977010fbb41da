import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileMatcher } from '../../src/domain/match.ts';
import type { RouteMatch } from '../../src/domain/route.ts';
import { FlatFields } from '../../src/fields.ts';

interface Asked {
  readonly host?: string;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Index of the route that a request is matched to, or -1. */
function find(routes: readonly RouteMatch[], asked: Asked): number {
  const { host = 'a.example.com', path = '/', method = 'GET', headers = {} } = asked;
  return compileMatcher(routes).match(host, path, method, new FlatFields(Object.entries(headers).flat()));
}

describe('a path', () => {
  test.each<[string, RouteMatch['path'], string, boolean]>([
    ['with a slash at its end takes itself', '/x/', '/x', true],
    ['with a slash at its end takes itself with the slash', '/x/', '/x/', true],
    ['with a slash at its end takes all below it', '/x/', '/x/y/z', true],
    ['with a slash at its end takes no name that only begins alike', '/x/', '/xy', false],
    ['takes only itself', '/x', '/x', true],
    ['without a slash at its end takes nothing below', '/x', '/x/', false],
    ['/ takes everything', '/', '/any/thing', true],
    ['that is absent takes everything', undefined, '/any/thing', true],
    ['{ exact: / } takes the root', { exact: '/' }, '/', true],
    ['{ exact: / } takes nothing else', { exact: '/' }, '/x', false],
    ['{ exact: /x/ } takes itself', { exact: '/x/' }, '/x/', true],
    ['{ exact: /x/ } takes nothing below', { exact: '/x/' }, '/x/y', false],
    ['is compared with its case', '/X/', '/x/y', false],
    ['with an empty segment is another path', '/x/y/', '/x//y/', false],
  ])('%s', (_name, path, asked, isTaken) => {
    expect(find([path === undefined ? {} : { path }], { path: asked })).toBe(isTaken ? 0 : -1);
  });
});

describe('a host', () => {
  test.each([
    ['is taken by its name', 'a.example.com', 'a.example.com', true],
    ['is not taken by another name', 'b.example.com', 'a.example.com', false],
    ['is taken by a wildcard for one label', '*.example.com', 'a.example.com', true],
    ['is taken by a wildcard for two labels', '*.example.com', 'a.b.example.com', true],
    ['is not taken by a wildcard for none', '*.example.com', 'example.com', false],
    ['is not taken by a wildcard that only ends alike', '*.example.com', 'a.badexample.com', false],
    ['that is unknown is taken by no name', 'a.example.com', '', false],
  ])('%s', (_name, pattern, host, isTaken) => {
    expect(find([{ hosts: [pattern] }], { host })).toBe(isTaken ? 0 : -1);
  });
});

test('methods are compared with their case, and headers by the whole of their value', () => {
  expect(find([{ methods: ['GET'] }], { method: 'get' })).toBe(-1);
  expect(find([{ headers: { 'x-tier': 'gold' } }], { headers: { 'X-Tier': 'gold' } })).toBe(0);
  expect(find([{ headers: { 'x-tier': 'gold' } }], { headers: { 'x-tier': 'golden' } })).toBe(-1);
  expect(find([{ headers: { 'x-tier': 'gold' } }], {})).toBe(-1);
});

test('a gRPC service takes its methods, and a method itself', () => {
  const routes: RouteMatch[] = [
    { grpc: { service: 'p.v1.Lists' } },
    { grpc: { service: 'p.v1.Lists', method: 'Get' } },
    {},
  ];
  const paths = ['/p.v1.Lists/Get', '/p.v1.Lists/Put', '/p.v1.ListsAdmin/Get'];
  const headers = { 'content-type': 'application/grpc+proto' };
  expect(paths.map((path) => find(routes, { path, headers }))).toEqual([1, 0, 2]);
  expect(paths.map((path) => find(routes, { path }))).toEqual([2, 2, 2]);
});

test('what the more specific route does not take goes to the next', () => {
  const routes: RouteMatch[] = [
    { hosts: ['a.example.com'], path: '/x/y/', methods: ['POST'] },
    { hosts: ['a.example.com'], path: '/x/' },
    { hosts: ['*.example.com'], path: '/z' },
    { path: '/' },
  ];
  expect(find(routes, { path: '/x/y/', method: 'POST' })).toBe(0);
  expect(find(routes, { path: '/x/y/', method: 'GET' })).toBe(1);
  expect(find(routes, { path: '/z' })).toBe(2);
  expect(find(routes, { path: '/w' })).toBe(3);
});

const HOSTS = ['a.example.com', 'b.a.example.com', 'example.com', '*.example.com', '*.a.example.com', '*.com'];
const PATHS = ['/', '/x', '/x/', '/x/y/', '/x/y', '/z/'];
const optional = <T>(key: string, value: fc.Arbitrary<T>) =>
  fc.option(
    value.map((given) => ({ [key]: given })),
    { nil: {} },
  );

const match: fc.Arbitrary<RouteMatch> = fc
  .tuple(
    optional('hosts', fc.uniqueArray(fc.constantFrom(...HOSTS), { minLength: 1, maxLength: 2 })),
    optional(
      'path',
      fc.oneof(
        fc.constantFrom(...PATHS),
        fc.constantFrom(...PATHS).map((exact) => ({ exact })),
      ),
    ),
    optional('methods', fc.uniqueArray(fc.constantFrom('GET', 'POST'), { minLength: 1, maxLength: 2 })),
    optional(
      'headers',
      fc.dictionary(fc.constantFrom('x-a', 'x-b'), fc.constantFrom('1', '2'), { minKeys: 1, maxKeys: 2 }),
    ),
  )
  .map((parts) => Object.assign({}, ...parts) as RouteMatch);

const asked: fc.Arbitrary<Asked> = fc.record({
  host: fc.constantFrom('a.example.com', 'b.a.example.com', 'c.example.com', 'example.com', 'example.org', ''),
  path: fc.constantFrom('/', '/x', '/x/', '/x/y', '/x/y/', '/x/y/w', '/x/w', '/z', '/xy'),
  method: fc.constantFrom('GET', 'POST', 'PUT'),
  headers: fc.dictionary(fc.constantFrom('x-a', 'x-b'), fc.constantFrom('1', '2')),
});

/** How specific a route is for a request, part by part in the order of their importance; null when it does not take it. */
function specificity({ hosts, path = '/', methods, headers = {} }: RouteMatch, request: Asked): number[] | null {
  const { host = '', path: given = '', method = '' } = request;
  const hostRanks = (hosts ?? ['']).map((pattern) => {
    if (pattern === '') return 0;
    if (!pattern.startsWith('*.')) return pattern === host ? 1000 : -1;
    return host.length > pattern.length - 1 && host.endsWith(pattern.slice(1)) ? pattern.split('.').length : -1;
  });
  const isPrefix = typeof path === 'string' && path.endsWith('/');
  const exact = typeof path === 'string' ? path : path.exact;
  const fits = isPrefix ? `${given}/`.startsWith(exact) : given === exact;
  const fields = Object.entries(headers);
  const hasAll = fields.every(([name, value]) => request.headers?.[name] === value);
  const hostRank = Math.max(...hostRanks);
  if (hostRank === -1 || !fits || !hasAll || methods?.includes(method) === false) return null;
  return [hostRank, isPrefix ? exact.length : 1000, methods === undefined ? 0 : 1, fields.length];
}

function compare(a: readonly number[], b: readonly number[]): number {
  return a.map((rank, i) => rank - (b[i] as number)).find((difference) => difference !== 0) ?? 0;
}

test('the most specific of the routes that take a request is found, and none when none takes it', () => {
  fc.assert(
    fc.property(fc.array(match, { maxLength: 12 }), asked, (routes, request) => {
      const found = find(routes, request);
      const ranks = routes.map((route) => specificity(route, request));
      const best = ranks
        .filter((rank) => rank !== null)
        .sort(compare)
        .at(-1);
      if (best === undefined) expect(found).toBe(-1);
      else expect(ranks[found]).toEqual(best);
    }),
    { numRuns: 2000 },
  );
});

/** Two routes with the same identity take the same requests, which the configuration refuses. */
function identity({ hosts, path, methods, headers }: RouteMatch): string {
  const sorted = Object.entries(headers ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([hosts, typeof path === 'object' ? path.exact : (path ?? '/'), methods?.toSorted(), sorted]);
}

test('the order of the routes never matters, for routes too of which none is more specific', () => {
  const shuffled = fc
    .uniqueArray(
      match.filter(({ hosts }) => hosts?.length !== 2),
      { minLength: 2, maxLength: 8, selector: identity },
    )
    .chain((routes) => fc.tuple(fc.constant(routes), fc.shuffledSubarray([...routes], { minLength: routes.length })));
  fc.assert(
    fc.property(shuffled, asked, ([routes, other], request) => {
      expect(other[find(other, request)]).toBe(routes[find(routes, request)]);
    }),
    { numRuns: 3000 },
  );
});
