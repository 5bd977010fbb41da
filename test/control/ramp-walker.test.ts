/** Ramps walked by a replica that sees what stands in their way: what becomes of it in the store, and what it waits for. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Events } from '../../src/control/events.ts';
import { KnownBackends } from '../../src/control/known-backends.ts';
import { type ObstacleSource, obstaclesOf } from '../../src/control/obstacles.ts';
import type { Opinion } from '../../src/control/opinion.ts';
import { RampWalker } from '../../src/control/ramp-walker.ts';
import type { StateKeeper } from '../../src/control/state-keeper.ts';
import { Verbs } from '../../src/control/verbs.ts';
import { Writer } from '../../src/control/writer.ts';
import type { RouteState } from '../../src/domain/state.ts';
import { keeperOf } from './keepers.ts';
import { MemoryStore } from './memory-store.ts';
import { planOf } from './plans.ts';

const HEALTHY: Opinion = {
  verdict: 'healthy',
  value: 1,
  threshold: 1_000,
  log10: 0,
  reason: 'new 0 of 200 failed',
  newRequests: 200,
};
const STEPS = [100, 200, 300].map((weightPpm) => ({ weightPpm, holdMs: 1_000, gate: null }));
const plan = planOf(['a']);

let store: MemoryStore;
let keeper: StateKeeper;
let walker: RampWalker;
let verbs: Verbs;
let now: number;
let problem: { old: string | null; new: string | null };
let unsynced: string[];
/** Parts per million that the new side can carry. */
let most: number;

const capacity = (_: string, weightPpm: number): string | null => (weightPpm > most ? `At most ${most}` : null);

let source: ObstacleSource;

beforeEach(async () => {
  source = { plan, unsynced: () => unsynced, sideProblem: (_, side) => problem[side], capacity };
  store = new MemoryStore();
  now = 1_000_000;
  store.clock = () => now;
  problem = { old: null, new: null };
  unsynced = [];
  most = 1_000_000;
  store.set('a', 0);
  keeper = keeperOf(store, () => now);
  await keeper.start();
  verbs = new Verbs(keeper, new Writer(keeper, () => now, capacity), {
    ahead: async () => [],
    raiseRefusal: async () => null,
  });
  walker = new RampWalker({
    plan: () => plan,
    state: () => keeper.state,
    opinion: () => HEALTHY,
    obstacles: (route, state) => obstaclesOf(source, route, state),
    verbs,
    now: () => now,
  });
  await verbs.ramp('a', { steps: STEPS }, { actor: 'ann', reason: 'go', ifRevision: route().revision });
});
afterEach(() => keeper.close());

const route = (): RouteState => store.state.routes.get('a') as RouteState;

/** The moves that are due so much later, made. */
async function after(ms: number): Promise<RouteState> {
  now += ms;
  walker.beat();
  await walker.close();
  return route();
}

async function verbsWritten(): Promise<string[]> {
  return (await store.history({ limit: 20 })).map(({ verb }) => verb).toReversed();
}

describe('a ramp', () => {
  test('regression: it was held by a replica that was slow to start and had asked nobody for endpoints yet', async () => {
    const backends = new KnownBackends(
      plan,
      { events: new Events(() => now), monotonic: () => now },
      { onExceptions() {}, onDiscovery() {} },
    );
    source = {
      plan,
      capacity,
      unsynced: () => backends.unsynced(),
      sideProblem: (spec, side) => backends.sideProblem(spec, side),
    };
    expect(await after(60_000)).toMatchObject({ cutover: 'ramping', weightPpm: 100 });
    backends.install(plan, () => {});
    expect(await after(0)).toMatchObject({ cutover: 'ramping', weightPpm: 200 });
    backends.close();
  });

  test.each(['old', 'new'] as const)(
    'is held while no endpoint of the %s side is healthy, and goes on by itself when one has been for five seconds',
    async (side) => {
      problem[side] = `The ${side} side cannot take traffic: no endpoint is healthy`;
      expect(await after(100)).toMatchObject({
        weightPpm: 100,
        cutover: 'held',
        ramp: { step: 0, held: { cause: 'endpoints', reason: problem[side] } },
      });
      expect(await after(60_000)).toMatchObject({ cutover: 'held' });
      problem[side] = null;
      expect(await after(4_999)).toMatchObject({ cutover: 'held' });
      expect(await after(1)).toMatchObject({ cutover: 'ramping', weightPpm: 100, ramp: { step: 0, since: now } });
      expect(await after(999)).toMatchObject({ weightPpm: 100 });
      expect(await after(1)).toMatchObject({ weightPpm: 200, ramp: { step: 1 } });
      expect((await verbsWritten()).slice(-4)).toEqual(['ramp', 'hold', 'release', 'step']);
    },
  );

  test('whose sides come and go is held once, not again and again', async () => {
    problem.new = 'none';
    await after(100);
    for (let i = 0; i < 20; i++) {
      problem.new = i % 2 === 0 ? null : 'none';
      expect(await after(3_000)).toMatchObject({ cutover: 'held' });
    }
    expect((await verbsWritten()).filter((verb) => verb === 'hold' || verb === 'release')).toEqual(['hold']);
  });

  test('is left alone by a replica that has not found out yet which endpoints there are', async () => {
    unsynced = ['new'];
    problem.new = 'no endpoint is known';
    expect(await after(60_000)).toMatchObject({ cutover: 'ramping', weightPpm: 100 });
    unsynced = [];
    problem.new = null;
    expect(await after(0)).toMatchObject({ weightPpm: 200 });
  });

  test('that the new side cannot carry is held for it, and takes its step when it can', async () => {
    most = 150;
    expect(await after(1_000)).toMatchObject({ cutover: 'ramping', weightPpm: 100 });
    const before = store.state.revision;
    expect(await after(4_999)).toMatchObject({ cutover: 'ramping', weightPpm: 100 });
    expect(await after(1)).toMatchObject({
      cutover: 'held',
      weightPpm: 100,
      ramp: { held: { cause: 'capacity', reason: 'At most 150' } },
    });
    expect(await after(60_000)).toMatchObject({ cutover: 'held' });
    expect(store.state.revision).toBe(before + 1);
    most = 1_000_000;
    expect(await after(200)).toMatchObject({ cutover: 'ramping', weightPpm: 200, ramp: { step: 1 } });
    expect(await after(1_000)).toMatchObject({ weightPpm: 300 });
  });
});
