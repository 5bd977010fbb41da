/** The store is gone and the new side is bad: every replica goes back by itself, and the store learns of it when it is there again. */
import { afterEach, expect, test } from 'vitest';
import { run } from '../cli/harness.ts';
import { RedisServer } from '../store/redis/servers.ts';
import { until } from '../supervisor/until.ts';
import { setWeight, TestFleet } from './fleet.ts';

let fleet: TestFleet;
afterEach(async () => {
  await fleet.dispose();
  await RedisServer.disposeAll();
});

const sides = async (): Promise<Set<string>> =>
  new Set(await Promise.all(fleet.replicas.flatMap((replica) => Array.from({ length: 10 }, () => replica.get('/')))));

test('rollback --direct without Redis: served by all at once, kept over a restart, written when Redis is back', async () => {
  const redis = await RedisServer.start(['--appendonly', 'yes', '--appendfsync', 'always']);
  fleet = await TestFleet.start({ store: `redis://127.0.0.1:${redis.port}`, replicas: 2, workers: 1 });
  const [first, second] = fleet.replicas as [(typeof fleet.replicas)[0], (typeof fleet.replicas)[0]];
  await setWeight(first, 100);
  expect(await sides()).toEqual(new Set(['new']));
  await redis.kill();
  await until('both to notice', async () => (await fleet.statuses()).every(({ store }) => !store.up));
  const env = { CROSSFADE_ADMIN: first.admin, USER: 'ada' };
  expect((await run(['rollback', '--all'], env)).code).toBe(4);
  expect(await sides()).toEqual(new Set(['new']));

  const admins = `${first.admin},${second.admin}`;
  const direct = await run(['rollback', '--all', '--direct', '--reason', 'slow', '--admins', admins], env);
  expect(direct).toMatchObject({ code: 0, err: '' });
  expect(direct.out.split('\n')).toHaveLength(2);
  await until('the old side', async () => (await sides()).has('old') && !(await sides()).has('new'));
  const held = await first.route('demo');
  expect(held).toMatchObject({
    weight: 0,
    state: 'rolledBack',
    reason: expect.stringContaining('slow (on this replica'),
  });
  expect((await first.status()).alarm).toContain('rolled back on this replica alone');

  await second.stop();
  await second.start();
  expect(await sides()).toEqual(new Set(['old']));

  await redis.start();
  await until('the store to know', async () => (await fleet.statuses()).every(({ alarm }) => alarm === null));
  await fleet.agreed();
  expect(await first.route('demo')).toMatchObject({ weight: 0, state: 'rolledBack', reason: 'slow' });
  const history = await run(['history', '-o', 'json', '--limit', '2'], env);
  expect(JSON.parse(history.out)).toMatchObject({
    entries: [{ verb: 'rollback', actor: 'local', reason: 'slow' }, { verb: 'set' }],
  });
  // Whoever raises it afterwards is not held up by what is over.
  expect((await setWeight(second, 100)).status).toBe(200);
  expect(await sides()).toEqual(new Set(['new']));
});
