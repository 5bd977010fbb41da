/** A change that only the primary has is acknowledged, and told to be at risk; one that a replica has is safe. */
import { afterEach, expect, test } from 'vitest';
import type { CasResult, Store } from '../../../src/store/store.ts';
import { at, changeOf } from '../contract.ts';
import { addressOf, openAt } from './open.ts';
import { ClusterGroup, RedisServer, SentinelGroup } from './servers.ts';

let store: Store;
afterEach(async () => {
  await store.close();
  await RedisServer.disposeAll();
});

async function write(): Promise<string | undefined> {
  const { epoch, routes } = await store.load();
  const expected = routes.get('a')?.revision ?? 0;
  const result: CasResult = await store.compareAndSet(changeOf(epoch, { route: 'a', expected, next: at(expected) }));
  if (result.kind !== 'applied') throw new Error(JSON.stringify(result));
  return result.warning;
}

test('behind a sentinel: safe while the replica answers, at risk while it is frozen', async () => {
  const group = await SentinelGroup.start();
  store = openAt(addressOf(group.sentinel.port, { topology: 'sentinel', primary: 'main' }), 'f', undefined, 1);
  await expect.poll(write, { timeout: 10_000 }).toBeUndefined();
  const [, replica] = group.nodes;
  replica.freeze();
  expect(await write()).toMatch(/revision \d+ is written, but may be lost in a failover: 0 of 1 replicas had it/);
  replica.thaw();
  await expect.poll(write, { timeout: 10_000 }).toBeUndefined();
});

test('in a cluster: asked of the node that holds the fleet', async () => {
  const { nodes } = await ClusterGroup.start();
  const ports = nodes.map(({ port }) => ({ host: '127.0.0.1', port }));
  const warnings: string[] = [];
  // Over all slots, so of each node; only the first node has a replica.
  for (const fleet of ['a', 'b', 'c', 'd', 'e', 'g', 'h', 'i']) {
    store = openAt({ ...addressOf(1), nodes: ports, topology: 'cluster' }, fleet, undefined, 1);
    warnings.push((await write()) ?? 'safe');
    await store.close();
  }
  expect(new Set(warnings.map((warning) => /safe|0 of 1 replicas/.exec(warning)?.[0]))).toEqual(
    new Set(['safe', '0 of 1 replicas']),
  );
});

test('a primary that demands replicas refuses to write without them, and says so', async () => {
  const redis = await RedisServer.start([]);
  store = openAt(addressOf(redis.port), 'f');
  await store.load();
  await redis.cli('config', 'set', 'min-replicas-to-write', '1');
  await expect(write()).rejects.toThrow(/NOREPLICAS.*nothing was changed/s);
});
