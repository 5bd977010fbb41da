/** What every store must do, whatever it is made of: the suite that each implementation's own test file runs. */
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AuditEntry, Change, RouteChange, RoutePosition, State } from '../../src/domain/state.ts';
import type { CasResult, Store } from '../../src/store/store.ts';
import { sized } from '../size.ts';

/** Of each writer that is in the way of 49 others. */
const ROUNDS = sized(20, 4);
const WRITES = 50 * ROUNDS;

export interface StoreUnderTest {
  readonly store: Store;
  /** Closes the store and opens another on the same data. */
  reopen(): Promise<Store>;
  /** Closes whatever is open and removes the data. */
  dispose(): Promise<void>;
}

export function at(weightPpm: number, more: Partial<RoutePosition> = {}): RoutePosition {
  return { weightPpm, cutover: 'steady', frozen: false, ...more };
}

export function changeOf(epoch: string, ...routes: RouteChange[]): Change {
  return { epoch, verb: 'set', actor: 'ann', reason: 'a reason', at: 1_700_000_000_000, routes };
}

/** One route's change, which must be applied. */
export async function put(store: Store, route: string, expected: number, weightPpm: number): Promise<AuditEntry> {
  const { epoch } = await store.load();
  return applied(await store.compareAndSet(changeOf(epoch, { route, expected, next: at(weightPpm) })));
}

function applied(result: CasResult): AuditEntry {
  if (result.kind !== 'applied') throw new Error(`not applied: ${JSON.stringify(result)}`);
  return result.entry;
}

/** Reads, decides and writes until it wins; returns the entry and how often it lost. */
async function raise(store: Store, route: string): Promise<{ entry: AuditEntry; lost: number }> {
  for (let lost = 0; ; lost++) {
    const { epoch, routes } = await store.load();
    const now = routes.get(route);
    const next = at((now?.weightPpm ?? 0) + 1);
    const result = await store.compareAndSet(changeOf(epoch, { route, expected: now?.revision ?? 0, next }));
    if (result.kind === 'applied') return { entry: result.entry, lost };
    expect(result.kind).toBe('stale');
  }
}

async function revisions(store: Store, query: Parameters<Store['history']>[0]): Promise<number[]> {
  return (await store.history(query)).map((entry) => entry.revision);
}

const numbersTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

export function storeContract(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`store contract: ${name}`, () => {
    let subject: StoreUnderTest;
    let store: Store;
    let epoch: string;

    beforeEach(async () => {
      subject = await open();
      store = subject.store;
      ({ epoch } = await store.load());
    });
    afterEach(() => subject.dispose());

    test('a store never used before has an epoch, revision 0 and no routes', async () => {
      const state = await store.load();
      expect(state.epoch).not.toBe('');
      expect(state.revision).toBe(0);
      expect([...state.routes]).toEqual([]);
      expect(await store.history({ limit: 10 })).toEqual([]);
      expect(store.health()).toEqual({ up: true });
    });

    test('an applied change stamps its route with the new global revision and says what was there before', async () => {
      await put(store, 'other', 0, 5);
      const first = await put(store, 'search', 0, 10);
      expect(first).toEqual({
        revision: 2,
        at: 1_700_000_000_000,
        verb: 'set',
        actor: 'ann',
        reason: 'a reason',
        routes: [{ route: 'search', before: null, after: at(10) }],
      });
      const next = at(0, { cutover: 'rolledBack', frozen: true });
      const second = applied(
        await store.compareAndSet({ ...changeOf(epoch, { route: 'search', expected: 2, next }), verb: 'rollback' }),
      );
      expect(second.routes).toEqual([{ route: 'search', before: at(10), after: next }]);
      const state = await store.load();
      expect(state.revision).toBe(3);
      expect(state.routes.get('search')).toEqual({
        revision: 3,
        ...next,
        reason: 'a reason',
        actor: 'ann',
        at: 1_700_000_000_000,
      });
      expect(state.routes.get('other')?.revision).toBe(1);
    });

    test('expected 0 means that the route must not exist', async () => {
      await put(store, 'search', 0, 10);
      const result = await store.compareAndSet(changeOf(epoch, { route: 'search', expected: 0, next: at(20) }));
      expect(result).toEqual({ kind: 'stale', route: 'search', expected: 0, actual: 1 });
    });

    test('a route that does not exist is stale with actual 0', async () => {
      const result = await store.compareAndSet(changeOf(epoch, { route: 'search', expected: 7, next: at(20) }));
      expect(result).toEqual({ kind: 'stale', route: 'search', expected: 7, actual: 0 });
    });

    test('an older and a newer revision than the route has are both stale and change nothing', async () => {
      await put(store, 'search', 0, 10);
      await put(store, 'search', 1, 20);
      const before = await store.load();
      for (const expected of [1, 3]) {
        const result = await store.compareAndSet(changeOf(epoch, { route: 'search', expected, next: at(30) }));
        expect(result).toEqual({ kind: 'stale', route: 'search', expected, actual: 2 });
      }
      expect(await store.load()).toEqual(before);
      expect(await store.history({ limit: 10 })).toHaveLength(2);
    });

    test('a foreign epoch is refused with the epoch that the store has, also when the route is stale as well', async () => {
      await put(store, 'search', 0, 10);
      for (const expected of [1, 5]) {
        const change = changeOf('another', { route: 'search', expected, next: at(30) });
        expect(await store.compareAndSet(change)).toEqual({ kind: 'foreignEpoch', epoch });
      }
      expect((await store.load()).revision).toBe(1);
    });

    test('a change of several routes happens to all of them under one revision', async () => {
      await put(store, 'a', 0, 1);
      const change = changeOf(
        epoch,
        { route: 'a', expected: 1, next: at(2) },
        { route: 'b', expected: 0, next: at(3) },
        { route: 'c', expected: 0, next: at(4) },
      );
      expect(applied(await store.compareAndSet(change)).revision).toBe(2);
      const { revision, routes } = await store.load();
      expect(revision).toBe(2);
      const positions = new Map([...routes].map(([route, { revision: own, weightPpm }]) => [route, [own, weightPpm]]));
      expect(positions).toEqual(
        new Map([
          ['a', [2, 2]],
          ['b', [2, 3]],
          ['c', [2, 4]],
        ]),
      );
    });

    test('one stale route among several keeps all of them as they were', async () => {
      await put(store, 'a', 0, 1);
      await put(store, 'b', 0, 1);
      const before = await store.load();
      const change = changeOf(
        epoch,
        { route: 'a', expected: 1, next: at(2) },
        { route: 'new', expected: 0, next: at(2) },
        { route: 'b', expected: 1, next: at(2) },
      );
      expect(await store.compareAndSet(change)).toEqual({ kind: 'stale', route: 'b', expected: 1, actual: 2 });
      expect(await store.load()).toEqual(before);
    });

    test.each([
      ['no route', []],
      [
        'a route twice',
        [
          { route: 'a', expected: 0, next: at(1) },
          { route: 'a', expected: 0, next: at(2) },
        ],
      ],
      ['a weight above 1,000,000', [{ route: 'a', expected: 0, next: at(1_000_001) }]],
      ['a weight that is no number', [{ route: 'a', expected: 0, next: at(Number.NaN) }]],
    ])('a change with %s is a programming error', async (_, routes) => {
      const others = put(store, 'b', 0, 1);
      await expect(store.compareAndSet(changeOf(epoch, ...routes))).rejects.toThrow(TypeError);
      await others;
      expect([...(await store.load()).routes.keys()]).toEqual(['b']);
    });

    test('names and reasons are kept as they are, whatever they hold', async () => {
      const names = ['__proto__', 'constructor', '', 'a b', 'line\nfeed', 'snow ☃ \u{1f600}', '"quoted\\"', '\0'];
      for (const [i, route] of names.entries()) {
        await store.compareAndSet({
          ...changeOf(epoch, { route, expected: 0, next: at(i) }),
          reason: route,
          actor: route,
        });
      }
      const reopened = await subject.reopen();
      const { routes } = await reopened.load();
      expect(new Map([...routes].map(([route, { weightPpm, reason }]) => [route, [weightPpm, reason]]))).toEqual(
        new Map(names.map((route, i) => [route, [i, route]])),
      );
      expect((await reopened.history({ limit: 9 })).map((entry) => entry.actor)).toEqual(names.toReversed());
    });

    test('50 writers racing for one route: each revision has one winner and each winner one entry', async () => {
      await put(store, 'search', 0, 0);
      const wins: AuditEntry[] = [];
      let lost = 0;
      await Promise.all(
        numbersTo(50).map(async () => {
          for (let i = 0; i < ROUNDS; i++) {
            const won = await raise(store, 'search');
            wins.push(won.entry);
            lost += won.lost;
          }
        }),
      );
      expect(lost).toBeGreaterThan(0);
      expect(wins.map((entry) => entry.revision).sort((a, b) => a - b)).toEqual(numbersTo(WRITES).map((n) => n + 1));
      const state = await store.load();
      expect(state.revision).toBe(WRITES + 1);
      // Every winner decided on what the winner before it wrote, or an increment would be missing.
      expect(state.routes.get('search')?.weightPpm).toBe(WRITES);
      const history = await store.history({ limit: WRITES });
      expect(history).toEqual(wins.toSorted((a, b) => b.revision - a.revision));
    });

    test('50 writers, each on its own route, never are in each other’s way', async () => {
      const entries = await Promise.all(
        numbersTo(50).map(async (writer) => {
          let expected = 0;
          for (let i = 0; i < ROUNDS; i++) expected = (await put(store, `route-${writer}`, expected, i)).revision;
          return expected;
        }),
      );
      const state = await store.load();
      expect(state.revision).toBe(WRITES);
      expect(numbersTo(50).map((writer) => state.routes.get(`route-${writer}`)?.revision)).toEqual(entries);
    });

    test('watchers see newer states in order, none twice, and the last one always', async () => {
      await put(store, 'before', 0, 1);
      const seen: State[] = [];
      store.watch((state) => seen.push(state));
      await Promise.all(numbersTo(30).map((writer) => put(store, `route-${writer}`, 0, writer)));
      await expect.poll(() => seen.at(-1)?.revision).toBe(31);
      const told = seen.map((state) => state.revision);
      expect(told).toEqual([...new Set(told)].sort((a, b) => a - b));
      expect(told[0]).toBeGreaterThan(1);
      expect(seen.at(-1)).toEqual(await store.load());
      for (const state of seen) {
        const own = [...state.routes.values()].map((route) => route.revision);
        expect(Math.max(...own)).toBe(state.revision);
      }
    });

    test('a watcher that has unsubscribed hears nothing more', async () => {
      const seen: number[] = [];
      const others: number[] = [];
      const stop = store.watch((state) => seen.push(state.revision));
      store.watch((state) => others.push(state.revision));
      await put(store, 'a', 0, 1);
      await expect.poll(() => [seen, others]).toEqual([[1], [1]]);
      stop();
      stop();
      await put(store, 'a', 1, 2);
      await expect.poll(() => others).toEqual([1, 2]);
      expect(seen).toEqual([1]);
    });

    test('a watcher that throws is no harm to the writer, to other watchers or to what comes after', async () => {
      const seen: number[] = [];
      store.watch(() => {
        throw new Error('not my day');
      });
      store.watch((state) => seen.push(state.revision));
      await put(store, 'a', 0, 1);
      await put(store, 'a', 1, 2);
      await expect.poll(() => seen).toEqual([1, 2]);
      expect(store.health()).toEqual({ up: true });
    });

    test('a watcher may write', async () => {
      store.watch((state) => {
        if (state.revision === 1) void put(store, 'b', 0, 2);
      });
      await put(store, 'a', 0, 1);
      await expect.poll(async () => [...(await store.load()).routes.keys()].sort()).toEqual(['a', 'b']);
    });

    test('history is newest first, by limit, route and revision', async () => {
      for (let i = 0; i < 6; i++) await put(store, i % 2 === 0 ? 'even' : 'odd', Math.max(0, i - 1), i);
      expect(await revisions(store, { limit: 100 })).toEqual([6, 5, 4, 3, 2, 1]);
      expect(await revisions(store, { limit: 2 })).toEqual([6, 5]);
      expect(await revisions(store, { limit: 0 })).toEqual([]);
      expect(await revisions(store, { limit: 2, before: 5 })).toEqual([4, 3]);
      expect(await revisions(store, { limit: 100, before: 1 })).toEqual([]);
      expect(await revisions(store, { limit: 100, route: 'odd' })).toEqual([6, 4, 2]);
      expect(await revisions(store, { limit: 1, route: 'odd', before: 6 })).toEqual([4]);
      expect(await revisions(store, { limit: 100, route: 'unknown' })).toEqual([]);
    });

    test('epoch, state and history are the same after the store was closed and opened again', async () => {
      await put(store, 'a', 0, 1);
      await put(store, 'b', 0, 2);
      await put(store, 'a', 1, 3);
      const state = await store.load();
      const history = await store.history({ limit: 100 });
      const reopened = await subject.reopen();
      expect(await reopened.load()).toEqual(state);
      expect(await reopened.history({ limit: 100 })).toEqual(history);
      expect((await put(reopened, 'a', 3, 4)).revision).toBe(4);
    });

    test('adopting puts a state over what is held, under a new epoch and above all revisions', async () => {
      await put(store, 'a', 0, 1);
      await put(store, 'kept', 0, 2);
      const seen: State[] = [];
      store.watch((state) => seen.push(state));
      const routes = new Map([['a', { revision: 6, ...at(7), reason: 'x', actor: 'bob', at: 1 }]]);
      const served: State = { epoch: 'served', revision: 8, routes, lineage: ['earlier'] };
      const act = { verb: 'adopt', actor: 'ann', reason: 'restored', at: 5 } as const;
      const entry = await store.adopt(served, act);
      expect(entry).toEqual({ ...act, revision: 9, routes: [{ route: 'a', before: at(1), after: at(7) }] });
      const reopened = await subject.reopen();
      const state = await reopened.load();
      expect([epoch, 'served', 'earlier']).not.toContain(state.epoch);
      expect(state).toMatchObject({ revision: 9, lineage: expect.arrayContaining([epoch, 'served', 'earlier']) });
      expect(state.routes.get('a')).toEqual({ revision: 9, ...at(7), reason: 'restored', actor: 'ann', at: 5 });
      expect(state.routes.get('kept')).toMatchObject({ revision: 2, weightPpm: 2 });
      expect(seen.at(-1)).toEqual(state);
      expect(await reopened.history({ limit: 1 })).toEqual([entry]);
      const stale = changeOf(epoch, { route: 'a', expected: 9, next: at(1) });
      expect(await reopened.compareAndSet(stale)).toEqual({ kind: 'foreignEpoch', epoch: state.epoch });
      expect((await put(reopened, 'a', 9, 2)).revision).toBe(10);
    });

    test('adopting a state without routes is only a new epoch', async () => {
      await put(store, 'a', 0, 1);
      const act = { verb: 'adopt', actor: 'ann', reason: '', at: 5 } as const;
      expect(await store.adopt({ epoch: '', revision: 0, routes: new Map() }, act)).toEqual({
        ...act,
        revision: 2,
        routes: [],
      });
      const reopened = await subject.reopen();
      expect(await reopened.load()).toMatchObject({ revision: 2, lineage: [epoch] });
      expect(await reopened.history({ limit: 9 })).toHaveLength(2);
    });

    test('writes that come while one adopts find the new epoch', async () => {
      await put(store, 'a', 0, 1);
      const act = { verb: 'adopt', actor: 'ann', reason: '', at: 5 } as const;
      const adopting = store.adopt(await store.load(), act);
      const result = await store.compareAndSet(changeOf(epoch, { route: 'a', expected: 1, next: at(3) }));
      await adopting;
      expect(['applied', 'foreignEpoch']).toContain(result.kind);
      const { revision } = await store.load();
      expect(revision).toBe(result.kind === 'applied' ? 3 : 2);
      expect((await put(store, 'a', revision, 4)).revision).toBe(revision + 1);
    });

    test('changes that were under way when the store was closed are whole', async () => {
      const results = Promise.allSettled(numbersTo(20).map((i) => put(store, `route-${i}`, 0, i)));
      const reopened = await subject.reopen();
      const done = (await results).flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      const history = await reopened.history({ limit: 100 });
      for (const entry of done) expect(history).toContainEqual(entry);
      expect((await reopened.load()).revision).toBe(history.length);
    });

    test('a closed store refuses, and closing it again does nothing', async () => {
      await store.close();
      await store.close();
      const change = changeOf(epoch, { route: 'a', expected: 0, next: at(1) });
      await expect(store.compareAndSet(change)).rejects.toMatchObject({ name: 'StoreUnavailable' });
      await expect(store.load()).rejects.toMatchObject({ name: 'StoreUnavailable' });
      await expect(store.history({ limit: 1 })).rejects.toMatchObject({ name: 'StoreUnavailable' });
      expect(store.health().up).toBe(false);
    });
  });

  describe(`store model: ${name}`, () => {
    test('any sequence of changes leads where a plain in-memory model leads', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 15 }), async (steps) => {
          const subject = await open();
          try {
            const { epoch } = await subject.store.load();
            const model = new Model(epoch);
            for (const each of steps) {
              const change = model.changeOf(each);
              expect(await subject.store.compareAndSet(change)).toEqual(model.compareAndSet(change));
              expect(await subject.store.load()).toEqual(model.state());
            }
            const reopened = await subject.reopen();
            expect(await reopened.load()).toEqual(model.state());
            expect(await reopened.history({ limit: 100 })).toEqual(model.entries.toReversed());
          } finally {
            await subject.dispose();
          }
        }),
        { numRuns: sized(60, 20) },
      );
    });
  });
}

const position: fc.Arbitrary<RoutePosition> = fc.record({
  weightPpm: fc.integer({ min: 0, max: 1_000_000 }),
  cutover: fc.constantFrom('steady', 'ramping', 'paused', 'held', 'rolledBack', 'completed'),
  frozen: fc.boolean(),
});

/** `off` is added to the revision that the route has: 0 is a fresh read. */
const touched = fc.record({
  route: fc.constantFrom('a', 'b', 'c', '__proto__'),
  off: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 2 })),
  next: position,
});

const step = fc.record({
  foreign: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, fc.constant(true)),
  verb: fc.constantFrom<Change['verb'][]>('init', 'set', 'rollback', 'undo', 'freeze', 'adopt'),
  actor: fc.string(),
  reason: fc.string({ unit: 'binary' }),
  at: fc.nat(),
  routes: fc.uniqueArray(touched, { minLength: 1, maxLength: 4, selector: ({ route }) => route }),
});

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** The contract in its plainest form: the list of applied entries, from which everything else follows. */
class Model {
  readonly epoch: string;
  readonly entries: AuditEntry[] = [];

  constructor(epoch: string) {
    this.epoch = epoch;
  }

  changeOf({ foreign, routes, ...rest }: Step): Change {
    return {
      ...rest,
      epoch: foreign ? `${this.epoch}x` : this.epoch,
      routes: routes.map(({ route, off, next }) => ({ route, expected: this.#revision(route) + off, next })),
    };
  }

  compareAndSet(change: Change): CasResult {
    const { epoch, routes, ...rest } = change;
    if (epoch !== this.epoch) return { kind: 'foreignEpoch', epoch: this.epoch };
    const stale = routes.find(({ route, expected }) => expected !== this.#revision(route));
    if (stale !== undefined) {
      const { route, expected } = stale;
      return { kind: 'stale', route, expected, actual: this.#revision(route) };
    }
    const entry: AuditEntry = {
      ...rest,
      revision: this.entries.length + 1,
      routes: routes.map(({ route, next }) => ({ route, before: this.#position(route), after: next })),
    };
    this.entries.push(entry);
    return { kind: 'applied', entry };
  }

  state(): State {
    const names = new Set(this.entries.flatMap((entry) => entry.routes.map(({ route }) => route)));
    const routes = new Map(
      [...names].map((name) => {
        const { revision, actor, reason, at: when } = this.#last(name) as AuditEntry;
        return [name, { revision, ...(this.#position(name) as RoutePosition), reason, actor, at: when }] as const;
      }),
    );
    return { epoch: this.epoch, revision: this.entries.length, routes };
  }

  #last(name: string): AuditEntry | undefined {
    return this.entries.findLast((entry) => entry.routes.some(({ route }) => route === name));
  }

  #revision(name: string): number {
    return this.#last(name)?.revision ?? 0;
  }

  #position(name: string): RoutePosition | null {
    return this.#last(name)?.routes.find(({ route }) => route === name)?.after ?? null;
  }
}
