/** What is kept of views: never stale, and the same object for as long as it says the same. */
import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Applied } from '../../src/control/applied.ts';
import type { RouteView } from '../../src/control/control.ts';
import type { LeftEndpoint, UnwellEndpoint } from '../../src/control/endpoint-health.ts';
import type { Opinion } from '../../src/control/opinion.ts';
import type { Plan } from '../../src/control/plan.ts';
import { Recorder } from '../../src/control/recorder.ts';
import { Views, type ViewsOptions } from '../../src/control/views.ts';
import { AT_REQUESTS, cellsOf } from '../../src/domain/counts.ts';
import type { Obstacles } from '../../src/domain/ramp-move.ts';
import type { Endpoint } from '../../src/domain/snapshot.ts';
import type { RouteState } from '../../src/domain/state.ts';
import type { StoreHealth } from '../../src/store/store.ts';
import { sized } from '../size.ts';
import { planOf, routeSpec, routeState } from './plans.ts';

const NAMES = ['search', 'cart', 'playlist'] as const;
const NOTHING: Opinion = {
  verdict: 'inconclusive',
  value: 0,
  threshold: 1_000,
  log10: 0,
  reason: 'nothing has been counted yet',
  newRequests: 0,
};

/** All that views are made from, as it may be at any time. */
class World {
  plan: Plan = planOf(NAMES);
  readonly applied = new Applied();
  readonly recorder = new Recorder();
  routes = new Map<string, RouteState>(NAMES.map((name) => [name, routeState(10_000)]));
  health: StoreHealth = { up: true };
  isDisputed = false;
  now = 1_000_000;
  readonly opinions = new Map<string, Opinion>();
  obstacles: Obstacles | null = null;
  endpoints: Endpoint[][] = [[{ host: '10.0.0.1', port: 80 }], [{ host: 'fd00::1', port: 81 }]];
  unwell: UnwellEndpoint[][] = [[], []];
  left: LeftEndpoint[][] = [[], []];

  constructor() {
    this.recorder.table(1, NAMES);
    this.applied.serve(7, 0);
  }

  count(row: number, requests: number): void {
    const cells = Uint32Array.of(cellsOf(row, 1) + AT_REQUESTS + 2);
    const values = Float64Array.of(requests);
    this.recorder.add(1, { kind: 'counts', generation: 1, flush: 0, cells, values, connections: [] });
  }
}

function optionsOf(world: World): ViewsOptions {
  return {
    supervisor: {
      get plan() {
        return world.plan;
      },
      applied: world.applied,
      recorder: world.recorder,
      workers: () => [],
      backends: {
        endpoints: (backend) => world.endpoints[backend] ?? [],
        unwell: (backend) => world.unwell[backend] ?? [],
        leftEndpoints: (backend) => world.left[backend] ?? [],
      },
    },
    keeper: {
      state: undefined,
      get health() {
        return world.health;
      },
      get isDisputed() {
        return world.isDisputed;
      },
      now: () => world.now,
      ageMs: () => 0,
    },
    local: {
      get served() {
        return { epoch: 'e', revision: 7, routes: world.routes };
      },
    },
    judge: { opinion: (name) => world.opinions.get(name) ?? NOTHING },
    obstacles: () => world.obstacles,
  };
}

type Change = (world: World) => void;

const name = fc.constantFrom(...NAMES);
const side = fc.constantFrom(0, 1);
const host = fc.constantFrom('10.0.0.1', '10.0.0.2', 'fd00::1');
const endpoint = fc.record({ host, port: fc.constantFrom(80, 81) });
const words = fc.constantFrom('', 'one', 'another');
const steps = fc.constantFrom([
  { weightPpm: 10_000, holdMs: 1_000, gate: null },
  { weightPpm: 500_000, holdMs: 0, gate: { kind: 'newRequests' as const, newRequests: 100 } },
]);
const ramp = fc.record({ steps, step: fc.constantFrom(0, 1), since: fc.constantFrom(999_500, 1_000_000) });
const state = fc
  .record({
    revision: fc.integer({ min: 1, max: 12 }),
    weightPpm: fc.constantFrom(0, 10_000, 500_000),
    cutover: fc.constantFrom('steady' as const, 'ramping' as const, 'held' as const, 'rolledBack' as const),
    frozen: fc.boolean(),
    reason: words,
    ramp: fc.option(ramp, { nil: undefined, freq: 2 }),
  })
  .map(({ ramp: under, ...rest }) => routeState(0, { ...rest, ...(under === undefined ? {} : { ramp: under }) }));
const opinion = fc.record({
  verdict: fc.constantFrom('healthy' as const, 'inconclusive' as const, 'breach' as const),
  value: fc.constantFrom(0, 1.5),
  threshold: fc.constantFrom(1_000, 2_000),
  log10: fc.constant(0),
  reason: words,
  newRequests: fc.constantFrom(0, 100),
});
const unwell = fc.record({
  endpoint,
  key: fc.constant('k'),
  state: fc.constantFrom('unhealthy' as const, 'ejected' as const),
  reason: words,
  since: fc.constantFrom(1, 2),
});
const health = fc.oneof(
  fc.constant<StoreHealth>({ up: true }),
  fc.record({ up: fc.constant(false as const), since: fc.constant(1), reason: words }),
);
const plan = fc.constantFrom(
  planOf(NAMES),
  planOf(['cart', 'search']),
  planOf([], {
    routes: planOf(NAMES).routes.map((route) => ({ ...route, spec: routeSpec(route.spec.name, { old: 1, new: 0 }) })),
  }),
  planOf(NAMES, { backends: planOf([]).backends.toReversed() }),
);
const set =
  <K extends 'health' | 'isDisputed' | 'obstacles' | 'plan'>(key: K) =>
  (value: World[K]): Change =>
  (world) => {
    world[key] = value;
  };
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(name, state).map(
    ([route, next]): Change =>
      ({ routes }) =>
        void routes.set(route, next),
  ),
  name.map(
    (route): Change =>
      ({ routes }) =>
        void routes.delete(route),
  ),
  // As from a store that is read as a whole.
  fc.constant<Change>((world) => {
    world.routes = structuredClone(world.routes);
  }),
  { weight: 3, arbitrary: health.map(set('health')) },
  fc.boolean().map(set('isDisputed')),
  fc.option(fc.record({ endpoints: fc.option(words), capacity: fc.option(words) })).map(set('obstacles')),
  plan.map(set('plan')),
  fc.tuple(name, opinion).map(
    ([route, next]): Change =>
      ({ opinions }) =>
        void opinions.set(route, next),
  ),
  fc.tuple(side, fc.array(endpoint, { maxLength: 2 })).map(
    ([at, next]): Change =>
      (world) => {
        world.endpoints[at] = next;
      },
  ),
  fc.tuple(side, fc.array(unwell, { maxLength: 2 })).map(
    ([at, next]): Change =>
      (world) => {
        world.unwell[at] = next;
      },
  ),
  fc.tuple(side, fc.array(fc.record({ endpoint, since: fc.constant(1) }), { maxLength: 1 })).map(
    ([at, next]): Change =>
      (world) => {
        world.left[at] = next;
      },
  ),
  fc.integer({ min: -1, max: 12 }).map(
    (revision): Change =>
      ({ applied, now }) =>
        applied.serve(revision, now),
  ),
  fc.array(fc.integer({ min: -1, max: 12 }), { maxLength: 2 }).map(
    (revisions): Change =>
      ({ applied, now }) =>
        applied.follow(revisions, now),
  ),
  fc.constantFrom(1, 600, 5_000).map(
    (ms): Change =>
      (world) => {
        world.now += ms;
      },
  ),
  fc.tuple(fc.constantFrom(0, 1, 2), fc.integer({ min: 1, max: 9 })).map(
    ([row, requests]): Change =>
      (world) =>
        world.count(row, requests),
  ),
);

test('a view that is kept says what one made anew would, and is another object only when it says something else', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60, size: 'max' }), (changes) => {
      const world = new World();
      const views = new Views(optionsOf(world));
      const kept = new Map<string, { readonly standing: RouteView; readonly text: string }>();
      for (const happen of [() => {}, ...changes]) {
        happen(world);
        const glances = views.glances();
        expect(glances).toEqual(new Views(optionsOf(world)).glances());
        expect(views.routes()).toEqual(new Views(optionsOf(world)).routes());
        for (const [route, { standing, text }] of kept) {
          expect(JSON.stringify(standing)).toBe(text);
          const now = glances.find((glance) => glance.standing.name === route)?.standing;
          if (now === undefined) kept.delete(route);
          else expect(now === standing).toBe(isDeepStrictEqual(now, standing));
        }
        for (const { standing } of glances) kept.set(standing.name, { standing, text: JSON.stringify(standing) });
      }
    }),
    { numRuns: sized(1_000, 60) },
  );
});

test('what a request changes is in the whole view, and not in what is kept', () => {
  const world = new World();
  const views = new Views(optionsOf(world));
  const before = views.glances();
  world.count(0, 5);
  world.opinions.set('search', { ...NOTHING, value: 0.5, reason: 'new 0 of 5 failed' });
  const after = views.glances();
  expect(after.map(({ standing }, i) => standing === before[i]?.standing)).toEqual([true, true, true]);
  expect(after[0]?.evidence).toMatchObject({ value: 0.5, reason: 'new 0 of 5 failed' });
  expect(views.route('search')).toEqual({
    ...after[0]?.standing,
    new: { ...after[0]?.standing.new, requests: 5, faults: 0 },
    evidence: after[0]?.evidence,
  });
});
