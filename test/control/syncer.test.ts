import { serialize } from 'node:v8';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { allWeights, changedWeights, indexRoutes, tableMessage } from '../../src/control/syncer.ts';
import { createSnapshot, withWeights } from '../../src/domain/snapshot.ts';
import type { State } from '../../src/domain/state.ts';
import { planOf, stateOf } from './plans.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e'];
/** Some of the configured routes, and some that only the store knows. */
const weights = fc.dictionary(fc.constantFrom(...NAMES, 'elsewhere', 'gone'), fc.integer({ min: 0, max: 1_000_000 }));
const states = fc
  .array(weights, { minLength: 1, maxLength: 8 })
  .map((list) => list.map((entry, i) => stateOf(i, entry)));

const KEYS = new Uint8Array(48);
const table = tableMessage(planOf(NAMES), 3, KEYS);
const index = indexRoutes(table);

/** What a worker serves that was told everything at the first state and patches from then on. */
function followed(all: readonly State[]): { revision: number; weights: number[] } {
  const [first, ...rest] = all as [State, ...State[]];
  const start = allWeights(index, first);
  let snapshot = withWeights(createSnapshot(3, table.routes, 2), start.revision, start.weights);
  let before = first;
  for (const state of rest) {
    const patch = changedWeights(index, before, state);
    snapshot = withWeights(snapshot, patch.revision, patch.weights);
    before = state;
  }
  return { revision: snapshot.revision, weights: [...snapshot.weightsPpm] };
}

describe('weights', () => {
  test('patches lead to the same place as being told everything', () => {
    fc.assert(
      fc.property(states, (all) => {
        expect(followed(all)).toEqual(followed([all.at(-1) as State]));
      }),
    );
  });

  test('of 10,000 routes one change ships a few bytes', () => {
    const names = Array.from({ length: 10_000 }, (_, i) => `route-${i}`);
    const many = indexRoutes(tableMessage(planOf(names), 1, KEYS));
    const before = stateOf(1, Object.fromEntries(names.map((name) => [name, 10])));
    const routes = new Map(before.routes);
    routes.set('route-777', { ...stateOf(2, { x: 20 }).routes.get('x'), revision: 2 } as never);
    const patch = changedWeights(many, before, { epoch: 'e', revision: 2, routes });
    expect(patch.weights).toEqual([[777, 20, 0]]);
    expect(serialize(patch).byteLength).toBeLessThan(200);
  });

  test('a change without a new weight is still announced, for it has to be acknowledged', () => {
    expect(changedWeights(index, stateOf(1, { a: 5 }), stateOf(2, { a: 5 }))).toEqual({
      kind: 'weights',
      generation: 3,
      revision: 2,
      held: [],
      weights: [],
    });
  });

  test('a hold is told even when the weight stays, since nothing may then be rescued by the new side', () => {
    const before = stateOf(1, { a: 5 });
    const routes = new Map([['a', { ...before.routes.get('a'), cutover: 'held' } as never]]);
    const patch = changedWeights(index, before, { epoch: 'e', revision: 2, routes });
    expect(patch).toMatchObject({ held: [0], weights: [[0, 5, 0]] });
  });
});

test('the limit of connections is shared among the workers, and never falls to none', () => {
  const limits = { ...planOf([]).limits, connections: 10 };
  expect(tableMessage(planOf([], { limits, workers: 4 }), 1, KEYS).limits.connections).toBe(3);
  expect(tableMessage(planOf([], { limits, workers: 40 }), 1, KEYS).limits.connections).toBe(1);
});
