import * as fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { LocalRollbacks, lowered, type Pin, type SavedPin } from '../../src/control/local-rollbacks.ts';
import type { StateKeeper } from '../../src/control/state-keeper.ts';
import { Verbs } from '../../src/control/verbs.ts';
import { Writer } from '../../src/control/writer.ts';
import type { RouteState, State } from '../../src/domain/state.ts';
import { until } from '../supervisor/until.ts';
import { keeperOf } from './keepers.ts';
import { MemoryStore } from './memory-store.ts';
import { routeState, stateOf } from './plans.ts';

const name = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const route: fc.Arbitrary<RouteState> = fc
  .record({
    weightPpm: fc.integer({ min: 0, max: 1_000_000 }),
    cutover: fc.constantFrom('steady', 'ramping', 'paused', 'held', 'rolledBack', 'completed'),
    frozen: fc.boolean(),
    revision: fc.nat(),
  })
  .map(({ weightPpm, ...more }) => routeState(weightPpm, more));
const state: fc.Arbitrary<State> = fc
  .record({ revision: fc.nat(), routes: fc.dictionary(name, route) })
  .map(({ revision, routes }) => ({ epoch: 'e', revision, routes: new Map(Object.entries(routes)) }));
const pins: fc.Arbitrary<Map<string, Pin>> = fc
  .uniqueArray(name)
  .map((names) => new Map(names.map((each) => [each, { actor: 'ann', reason: 'slow', at: 5 }])));

describe('pins over a state', () => {
  test('only ever lower a weight: pinned routes are at 0, the others are the same ones', () => {
    fc.assert(
      fc.property(state, pins, (before, pinned) => {
        const after = lowered(before, pinned);
        expect([...after.routes.keys()]).toEqual([...before.routes.keys()]);
        for (const [each, now] of after.routes) {
          const was = before.routes.get(each) as RouteState;
          if (!pinned.has(each)) expect(now).toBe(was);
          else expect(now).toMatchObject({ weightPpm: 0, cutover: 'rolledBack', frozen: was.frozen });
          expect(now.weightPpm).toBeLessThanOrEqual(was.weightPpm);
          expect(now.revision).toBe(was.revision);
        }
        expect({ ...after, routes: null }).toEqual({ ...before, routes: null });
        expect(lowered(after, pinned)).toEqual(after);
      }),
    );
  });

  test('none leave the state as it is', () => {
    const before = stateOf(3, { a: 5 });
    expect(lowered(before, new Map())).toBe(before);
  });

  test('say where and why', () => {
    const after = lowered(stateOf(3, { a: 5 }), new Map([['a', { actor: 'ann', reason: 'slow', at: 5 }]]));
    expect(after.routes.get('a')).toMatchObject({
      reason: 'slow (on this replica alone, until the store can be written)',
      actor: 'ann',
      at: 5,
    });
  });
});

interface Local {
  readonly store: MemoryStore;
  readonly keeper: StateKeeper;
  readonly local: LocalRollbacks;
  /** The weights of `a` and `b` that workers were told, one after the other. */
  readonly shown: [number, number][];
  readonly events: boolean[];
  readonly files: (readonly SavedPin[])[];
}

const running: Local[] = [];
afterEach(async () => {
  for (const { local, keeper } of running.splice(0)) {
    await local.close();
    await keeper.close();
  }
});

function storeOf(a: number, b: number): MemoryStore {
  const store = new MemoryStore();
  store.set('a', a);
  store.set('b', b);
  return store;
}

/** As the control plane puts it together. @param saved what the last process left behind */
async function start(store = storeOf(50, 30), saved: readonly SavedPin[] = []): Promise<Local> {
  const shown: [number, number][] = [];
  const events: boolean[] = [];
  const show = (): void => {
    const { served } = local;
    const weights = ['a', 'b'].map((each) => served?.routes.get(each)?.weightPpm ?? -1);
    shown.push(weights as [number, number]);
  };
  const keeper = keeperOf(store, () => 1_000, show);
  const verbs = new Verbs(keeper, new Writer(keeper, () => 1_000), {
    ahead: async () => [],
    raiseRefusal: async () => null,
  });
  const files: (readonly SavedPin[])[] = [saved];
  const local = new LocalRollbacks({
    file: {
      read: async () => files.at(-1) ?? [],
      save: async (pinned) => void files.push(pinned),
    },
    state: () => keeper.state,
    write: (routes, pin) => verbs.writePin(routes, pin),
    onChange: show,
    emit: (event) => event.type === 'pinned' && events.push(event.pinned),
    clock: () => 2_000,
    retryMs: 5,
  });
  const started = { store, keeper, local, shown, events, files };
  running.push(started);
  await keeper.start();
  await local.restore();
  return started;
}

describe('a rollback of this replica alone', () => {
  test('is served at once while the store is away, and written when it is back', async () => {
    const { store, local, shown, events } = await start();
    store.away = true;
    const written = local.pin(['a'], { actor: 'ann', reason: 'slow' });
    expect(shown.at(-1)).toEqual([0, 30]);
    expect(local.alarm).toBe('Route "a" is rolled back on this replica alone, until the store can be written');
    expect(store.state.routes.get('a')?.weightPpm).toBe(50);
    expect(events).toEqual([true]);

    store.away = false;
    await written;
    expect(store.state.routes.get('a')).toMatchObject({
      weightPpm: 0,
      cutover: 'rolledBack',
      actor: 'ann',
      reason: 'slow',
    });
    expect((await store.history({ limit: 1 }))[0]).toMatchObject({ verb: 'rollback', actor: 'ann' });
    expect(local.alarm).toBeNull();
    expect(events).toEqual([true, false]);
    // Never since.
    expect(shown.slice(1).map(([a]) => a)).toEqual(shown.slice(1).map(() => 0));
  });

  test('with a healthy store is written at once', async () => {
    const { store, local } = await start();
    await local.pin(['a', 'b'], { actor: 'ann', reason: 'slow' });
    expect([...store.state.routes.values()].map(({ weightPpm }) => weightPpm)).toEqual([0, 0]);
    expect((await store.history({ limit: 1 }))[0]?.routes).toHaveLength(2);
  });

  test('holds whatever the store shows, until the store has it', async () => {
    const { store, keeper, local, shown } = await start();
    store.away = true;
    const written = local.pin(['a'], { actor: 'ann', reason: 'slow' });
    const from = shown.length - 1;
    // Someone who still reaches the store raises it.
    store.set('a', 900_000);
    store.set('b', 40);
    await until('the other change', () => shown.at(-1)?.[1] === 40);
    store.away = false;
    await written;
    expect(shown.slice(from).every(([a]) => a === 0)).toBe(true);
    expect(keeper.state?.routes.get('a')?.weightPpm).toBe(0);
    store.set('a', 70);
    await until('what came afterwards', () => shown.at(-1)?.[0] === 70);
  });

  test('that another replica has written meanwhile is not written again', async () => {
    const { store, keeper, local } = await start();
    store.away = true;
    const written = local.pin(['a'], { actor: 'ann', reason: 'slow' });
    const { epoch } = store.state;
    const next = { weightPpm: 0, cutover: 'rolledBack', frozen: false } as const;
    store.put({
      epoch,
      verb: 'rollback',
      actor: 'bob',
      reason: 'slow',
      at: 1,
      routes: [{ route: 'a', expected: store.state.routes.get('a')?.revision ?? 0, next }],
    });
    const { revision } = store.state;
    store.away = false;
    await written;
    expect(store.state.revision).toBe(revision);
    expect(keeper.state?.routes.get('a')).toMatchObject({ actor: 'bob' });
    expect(local.alarm).toBeNull();
  });

  test('asked for again keeps its reason, and adds what is new', async () => {
    const { store, local, shown, events } = await start();
    store.away = true;
    const first = local.pin(['a'], { actor: 'ann', reason: 'slow' });
    const second = local.pin(['a', 'b'], { actor: 'bob', reason: 'all' });
    await local.pin(['b'], { actor: 'bob', reason: 'again' });
    expect(shown.at(-1)).toEqual([0, 0]);
    expect(events).toEqual([true, true]);
    expect(local.alarm).toBe(
      'Route "a" and 1 more are rolled back on this replica alone, until the store can be written',
    );
    store.away = false;
    await Promise.all([first, second]);
    expect([...store.state.routes.values()].map(({ actor }) => actor)).toEqual(['ann', 'bob']);
    expect(local.alarm).toBeNull();
  });

  test('outlives an error that nobody has thought of', async () => {
    const { store, local } = await start();
    store.beforeWrite = () => {
      throw new TypeError('a fault of ours');
    };
    await local.pin(['a'], { actor: 'ann', reason: 'slow' });
    expect(store.state.routes.get('a')?.weightPpm).toBe(0);
  });

  test('ends with the replica', async () => {
    const { store, local } = await start();
    store.away = true;
    const written = local.pin(['a'], { actor: 'ann', reason: 'slow' });
    await local.close();
    await written;
    expect(local.alarm).not.toBeNull();
  });

  test('goes on after a restart', async () => {
    const first = await start();
    first.store.away = true;
    void first.local.pin(['a'], { actor: 'ann', reason: 'slow' });
    void first.local.pin(['a', 'b'], { actor: 'bob', reason: 'all' });
    await first.local.close();
    const saved = first.files.at(-1) ?? [];
    expect(saved).toEqual([
      { routes: ['a'], actor: 'ann', reason: 'slow', at: 2_000 },
      { routes: ['b'], actor: 'bob', reason: 'all', at: 2_000 },
    ]);

    const { store } = first;
    store.away = false;
    const second = await start(store, saved);
    expect(second.shown.at(-1)).toEqual([0, 0]);
    await until('its being written', () => second.local.alarm === null);
    expect([...store.state.routes.values()].map(({ actor, weightPpm }) => [actor, weightPpm])).toEqual([
      ['ann', 0],
      ['bob', 0],
    ]);
    await second.local.close();
    expect(second.files.at(-1)).toEqual([]);
  });
});
