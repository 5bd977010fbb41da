import { afterEach, describe, expect, test, vi } from 'vitest';
import { StateKeeper, type StateKeeperOptions } from '../../src/control/state-keeper.ts';
import type { AuditEntry, State } from '../../src/domain/state.ts';
import { StoreUnavailable } from '../../src/store/store.ts';
import { until } from '../supervisor/until.ts';
import { MemoryStore } from './memory-store.ts';
import { stateOf } from './plans.ts';

interface Kept {
  readonly keeper: StateKeeper;
  readonly served: State[];
  readonly saved: State[];
  readonly entries: AuditEntry[];
  readonly health: boolean[];
  /** Whether what was told of the store's health was a dispute. */
  readonly disputes: boolean[];
  /** Whether it was about a dispute until then. */
  readonly disputesBefore: boolean[];
}

let kept: Kept;
afterEach(() => kept.keeper.close());

/** Started. */
async function keep(options: Partial<StateKeeperOptions>): Promise<Kept> {
  const served: State[] = [];
  const saved: State[] = [];
  const entries: AuditEntry[] = [];
  const health: boolean[] = [];
  const disputes: boolean[] = [];
  const disputesBefore: boolean[] = [];
  const keeper = new StateKeeper({
    openStore: () => Promise.reject(new StoreUnavailable('no store')),
    lastState: { read: async () => undefined, save: (state) => void saved.push(state), failure: null },
    bootstrapOld: false,
    clock: () => 10_000,
    random: Math.random,
    onState: (state) => void served.push(state),
    onEntry: (entry) => void entries.push(entry),
    onHealth: ({ up }, isDisputed, wasDisputed) => {
      health.push(up);
      disputes.push(isDisputed);
      disputesBefore.push(wasDisputed);
    },
    ...options,
  });
  kept = { keeper, served, saved, entries, health, disputes, disputesBefore };
  await keeper.start();
  return kept;
}

/** What a replica with this last state reads from its disk. */
const disk = (state: State): Pick<StateKeeperOptions, 'lastState'> => ({
  lastState: { read: async () => ({ state, savedAt: 4_000 }), save() {}, failure: null },
});

describe('a start', () => {
  test('takes the state of the store, not the older one of the disk', async () => {
    const store = new MemoryStore();
    store.set('a', 5);
    store.set('a', 6);
    const { served } = await keep({ openStore: async () => store, ...disk(stateOf(1, { a: 5 })) });
    expect(served).toEqual([store.state]);
  });

  test('takes that of the disk when the store is not where it left off', async () => {
    const store = new MemoryStore();
    store.set('a', 5);
    const last = stateOf(9, { a: 9 });
    const { served, keeper } = await keep({ openStore: async () => store, ...disk(last) });
    expect(served).toEqual([last]);
    expect(keeper.alarm).toMatch(/fell back to revision 1; revision 9/);
    expect(keeper.health.up).toBe(false);
  });

  test('without a store takes the last state of the disk, and its age', async () => {
    const last = stateOf(9, { a: 9 });
    const { served, keeper, health } = await keep(disk(last));
    expect(served).toEqual([last]);
    expect(keeper.ageMs()).toBe(6_000);
    expect(health).toEqual([false]);
  });

  test('without store and disk serves nothing', async () => {
    const { served, keeper } = await keep({});
    expect([served, keeper.state]).toEqual([[], undefined]);
    expect(keeper.health).toMatchObject({ up: false, reason: 'no store' });
  });

  test('without store and disk serves everything from old when told so', async () => {
    const { served } = await keep({ bootstrapOld: true });
    expect(served.map(({ routes }) => routes.size)).toEqual([0]);
  });
});

describe('a store that comes back', () => {
  test.each([
    ['nothing', {}] as const,
    ['old only', { bootstrapOld: true }] as const,
    ['the disk', disk(stateOf(0, {}))] as const,
  ])('is served by who served %s meanwhile', async (_name, options) => {
    const store = new MemoryStore();
    store.set('a', 5);
    let there = false;
    const openStore = () => (there ? Promise.resolve(store) : Promise.reject(new StoreUnavailable('no store')));
    const { served, keeper, health } = await keep({ openStore, ...options });
    there = true;
    await until('the state of the store', () => served.at(-1) === store.state);
    await until('health', () => keeper.health.up);
    expect(health).toEqual([false, true]);
  });

  test('with another epoch is not believed', async () => {
    const last = stateOf(9, { a: 9 });
    let opened = 0;
    const openStore = async () => {
      opened++;
      if (opened === 1) throw new StoreUnavailable('no store');
      return new MemoryStore('another');
    };
    const { served, keeper } = await keep({ openStore, ...disk(last) });
    await until('the alarm', () => !keeper.health.up && keeper.health.reason.includes('another epoch'));
    expect(served).toEqual([last]);
  });

  test('at a lower revision is not believed', async () => {
    const store = new MemoryStore();
    store.set('a', 5);
    store.set('a', 6);
    const newest = store.state;
    const { served, keeper } = await keep({ openStore: async () => store });
    store.state = stateOf(1, { a: 5 });
    await until('the alarm', () => !keeper.health.up && keeper.health.reason.includes('fell back'));
    expect(served).toEqual([newest]);
    store.state = newest;
    await until('health', () => keeper.health.up);
  });
});

test('every change is told once and in order, whoever wrote it, and kept on disk', async () => {
  const store = new MemoryStore();
  store.set('before', 1);
  const { entries, served, saved } = await keep({ openStore: async () => store });
  for (let i = 1; i <= 20; i++) store.set(`r${i % 3}`, i);
  await until('twenty changes', () => entries.length >= 20);
  expect(entries.map(({ revision }) => revision)).toEqual(Array.from({ length: 20 }, (_, i) => i + 2));
  expect(served).toHaveLength(21);
  expect(saved.at(-1)).toBe(store.state);
});

test.each([
  [0, 800],
  [0.5, 1_000],
  [0.75, 1_100],
])('by a chance of %d the store is asked again after %d ms', async (chance, ms) => {
  vi.useFakeTimers();
  try {
    const store = new MemoryStore();
    const asked = vi.spyOn(store, 'load');
    await keep({ openStore: async () => store, random: () => chance });
    asked.mockClear();
    await vi.advanceTimersByTimeAsync(ms - 1);
    expect(asked).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(asked).toHaveBeenCalledTimes(1);
  } finally {
    vi.useRealTimers();
  }
});

test('while the store is away its last state is served on, and grows old', async () => {
  const store = new MemoryStore();
  let now = 10_000;
  const { keeper, health } = await keep({ openStore: async () => store, clock: () => now });
  store.away = true;
  now += 5_000;
  await until('the alarm', () => !keeper.health.up);
  expect(keeper.ageMs()).toBe(5_000);
  expect(keeper.state).toBe(store.state);
  store.away = false;
  await until('health', () => keeper.health.up);
  expect(keeper.ageMs()).toBe(0);
  expect(health).toEqual([false, true]);
});

const change = (epoch: string, expected: number) => ({
  epoch,
  verb: 'set' as const,
  actor: 'ann',
  reason: '',
  at: 1,
  routes: [{ route: 'a', expected, next: { weightPpm: 7, cutover: 'steady' as const, frozen: false } }],
});

/** Serves revision 9 of the epoch `e`, which the store has not. */
async function inDispute(store: MemoryStore): Promise<Kept> {
  const result = await keep({ openStore: async () => store, ...disk(stateOf(9, { a: 9 })) });
  expect(result.keeper.alarm).not.toBeNull();
  return result;
}

describe('in dispute about what counts', () => {
  test.each([
    ['another epoch', () => new MemoryStore('another')] as const,
    ['an old state', () => new MemoryStore()] as const,
  ])('over %s nothing is written', async (_name, open) => {
    const store = open();
    store.set('b', 5);
    const before = store.state;
    const { keeper } = await inDispute(store);
    await expect(keeper.compareAndSet(change(before.epoch, 0))).rejects.toMatchObject({ name: 'StoreDiverged' });
    expect(store.state).toBe(before);
  });

  test('is told from a store that does not answer, which it may come to be', async () => {
    const store = new MemoryStore();
    const { keeper, disputes, disputesBefore, health } = await inDispute(store);
    expect([keeper.isDisputed, disputes]).toEqual([true, [true]]);
    store.away = true;
    await until('the store to be away', () => disputes.length === 2);
    expect([keeper.isDisputed, disputes]).toEqual([false, [true, false]]);
    expect(keeper.alarm).not.toBeNull();
    store.away = false;
    await until('the dispute again', () => disputes.length === 3);
    await keeper.adopt('served', { actor: 'ann', reason: '' });
    expect([keeper.isDisputed, disputes, disputesBefore, health]).toEqual([
      false,
      [true, false, true, false],
      [false, true, false, true],
      [false, false, false, true],
    ]);
  });

  test('a route that went back in an otherwise newer state is seen', async () => {
    const store = new MemoryStore();
    for (let i = 0; i < 12; i++) store.set('b', i);
    store.set('a', 1);
    const last = stateOf(11, { a: 9 });
    store.state = { ...store.state, routes: new Map([...store.state.routes].filter(([name]) => name !== 'a')) };
    const { keeper } = await keep({ openStore: async () => store, ...disk(last) });
    expect(keeper.alarm).toMatch(/holds the route "a" at revision 0/);
  });

  test('adopting what is served ends it: a new epoch, above every revision, with every weight as it was', async () => {
    const store = new MemoryStore('another');
    for (let i = 0; i < 20; i++) store.set('a', i);
    const { keeper, served } = await inDispute(store);
    const entry = await keeper.adopt('served', { actor: 'ann', reason: 'the server was restored' });
    expect(entry).toMatchObject({ verb: 'adopt', revision: 21, actor: 'ann' });
    expect([keeper.alarm, keeper.health]).toEqual([null, { up: true }]);
    expect(served.at(-1)).toBe(store.state);
    expect(store.state.routes.get('a')).toMatchObject({ weightPpm: 9, revision: 21 });
    expect(store.state.lineage).toEqual(['e', 'another']);
    expect(await keeper.compareAndSet(change(store.state.epoch, 21))).toMatchObject({ kind: 'applied' });
  });

  test('adopting what is stored ends it as well', async () => {
    const store = new MemoryStore('another');
    store.set('a', 5);
    const { keeper } = await inDispute(store);
    await keeper.adopt('stored', { actor: 'ann', reason: '' });
    expect(keeper.alarm).toBeNull();
    expect(keeper.state?.revision).toBeGreaterThan(9);
    expect(keeper.state?.routes.get('a')?.weightPpm).toBe(5);
  });

  test('adopting what is stored ends it also where a route is served that the store has not: that stays as it is', async () => {
    const store = new MemoryStore('another');
    store.set('b', 5);
    const { keeper } = await inDispute(store);
    await keeper.adopt('stored', { actor: 'ann', reason: 'restored from before the route was there' });
    expect(keeper.alarm).toBeNull();
    const weights = [...(keeper.state?.routes ?? [])].map(([name, { weightPpm }]) => [name, weightPpm]);
    expect(Object.fromEntries(weights)).toEqual({ a: 9, b: 5 });
  });

  test('whoever served one of the epochs that it ends follows by itself', async () => {
    const store = new MemoryStore('another');
    store.set('a', 5);
    await (await inDispute(store)).keeper.adopt('served', { actor: 'ann', reason: '' });
    await kept.keeper.close();
    for (const last of [stateOf(8, { a: 8 }), { ...stateOf(1, { a: 5 }), epoch: 'another' }]) {
      const { keeper } = await keep({ openStore: async () => store, ...disk(last) });
      expect([keeper.alarm, keeper.state]).toEqual([null, store.state]);
      await keeper.close();
    }
  });
});
