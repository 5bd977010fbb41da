import { afterEach, describe, expect, test } from 'vitest';
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
}

let kept: Kept;
afterEach(() => kept.keeper.close());

/** Started. */
async function keep(options: Partial<StateKeeperOptions>): Promise<Kept> {
  const served: State[] = [];
  const saved: State[] = [];
  const entries: AuditEntry[] = [];
  const health: boolean[] = [];
  const keeper = new StateKeeper({
    openStore: () => Promise.reject(new StoreUnavailable('no store')),
    lastState: { read: async () => undefined, save: (state) => void saved.push(state) },
    bootstrapOld: false,
    clock: () => 10_000,
    onState: (state) => void served.push(state),
    onEntry: (entry) => void entries.push(entry),
    onHealth: ({ up }) => void health.push(up),
    ...options,
  });
  kept = { keeper, served, saved, entries, health };
  await keeper.start();
  return kept;
}

/** What a replica with this last state reads from its disk. */
const disk = (state: State): Pick<StateKeeperOptions, 'lastState'> => ({
  lastState: { read: async () => ({ state, savedAt: 4_000 }), save() {} },
});

describe('a start', () => {
  test('takes the state of the store, not that of the disk', async () => {
    const store = new MemoryStore();
    store.set('a', 5);
    const { served } = await keep({ openStore: async () => store, ...disk(stateOf(9, { a: 9 })) });
    expect(served).toEqual([store.state]);
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
