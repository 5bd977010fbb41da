import { describe, expect, test } from 'vitest';
import type { ExplainRequest } from '../../src/control/control.ts';
import { explainRequest } from '../../src/control/explain.ts';
import type { StickySource } from '../../src/domain/route.ts';
import { bucketOf, saltPrefix } from '../../src/domain/split.ts';
import { JUDGE, planOf, routeSpec, stateOf } from './plans.ts';

function explain(sticky: readonly StickySource[], weightPpm: number, request: Partial<ExplainRequest> = {}) {
  const spec = routeSpec('search', {
    sticky,
    match: { hosts: ['api.example.com'], path: '/search/', methods: ['GET'] },
  });
  const plan = planOf([], { routes: [{ spec, weightPpm: 0, judge: JUDGE, ramp: null }] });
  const url = 'http://API.example.com:8080/search/x?q=1';
  return explainRequest(plan, stateOf(1, { search: weightPpm }), { url, method: 'GET', headers: [], ...request });
}

const BY_USER: StickySource[] = [
  { kind: 'header', name: 'x-user-id' },
  { kind: 'cookie', name: 'uid' },
];

describe('the route', () => {
  test('is found by host without port, path without query, and method', () => {
    const { route, match } = explain([], 0);
    expect(route).toBe('search');
    expect(match).toBe('host api.example.com, path /search/, method GET');
  });

  test('is found by the Host header when the URL is only a path', () => {
    const headers: [string, string][] = [['host', 'api.example.com']];
    expect(explain([], 0, { url: '/search/', headers }).route).toBe('search');
    expect(explain([], 0, { url: '/search/' }).route).toBeNull();
  });

  test('is none for another method, and it says what is answered', () => {
    const { route, side, sentence } = explain([], 0, { method: 'POST' });
    expect([route, side]).toEqual([null, null]);
    expect(sentence).toContain('404');
  });
});

describe('the side', () => {
  test('follows from the bucket of the first key that the request has', () => {
    const headers: [string, string][] = [['cookie', 'a=b; uid=42']];
    const bucket = bucketOf(saltPrefix('search'), '42');
    const below = explain(BY_USER, bucket, { headers });
    expect(below.key).toEqual({ source: 'cookie uid', value: '42' });
    expect([below.bucket, below.side, below.backend]).toEqual([bucket, 'old', 'old']);
    const above = explain(BY_USER, bucket + 1, { headers });
    expect([above.bucket, above.side, above.backend]).toEqual([bucket, 'new', 'new']);
  });

  test('is drawn when there is no key', () => {
    const { key, side, backend, sentence } = explain(BY_USER, 500_000);
    expect([key, side, backend]).toEqual([null, null, null]);
    expect(sentence).toContain('drawn');
  });

  test.each([
    [0, 'old'],
    [1_000_000, 'new'],
  ] as const)('at %i parts per million is %s for everybody', (weightPpm, side) => {
    expect(explain(BY_USER, weightPpm).side).toBe(side);
  });

  test('is open when it goes by an address that was not given', () => {
    const sources: StickySource[] = [{ kind: 'address' }, { kind: 'generate' }];
    const headers: [string, string][] = [['cookie', 'crossfade=abc']];
    expect(explain(sources, 500_000, { headers })).toMatchObject({ key: null, side: null });
    expect(explain(sources, 500_000, { address: '10.0.0.9' }).key).toEqual({
      source: 'client address',
      value: '10.0.0.9',
    });
  });
});
