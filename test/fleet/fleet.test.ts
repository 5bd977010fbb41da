import { afterEach, describe, expect, test } from 'vitest';
import type { RouteView } from '../../src/control/control.ts';
import { sized } from '../size.ts';
import { RedisServer } from '../store/redis/servers.ts';
import { until } from '../supervisor/until.ts';
import { setWeight, TestFleet } from './fleet.ts';

let fleet: TestFleet;
afterEach(async () => {
  await fleet.dispose();
  await RedisServer.disposeAll();
});

describe('three replicas on one Redis', () => {
  const CHANGES = sized(200, 60);

  test(`${CHANGES} changes through any of them are served by all workers of all, and each answer counts them`, async () => {
    const redis = await RedisServer.start();
    fleet = await TestFleet.start({ store: `redis://127.0.0.1:${redis.port}` });
    let last = 0;
    for (let i = 0; i < CHANGES; i++) {
      const response = await setWeight(fleet.replica(i), i % 101);
      expect(response.status).toBe(200);
      const route = (await response.json()) as RouteView;
      expect(route.applied).toMatchObject({ replicas: 3, of: 3, ms: expect.any(Number) });
      expect(route.revision).toBeGreaterThan(last);
      last = route.revision;
      const statuses = await fleet.statuses();
      for (const { revision, workers } of statuses) {
        expect([revision, ...workers.map((worker) => worker.revision)]).toEqual([last, last, last]);
      }
    }
    const [status] = await fleet.agreed();
    expect(status?.replicas).toHaveLength(3);
    expect(new Set(status?.replicas.map(({ id }) => id)).size).toBe(3);
    expect(await redis.cli('hget', 'crossfade:{default}:state', 'revision')).toBe(String(last));
  });

  test('a replica that hangs is named, and forgotten when it stays away; one that leaves is forgotten at once', async () => {
    const redis = await RedisServer.start();
    fleet = await TestFleet.start({ store: `redis://127.0.0.1:${redis.port}` });
    const [first, second, third] = fleet.replicas as [
      (typeof fleet.replicas)[0],
      (typeof fleet.replicas)[0],
      (typeof fleet.replicas)[0],
    ];
    third.signal('SIGSTOP');
    try {
      const response = await setWeight(first, 10, { waitMs: 300 });
      expect(((await response.json()) as RouteView).applied).toEqual({ replicas: 2, of: 3, ms: null });
      const { replicas } = await first.status();
      expect(replicas.filter(({ applied }) => !applied).map(({ address }) => address)).toEqual([
        new URL(third.admin).host,
      ]);
      await until('it to be forgotten', async () => (await first.status()).replicas.length === 2);
    } finally {
      third.signal('SIGCONT');
    }
    await fleet.agreed();
    await second.stop();
    await until('it to be gone', async () => (await first.status()).applied.of === 2);
  });
});
