import { describe, expect, test } from 'vitest';
import type { RoutePosition, Verb } from '../../src/domain/state.ts';
import { withNewTests, withTest } from '../../src/domain/test-since.ts';

const at = (weightPpm: number, testSince?: number): RoutePosition => ({
  weightPpm,
  cutover: 'steady',
  frozen: false,
  ...(testSince !== undefined && { testSince }),
});
const NOW = 1_700_000_000_500;
const SECONDS = 1_700_000_000;

describe('when a test begins', () => {
  test.each<[string, RoutePosition | null, RoutePosition, Verb, number | undefined]>([
    ['a route that starts at 0 has none', null, at(0), 'init', undefined],
    ['a route that starts above 0 has one', null, at(1), 'init', SECONDS],
    ['leaving 0', at(0, 5), at(1), 'set', SECONDS],
    ['a raise within it goes on', at(1, 5), at(2), 'set', 5],
    ['a rollback keeps its name', at(1, 5), at(0), 'rollback', 5],
    ['resume', at(1, 5), at(1), 'resume', SECONDS],
    ['undo never brings an older one back', at(2, 7), at(1, 5), 'undo', 7],
    ['undo from 0 begins a new one', at(0, 7), at(1, 5), 'undo', SECONDS],
    ['a clock that was set back', at(0, SECONDS + 9), at(1), 'set', SECONDS + 10],
  ])('%s', (_, before, next, verb, since) => {
    expect(withTest(before, next, verb, NOW)).toEqual(at(next.weightPpm, since));
  });

  test('adopting begins all anew that are above 0', () => {
    const route = { revision: 3, reason: '', actor: '', at: 0 };
    const routes = new Map([
      ['a', { ...route, ...at(5, 9) }],
      ['b', { ...route, ...at(0) }],
    ]);
    const state = withNewTests({ epoch: 'e', revision: 3, routes }, NOW);
    expect([...state.routes.values()].map(({ testSince }) => testSince)).toEqual([SECONDS, undefined]);
  });
});
