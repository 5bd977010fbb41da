import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { WriteRequest } from '../../src/control/control.ts';
import { writeFirstWeights } from '../../src/control/first-weights.ts';
import type { StateKeeper } from '../../src/control/state-keeper.ts';
import { Verbs } from '../../src/control/verbs.ts';
import { Writer, type Written } from '../../src/control/writer.ts';
import { keeperOf } from './keepers.ts';
import { MemoryStore } from './memory-store.ts';
import { planOf } from './plans.ts';

let store: MemoryStore;
let keeper: StateKeeper;
let verbs: Verbs;
/** Why the new side takes no connections. */
let unreachable: string | null;

beforeEach(async () => {
  store = new MemoryStore();
  unreachable = null;
  keeper = keeperOf(store, () => 1_000);
  verbs = new Verbs(keeper, new Writer(keeper, () => 1_000), {
    ahead: async () => [],
    raiseRefusal: async () => unreachable,
  });
  await keeper.start();
  await writeFirstWeights(keeper, planOf(['a', 'b', 'c']), () => 1_000);
});
afterEach(() => keeper.close());

const by = (more: Partial<WriteRequest> = {}): WriteRequest => ({ actor: 'ann', reason: 'why', ...more });
const positions = () =>
  Object.fromEntries([...store.state.routes].map(([name, at]) => [name, [at.weightPpm, at.cutover]]));
const revision = (route: string): number => store.state.routes.get(route)?.revision ?? 0;
const outcome = (written: Written): string => (written.kind === 'refused' ? written.code : written.kind);

/** Raises as one should. */
async function raise(route: string, weightPpm: number): Promise<void> {
  expect(outcome(await verbs.set(route, weightPpm, by({ ifRevision: revision(route) })))).toBe('applied');
}

describe('first weights', () => {
  test('of the configuration are written once, and only for routes that the store does not know', async () => {
    const plan = planOf([], {
      routes: planOf(['a', 'd']).routes.map((route) => ({ ...route, weightPpm: 77 })),
    });
    await writeFirstWeights(keeper, plan, () => 1_000);
    await writeFirstWeights(keeper, plan, () => 1_000);
    expect(positions()).toMatchObject({ a: [0, 'steady'], d: [77, 'steady'] });
    expect(store.state.revision).toBe(2);
  });

  test('are agreed on when another replica starts at the same moment', async () => {
    store.beforeWrite = () => store.set('d', 5);
    await writeFirstWeights(keeper, planOf(['d', 'e']), () => 1_000);
    expect(positions()).toMatchObject({ d: [5, 'steady'], e: [0, 'steady'] });
  });
});

/** A tenth, of whatever route. */
const carries = (_: string, weightPpm: number): string | null => (weightPpm > 100_000 ? 'Too much' : null);

describe('what the new side can carry', () => {
  test('bounds every raise, and nothing else, unless it is forced', async () => {
    const bounded = new Verbs(keeper, new Writer(keeper, () => 1_000, carries), {
      ahead: async () => [],
      raiseRefusal: async () => null,
    });
    const set = async (weightPpm: number, more = {}): Promise<string> =>
      outcome(await bounded.set('a', weightPpm, by({ ifRevision: revision('a'), ...more })));
    expect(await set(100_000)).toBe('applied');
    expect(await set(100_001)).toBe('conflict');
    expect(await set(900_000, { force: true })).toBe('applied');
    expect(await set(800_000)).toBe('applied');
  });
});

describe('set', () => {
  test('of a raise that lost against another writer is refused as stale', async () => {
    store.beforeWrite = () => store.set('a', 5);
    expect(outcome(await verbs.set('a', 50, by({ ifRevision: revision('a') })))).toBe('stale');
    expect(positions()['a']).toEqual([5, 'steady']);
  });

  test('without a revision is decided again on what the other writer left', async () => {
    await raise('a', 100);
    store.beforeWrite = () => store.set('a', 80);
    expect(outcome(await verbs.set('a', 50, by()))).toBe('applied');
    await raise('b', 100);
    store.beforeWrite = () => store.set('b', 20);
    // Lowering when it was asked for, raising by the time it is written.
    expect(outcome(await verbs.set('b', 50, by()))).toBe('preconditionRequired');
    expect(positions()).toMatchObject({ a: [50, 'steady'], b: [20, 'steady'] });
  });

  test('on a revision that this replica has not seen yet asks the store before refusing', async () => {
    const behind = store.state;
    await raise('a', 100);
    const current = store.state;
    store.state = behind;
    const late = keeperOf(store, () => 1_000);
    await late.start();
    store.state = current;
    const written = await new Verbs(late, new Writer(late, () => 1_000), {
      ahead: async () => [],
      raiseRefusal: async () => null,
    }).set('a', 200, by({ ifRevision: revision('a') }));
    expect(outcome(written)).toBe('applied');
    await late.close();
  });
});

describe('rollback', () => {
  test('of everything is one change, and leaves out what is rolled back already', async () => {
    await raise('a', 100);
    await raise('b', 200);
    await verbs.rollback(['b'], by());
    const before = store.state.revision;
    const written = await verbs.rollback(['a', 'b', 'c'], by());
    expect(written.kind === 'applied' && written.entry.routes.map(({ route }) => route)).toEqual(['a', 'c']);
    expect(positions()).toEqual({ a: [0, 'rolledBack'], b: [0, 'rolledBack'], c: [0, 'rolledBack'] });
    expect(store.state.revision).toBe(before + 1);
  });

  test('of what is rolled back already writes nothing', async () => {
    await verbs.rollback(['a'], by());
    const before = store.state.revision;
    expect(outcome(await verbs.rollback(['a'], by()))).toBe('unchanged');
    expect(store.state.revision).toBe(before);
  });

  test('wins over a raise at the same moment', async () => {
    await raise('a', 100);
    store.beforeWrite = () => store.set('a', 900_000);
    expect(outcome(await verbs.rollback(['a'], by()))).toBe('applied');
    expect(positions()['a']).toEqual([0, 'rolledBack']);
  });

  test('passes a frozen route, and one that the store has never seen', async () => {
    await raise('a', 100);
    await verbs.freeze('a', true, by());
    expect(outcome(await verbs.rollback(['a', 'unseen'], by()))).toBe('applied');
    expect(positions()['a']).toEqual([0, 'rolledBack']);
  });
});

describe('freeze', () => {
  test('does not hide why a route was rolled back, however often it is frozen', async () => {
    await raise('a', 100);
    await verbs.rollback(['a'], by({ reason: 'new 14 of 212 failed' }));
    await verbs.freeze('a', true, by({ reason: 'wait for the fix' }));
    const reason = (): string | undefined => store.state.routes.get('a')?.reason;
    expect(reason()).toBe('wait for the fix; rolled back before: new 14 of 212 failed');
    await verbs.freeze('a', false, by({ reason: 'fixed' }));
    expect(reason()).toBe('fixed; rolled back before: new 14 of 212 failed');
    await verbs.freeze('b', true, by({ reason: 'holidays' }));
    expect(store.state.routes.get('b')?.reason).toBe('holidays');
  });

  test('refuses raising until it is taken off', async () => {
    await verbs.freeze('a', true, by());
    expect(outcome(await verbs.set('a', 10, by({ ifRevision: revision('a') })))).toBe('frozen');
    expect(outcome(await verbs.freeze('a', true, by()))).toBe('unchanged');
    await verbs.freeze('a', false, by());
    await raise('a', 10);
  });
});

describe('undo', () => {
  test('restores the weight before, and can itself be undone', async () => {
    await raise('a', 100);
    await verbs.set('a', 40, by());
    expect(outcome(await verbs.undo(store.state.revision, by()))).toBe('applied');
    expect(positions()['a']).toEqual([100, 'steady']);
    expect(outcome(await verbs.undo(store.state.revision, by()))).toBe('applied');
    expect(positions()['a']).toEqual([40, 'steady']);
  });

  test('is refused for a rollback, for a first appearance, for what others have built on, and for what never was', async () => {
    await raise('a', 100);
    const raised = store.state.revision;
    await raise('a', 200);
    expect(outcome(await verbs.undo(raised, by()))).toBe('conflict');
    await verbs.rollback(['a'], by());
    expect(outcome(await verbs.undo(store.state.revision, by()))).toBe('conflict');
    expect(outcome(await verbs.undo(1, by()))).toBe('conflict');
    expect(outcome(await verbs.undo(999, by()))).toBe('unknownRevision');
    expect(positions()['a']).toEqual([0, 'rolledBack']);
  });

  test('that lost against another writer is refused', async () => {
    await raise('a', 100);
    store.beforeWrite = () => store.set('a', 5);
    expect(outcome(await verbs.undo(revision('a'), by()))).toBe('conflict');
    expect(positions()['a']).toEqual([5, 'steady']);
  });
});

test('while the store is away every write is refused, and says so', async () => {
  await raise('a', 100);
  const at = revision('a');
  store.away = true;
  expect(outcome(await verbs.set('a', 50, by()))).toBe('storeUnavailable');
  expect(outcome(await verbs.rollback(['a'], by()))).toBe('storeUnavailable');
  expect(outcome(await verbs.undo(at, by()))).toBe('storeUnavailable');
  store.away = false;
  expect(outcome(await verbs.set('a', 50, by()))).toBe('applied');
});

test('while the store contradicts what is served every write is refused as disputed, not as unanswered', async () => {
  await raise('a', 100);
  store.state = { epoch: 'another', revision: 0, routes: new Map() };
  expect(outcome(await verbs.set('a', 50, by()))).toBe('storeDisputed');
  expect(outcome(await verbs.rollback(['a'], by()))).toBe('storeDisputed');
});

describe('adopting', () => {
  test('while the store is away is refused because of that, not because nothing would be to be adopted', async () => {
    store.away = true;
    expect(await verbs.adopt('served', by())).toMatchObject({ kind: 'refused', code: 'storeUnavailable' });
    store.away = false;
    expect(await verbs.adopt('served', by())).toMatchObject({
      kind: 'refused',
      code: 'conflict',
      detail: expect.stringContaining('nothing is to be adopted'),
    });
  });

  test('asks the store, which may have lost the state since it was asked last', async () => {
    await raise('a', 100);
    store.state = { epoch: 'another', revision: 0, routes: new Map() };
    expect(keeper.alarm).toBeNull();
    expect(outcome(await verbs.adopt('served', by()))).toBe('applied');
    expect(positions()['a']).toEqual([100, 'steady']);
  });
});

describe('the first raise of a route', () => {
  test('by undoing what lowered it to 0 asks as any other does', async () => {
    await raise('a', 100);
    await verbs.set('a', 0, by());
    const lowered = store.state.revision;
    unreachable = 'nothing listens at 127.0.0.1:1';
    expect(await verbs.undo(lowered, by())).toMatchObject({
      kind: 'refused',
      code: 'conflict',
      detail: expect.stringContaining(unreachable),
    });
    expect(positions()['a']).toEqual([0, 'steady']);
    expect(outcome(await verbs.undo(lowered, by({ force: true })))).toBe('applied');
    expect(positions()['a']).toEqual([100, 'steady']);
    // Nothing is sent to new by undoing what raised it.
    expect(outcome(await verbs.undo(store.state.revision, by()))).toBe('applied');
    expect(positions()['a']).toEqual([0, 'steady']);
  });

  test('is refused while its new side takes no connections, unless forced', async () => {
    unreachable = 'nothing listens at 127.0.0.1:1';
    const refused = await verbs.set('a', 100, by({ ifRevision: revision('a') }));
    expect(refused).toMatchObject({ kind: 'refused', code: 'conflict', detail: expect.stringContaining(unreachable) });
    expect(outcome(await verbs.set('a', 100, by({ ifRevision: revision('a'), force: true })))).toBe('applied');
    expect(outcome(await verbs.set('a', 200, by({ ifRevision: revision('a') })))).toBe('applied');
    expect((await store.history({ limit: 2 })).map(({ forced }) => forced)).toEqual([undefined, true]);
  });
});
