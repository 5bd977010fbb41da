/** What the store does when Redis is taken away, or comes back as another. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AuditEntry, State } from '../../../src/domain/state.ts';
import type { RedisAddress } from '../../../src/store/redis-address.ts';
import type { Store } from '../../../src/store/store.ts';
import { until } from '../../supervisor/until.ts';
import { at, changeOf, put } from '../contract.ts';
import { addressOf, openAt } from './open.ts';
import { Relay } from './relay.ts';
import { ClusterGroup, RedisServer, SentinelGroup } from './servers.ts';

let fleet: string;
let opened: Store[];

beforeEach(() => {
  fleet = randomUUID();
  opened = [];
});
afterEach(() => Promise.all(opened.map((store) => store.close())));
afterAll(() => RedisServer.disposeAll());

function open(address: RedisAddress, known?: State): Store {
  const store = openAt(address, fleet, known);
  opened.push(store);
  return store;
}

/** Refused; why. */
async function refused(store: Store, state: State): Promise<string> {
  const change = changeOf(state.epoch, { route: 'a', expected: state.routes.get('a')?.revision ?? 0, next: at(99) });
  const error = await store.compareAndSet(change).then(
    () => undefined,
    (reason: unknown) => reason as Error,
  );
  expect(error?.name).toMatch(/^Store(?:Unavailable|Diverged)$/);
  return String(error?.message);
}

const loaded = (store: Store): Promise<State> => until('an answer', () => store.load().catch(() => undefined));

describe('one Redis', () => {
  const persistent = ['--appendonly', 'yes', '--appendfsync', 'always'];
  let server: RedisServer;
  let store: Store;
  let state: State;

  async function start(args: readonly string[] = []): Promise<void> {
    server = await RedisServer.start(args);
    store = open(addressOf(server.port));
    for (let i = 0; i < 3; i++) await put(store, 'a', i, i);
    state = await store.load();
  }
  afterEach(() => server.dispose());

  test('killed: writes are refused with the reason and change nothing; back again it goes on where it was', async () => {
    await start(persistent);
    await server.kill();
    // Whether the first one was sent before the end was noticed nobody can know.
    await refused(store, state);
    expect(await refused(store, state)).toMatch(/ECONNREFUSED.*; nothing was changed$/);
    expect(store.health()).toMatchObject({ up: false });
    await expect(store.load()).rejects.toMatchObject({ name: 'StoreUnavailable' });
    await server.start();
    expect(await loaded(store)).toBe(state);
    expect((await put(store, 'a', 3, 4)).revision).toBe(4);
    expect(store.health()).toEqual({ up: true });
  });

  test('killed: another replica’s change after the return is shown without being asked for', async () => {
    await start(persistent);
    await server.kill();
    await server.start();
    const other = open(addressOf(server.port));
    const seen: number[] = [];
    store.watch(({ revision }) => seen.push(revision));
    await loaded(other);
    await put(other, 'a', 3, 5);
    await until('the change', () => seen.includes(4));
  });

  test('frozen: writes are refused, and are not made when it thaws', async () => {
    await start();
    server.freeze();
    expect(await refused(store, state)).toMatch(/the change may have been made/);
    server.thaw();
    expect(await loaded(store)).toBe(state);
    expect((await store.history({ limit: 9 })).length).toBe(3);
    expect((await put(store, 'a', 3, 4)).revision).toBe(4);
  });

  test('killed: that one change was refused is no part of why the store is down, which stays one reason', async () => {
    await start();
    await server.kill();
    await refused(store, state);
    await store.load().catch(() => {});
    const before = store.health();
    expect(before).toMatchObject({ up: false, reason: expect.stringContaining('ECONNREFUSED') });
    expect(await refused(store, state)).toMatch(/nothing was changed$/);
    expect(store.health()).toEqual(before);
  });

  test('frozen after it was killed once: the reason is its silence, not how it went away before', async () => {
    await start(persistent);
    await server.kill();
    expect(await refused(store, state)).toContain('ECONNREFUSED');
    await server.start();
    expect(await loaded(store)).toBe(state);
    server.freeze();
    const reasons = [await refused(store, state), await refused(store, state)];
    server.thaw();
    for (const reason of reasons) expect(reason).toMatch(/: no answer in time; /);
  });

  test('an answer that is lost: the change is made once, and acknowledged', async () => {
    await start();
    const relay = await Relay.to(server.port);
    try {
      const behind = open(addressOf(relay.port));
      await behind.load();
      relay.muteOpen();
      const change = changeOf(state.epoch, { route: 'a', expected: 3, next: at(77) });
      expect(await behind.compareAndSet(change)).toMatchObject({ kind: 'applied', entry: { revision: 4 } });
      expect((await store.load()).revision).toBe(4);
      expect(await store.history({ limit: 9 })).toHaveLength(4);
    } finally {
      relay.close();
    }
  });

  test('restarted empty: nothing is taken from it or written to it until a state is adopted', async () => {
    await start();
    await put(store, 'b', 0, 8);
    state = await store.load();
    const other = open(addressOf(server.port));
    await other.load();
    await server.kill();
    await server.start();
    await until('the dispute', () =>
      store.load().then(
        () => false,
        ({ name, message }: Error) => name === 'StoreDiverged' && message.includes('no state any more'),
      ),
    );
    expect(await refused(store, state)).toMatch(/its state is gone/);
    const { revision } = await store.adopt(state, { verb: 'adopt', actor: 'ann', reason: '', at: 1 });
    expect(revision).toBe(5);
    const adopted = await other.load();
    expect(adopted.routes.get('a')).toMatchObject({ weightPpm: 2, revision: 5 });
    expect(adopted.routes.get('b')).toMatchObject({ weightPpm: 8, revision: 5 });
    expect(adopted.epoch).not.toBe(state.epoch);
    expect((await put(other, 'a', 5, 9)).revision).toBe(6);
    expect((await store.load()).revision).toBe(6);
  });

  test('restarted empty: one that knows nothing does not start anew while others serve', async () => {
    await start();
    await server.kill();
    await server.start();
    await until('a report', () =>
      store.fleet?.report({ id: 'px', address: null, epoch: state.epoch, revision: 3 }).catch(() => undefined),
    );
    await expect(open(addressOf(server.port)).load()).rejects.toMatchObject({ name: 'StoreDiverged' });
  });

  test('restarted with an old snapshot: the lower revision is not taken, nor what is built on it', async () => {
    await start(['--dbfilename', 'dump.rdb']);
    await server.cli('save');
    await put(store, 'a', 3, 30);
    await put(store, 'b', 0, 40);
    state = await store.load();
    await server.kill();
    await server.start();
    await until('the dispute', () =>
      store.load().then(
        () => false,
        ({ name, message }: Error) => name === 'StoreDiverged' && message.includes('fell back to revision 3'),
      ),
    );
    expect(await refused(store, state)).toMatch(/fell back to revision 3; nothing was changed/);
    // One that has not seen more writes on, past what was seen here.
    const fresh = open(addressOf(server.port));
    for (let i = 0; i < 3; i++) await put(fresh, 'c', i === 0 ? 0 : 3 + i, i);
    await expect(store.load()).rejects.toThrow(/another history up to revision 6/);
    await store.adopt(state, { verb: 'adopt', actor: 'ann', reason: '', at: 1 });
    const { revision, routes } = await fresh.load();
    expect(revision).toBe(7);
    expect(new Map([...routes].map(([name, { weightPpm }]) => [name, weightPpm]))).toEqual(
      new Map([
        ['a', 30],
        ['b', 40],
        ['c', 2],
      ]),
    );
  });

  test('regression: one that knows nothing takes no older state than replicas serve that live', async () => {
    await start();
    const reported = (revision: number, epoch = state.epoch) =>
      store.fleet?.report({ id: 'px', address: null, epoch, revision });
    await reported(3);
    expect((await open(addressOf(server.port)).load()).revision).toBe(3);
    await reported(5);
    const fresh = open(addressOf(server.port));
    await expect(fresh.load()).rejects.toThrow(/fell back to revision 3; replicas serve another, or a later revision/);
    await reported(1, 'another');
    await expect(fresh.load()).rejects.toMatchObject({ name: 'StoreDiverged' });
    expect((await store.load()).revision).toBe(3);
    // Somebody has looked at it, and wants what is held.
    expect((await fresh.loadAnew()).revision).toBe(3);
    await reported(1, '');
    expect((await open(addressOf(server.port)).load()).revision).toBe(3);
  });

  test('scripts flushed: they are sent again', async () => {
    await start();
    await server.cli('script', 'flush');
    expect((await put(store, 'a', 3, 4)).revision).toBe(4);
    expect(await store.load()).toMatchObject({ revision: 4 });
  });

  test('subscribers cut off: changes are seen at the next look, and soon hinted at again', async () => {
    await start();
    const seen: number[] = [];
    const other = open(addressOf(server.port));
    other.watch(({ revision }) => seen.push(revision));
    await other.load();
    await server.cli('client', 'kill', 'type', 'pubsub');
    await put(store, 'a', 3, 4);
    expect((await other.load()).revision).toBe(4);
    await until(
      'a subscription',
      async () => !(await server.cli('pubsub', 'numsub', `crossfade:{${fleet}}:hints`)).endsWith('0'),
    );
    await until('hints', async () => {
      const { revision } = await put(store, 'a', (await store.load()).routes.get('a')?.revision ?? 0, 5);
      await new Promise((resolve) => setTimeout(resolve, 20));
      return seen.includes(revision);
    });
  });

  // ioredis subscribes again by itself, and nobody hears it when that fails: the process ended.
  test.each(['pubsub', 'normal'])('connections of kind %s cut off again and again, at every moment', async (kind) => {
    await start();
    const others = Array.from({ length: 5 }, () => open(addressOf(server.port)));
    await Promise.all(others.map((each) => each.load()));
    await server.cli('-r', '1000', '-i', '0.002', 'client', 'kill', 'type', kind);
    expect(await loaded(store)).toBe(state);
    expect((await put(store, 'a', 3, 4)).revision).toBe(4);
  });

  test('hints that do not arrive though the connection stands: a new one is made', async () => {
    await start();
    const relay = await Relay.to(server.port);
    try {
      const behind = open(addressOf(relay.port));
      await behind.load();
      await until(
        'a subscription',
        async () => !(await server.cli('pubsub', 'numsub', `crossfade:{${fleet}}:hints`)).endsWith('0'),
      );
      const before = relay.connections;
      relay.muteOpen();
      await until('new connections', async () => {
        await behind.load().catch(() => {});
        return relay.connections >= before + 2;
      });
    } finally {
      relay.close();
    }
  });

  test('10,000 routes: a change ships little', async () => {
    server = await RedisServer.start();
    store = open(addressOf(server.port));
    const { epoch } = await store.load();
    const routes = Array.from({ length: 10_000 }, (_, i) => ({ route: `route-${i}`, expected: 0, next: at(i) }));
    await store.compareAndSet(changeOf(epoch, ...routes));
    const other = open(addressOf(server.port));
    await other.load();
    const sent = async (): Promise<number> =>
      Number(/total_net_output_bytes:(\d+)/.exec(await server.cli('info', 'stats'))?.[1]);
    const before = await sent();
    await put(store, 'route-5000', 1, 7);
    await until('the change', async () => (await other.load()).revision === 2);
    expect((await sent()) - before).toBeLessThan(20_000);
  });
});

/** Writes until told to stop; what was acknowledged. */
async function keepWriting(store: Store, stop: () => boolean): Promise<AuditEntry[]> {
  const acknowledged: AuditEntry[] = [];
  while (!stop()) {
    try {
      const { routes } = await store.load();
      acknowledged.push(await put(store, 'a', routes.get('a')?.revision ?? 0, acknowledged.length));
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  return acknowledged;
}

describe('a failover', () => {
  test.each([
    [
      'sentinel',
      async () => {
        const group = await SentinelGroup.start();
        const [primary] = group.nodes;
        return { address: addressOf(group.sentinel.port, { topology: 'sentinel', primary: 'main' }), primary };
      },
    ] as const,
    [
      'cluster',
      async () => {
        const { nodes } = await ClusterGroup.start();
        const [primary, second] = nodes as [RedisServer, RedisServer];
        // A fleet whose slot the first has, which has the replica.
        for (let slot = 16_384; slot > 5460; fleet = randomUUID()) {
          slot = Number(await primary.cli('cluster', 'keyslot', `{${fleet}}`));
          if (slot <= 5460) break;
        }
        return { address: addressOf(second.port, { topology: 'cluster' }), primary };
      },
    ] as const,
  ])('of a %s: writes go on, and none that was acknowledged is lost in silence', async (_name, start) => {
    const { address, primary } = await start();
    const store = open(address);
    await store.load();
    let stop = false;
    let count = 0;
    store.watch(() => count++);
    const writing = keepWriting(store, () => stop);
    await until('writes', () => count > 20);
    await primary.kill();
    const before = count;
    const diverged: string[] = [];
    const watcher = setInterval(() => {
      store.load().catch((error: Error) => {
        if (error.name === 'StoreDiverged') diverged.push(error.message);
      });
    }, 100);
    try {
      await until('writes after the failover, or the news of a loss', () => count > before + 20 || diverged.length > 0);
    } finally {
      clearInterval(watcher);
      stop = true;
    }
    const acknowledged = await writing;
    const revisions = acknowledged.map(({ revision }) => revision);
    expect(revisions).toEqual([...new Set(revisions)].sort((a, b) => a - b));
    if (diverged.length > 0) return;
    const history = await store.history({ limit: 10_000 });
    const kept = new Map(history.map((entry) => [entry.revision, entry]));
    for (const entry of acknowledged) expect(kept.get(entry.revision)).toEqual(entry);
  });
});
