/** A fleet whose Redis fails over to another, or whose clocks are apart: nobody's request fails, no step is taken twice. */
import { afterEach, expect, test } from 'vitest';
import { run } from '../cli/harness.ts';
import { setWeight, TestFleet } from '../fleet/fleet.ts';
import { ClusterGroup, RedisServer, SentinelGroup } from '../store/redis/servers.ts';
import { until } from '../supervisor/until.ts';
import { Load } from './load.ts';
import { changed, OUTAGE_MS, suffer } from './outage.ts';
import { addRow } from './table.ts';

const TIMEOUT_MS = 60_000 + 3 * OUTAGE_MS;

/** One of them falls to the first of three nodes. */
const NAMES = Array.from({ length: 20 }, (_, i) => `fleet-${i}`);

let fleet: TestFleet;
afterEach(async () => {
  await fleet.dispose();
  await RedisServer.disposeAll();
});

test.each([
  [
    'Sentinel failover',
    async () => {
      const group = await SentinelGroup.start();
      return {
        store: `redis+sentinel://127.0.0.1:${group.sentinel.port}/main`,
        primary: group.nodes[0],
        fleet: 'default',
      };
    },
  ] as const,
  [
    'Cluster failover',
    async () => {
      const { nodes } = await ClusterGroup.start();
      const ports = nodes.map(({ port }) => `127.0.0.1:${port}`).join(',');
      const [first] = nodes as [RedisServer];
      // The first node has the lowest slots, and a replica.
      const slots = await Promise.all(NAMES.map((name) => first.cli('cluster', 'keyslot', `{${name}}`)));
      const name = NAMES[slots.findIndex((slot) => Number(slot) <= 5460)] as string;
      return { store: `redis+cluster://${ports}`, primary: first, fleet: name };
    },
  ] as const,
])('%s', { timeout: TIMEOUT_MS }, async (name, start) => {
  const { store, primary, fleet: named } = await start();
  fleet = await TestFleet.start({ store, fleet: named });
  const told: (string | null)[] = [];
  await suffer({
    name,
    fleet,
    begin: () => primary.kill(),
    async meanwhile() {
      await until('a write, or the news of a loss', async () => {
        const [status] = await fleet.statuses();
        if (status?.alarm) told.push(status.alarm);
        return told.length > 0 || (await setWeight(fleet.replica(0), 30)).ok;
      });
    },
    end: () => changed(fleet),
  });
  expect(told).toEqual([]);
});

test('clocks an hour apart: the ramp takes each step once, and nothing is rolled back', {
  timeout: TIMEOUT_MS,
}, async () => {
  const redis = await RedisServer.start([]);
  fleet = await TestFleet.prepare({ store: `redis://127.0.0.1:${redis.port}` });
  for (const [i, hours] of [0, 1, -1].entries()) fleet.replica(i).skewClock(hours * 3_600_000);
  await Promise.all(fleet.replicas.map((replica) => replica.start()));
  await fleet.agreed();
  const load = new Load(fleet.replicas);
  const ramp = ['ramp', 'demo', '--steps', '20:1s,40:1s,60:1s,80:1s,100', '--reason', 'go'];
  expect(await run(ramp, { CROSSFADE_ADMIN: fleet.replica(1).admin })).toMatchObject({ code: 0, err: '' });
  await until('the end', async () => (await fleet.replica(0).route('demo')).state === 'completed', 60_000);
  const { requests, failed, failures } = await load.stop();
  const { out } = await run(['history', '-o', 'json', '--limit', '100'], { CROSSFADE_ADMIN: fleet.replica(2).admin });
  const { entries } = JSON.parse(out) as { entries: { verb: string; routes: { after: { weight: number } }[] }[] };
  const moves = entries.toReversed().filter(({ verb }) => verb !== 'init');
  const steps = moves.map(({ verb, routes }) => [verb, routes[0]?.after.weight]);
  addRow({
    fault: 'clocks of three replicas an hour apart',
    sent: requests,
    answered: requests - failed,
    failed,
    seenTwice: 0,
    figure: `a ramp of 5 steps: ${steps.length} changes of the weight, to ${steps.map(([, weight]) => weight).join(', ')}`,
    limit: '0 failed, each step once, no rollback',
  });
  expect(failures).toEqual([]);
  expect(steps).toEqual([['ramp', 20], ...[40, 60, 80, 100].map((weight) => ['step', weight])]);
});
