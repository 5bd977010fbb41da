/** Faults of the store under load on three replicas: nobody's request fails, no weight moves, nothing is lost in silence. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, expect, test } from 'vitest';
import { run } from '../cli/harness.ts';
import { setWeight, TestFleet } from '../fleet/fleet.ts';
import { addressOf, openAt } from '../store/redis/open.ts';
import { ClusterGroup, RedisServer, SentinelGroup } from '../store/redis/servers.ts';
import type { Replica } from '../supervisor/replica.ts';
import { until } from '../supervisor/until.ts';
import { Load } from './load.ts';
import { alarmed, OUTAGE_MS, refusedWrite, sleep, suffer } from './outage.ts';
import { addRow, IS_LONG } from './table.ts';

const TIMEOUT_MS = 60_000 + 3 * OUTAGE_MS;
const PERSISTENT = ['--appendonly', 'yes', '--appendfsync', 'always'];

/** One of them falls to the first of three nodes. */
const NAMES = Array.from({ length: 20 }, (_, i) => `fleet-${i}`);

let fleet: TestFleet;
afterEach(async () => {
  await fleet.dispose();
  await RedisServer.disposeAll();
});

async function onRedis(args: readonly string[]): Promise<RedisServer> {
  const redis = await RedisServer.start(args);
  fleet = await TestFleet.start({ store: `redis://127.0.0.1:${redis.port}` });
  return redis;
}

/** Asks until a replica takes it: the store has just come back. Returns when it was asked first. */
async function changed(): Promise<number> {
  const now = performance.now();
  await until('a write', async () => (await setWeight(fleet.replica(0), 60, { waitMs: 0 })).ok, 30_000);
  return now;
}

test('killed', { timeout: TIMEOUT_MS }, async () => {
  const redis = await onRedis(PERSISTENT);
  await suffer({
    name: 'Redis killed',
    fleet,
    outageMs: IS_LONG ? 60_000 : OUTAGE_MS,
    begin: () => redis.kill(),
    async meanwhile(note) {
      await alarmed(fleet, note);
      expect(await refusedWrite(fleet, note)).toMatch(/ECONNREFUSED/);
    },
    async end() {
      await redis.start();
      return changed();
    },
  });
});

test('frozen', { timeout: TIMEOUT_MS }, async () => {
  const redis = await onRedis([]);
  await suffer({
    name: 'Redis frozen',
    fleet,
    begin: async () => redis.freeze(),
    async meanwhile(note) {
      expect(await refusedWrite(fleet, note)).toMatch(/may have been made|nothing was changed/);
      await alarmed(fleet, note);
    },
    async end() {
      redis.thaw();
      return changed();
    },
  });
});

test.each([
  ['restarted empty', [], /no state any more/],
  ['restarted with an old snapshot', ['--dbfilename', 'dump.rdb'], /fell back to revision/],
] as const)('%s', { timeout: TIMEOUT_MS }, async (name, args, reason) => {
  const redis = await onRedis(args);
  if (args.length > 0) await redis.cli('save');
  let adopter: ReturnType<typeof openAt> | undefined;
  await suffer({
    name: `Redis ${name}`,
    fleet,
    async begin() {
      adopter = openAt(addressOf(redis.port), 'default');
      await adopter.load();
      await redis.kill();
      await redis.start();
    },
    async meanwhile(note) {
      const start = performance.now();
      await until('the dispute', async () => (await fleet.statuses()).every(({ alarm }) => reason.test(alarm ?? '')));
      note('dispute seen after', performance.now() - start);
      await refusedWrite(fleet, note);
    },
    async end() {
      // As `POST /v1/adopt` on a replica does, by one that serves the same.
      const served = await fleet.replica(0).route('demo');
      const position = { weightPpm: served.weight * 10_000, cutover: 'steady' as const, frozen: false };
      const { epoch, revision } = await fleet.replica(0).status();
      const routes = new Map([['demo', { revision, ...position, reason: 'r', actor: 'a', at: 1 }]]);
      await adopter?.adopt({ epoch, revision, routes }, { verb: 'adopt', actor: 'ann', reason: 'back', at: 1 });
      return changed();
    },
  });
  await adopter?.close();
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
    end: changed,
  });
  expect(told).toEqual([]);
});

test('all pub/sub lost', { timeout: TIMEOUT_MS }, async () => {
  const redis = await onRedis([]);
  const stop = new AbortController();
  const cut = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await redis.cli('client', 'kill', 'type', 'pubsub');
      await sleep(20);
    }
  };
  let done: Promise<void> | undefined;
  await suffer({
    name: 'all pub/sub lost',
    fleet,
    async begin() {
      done = cut();
    },
    async meanwhile(note) {
      for (let i = 0; i < 3; i++) {
        const start = performance.now();
        const response = await setWeight(fleet.replica(i), 30);
        expect(await response.json()).toMatchObject({ applied: { replicas: 3, of: 3 } });
        note('a change applied after', performance.now() - start);
      }
    },
    async end() {
      const now = await changed();
      stop.abort();
      await done;
      return now;
    },
  });
});

test('a replica started while Redis is down serves its last state, or nothing, or old when told so', async () => {
  const redis = await onRedis(PERSISTENT);
  await setWeight(fleet.replica(0), 30);
  await fleet.agreed();
  await redis.kill();
  const restarted = fleet.replica(2);
  await restarted.stop();
  await restarted.start();
  expect(await restarted.status()).toMatchObject({ ready: true, store: { up: false } });
  expect((await restarted.route('demo')).weight).toBe(30);
  const fresh = await TestFleet.prepare({ store: `redis://127.0.0.1:${redis.port}`, replicas: 1 });
  const unknowing = fresh.replica(0);
  try {
    unknowing.launch();
    await until('a refusal of readiness', async () => {
      const response = await fetch(`${unknowing.admin}/readyz`).catch(() => undefined);
      return response?.status === 503 && (await response.text()).includes('no last state is on disk');
    });
    unknowing.signal('SIGKILL');
    await unknowing.exit();
    await unknowing.start('--bootstrap', 'old');
    expect(await unknowing.get('/')).toBe('old');
    await redis.start();
    await changed();
    await until('all to serve the change', async () => {
      const weights = [...fleet.replicas, unknowing].map(async (replica) => (await replica.route('demo')).weight);
      return (await Promise.all(weights)).every((weight) => weight === 60);
    });
  } finally {
    await fresh.dispose();
  }
});

test('disk full for the last state: everything goes on, and it is said', { timeout: TIMEOUT_MS }, async () => {
  await onRedis([]);
  const before = await readFile(join(fleet.replica(1).folder, 'last.json'), 'utf8');
  await suffer({
    name: 'disk full for the last state',
    fleet,
    async begin() {
      // The supervisor may make no file longer than this.
      await limitFiles(fleet.replica(1), '64:unlimited');
      expect((await setWeight(fleet.replica(0), 30)).status).toBe(200);
    },
    async meanwhile() {
      await until('the alarm', async () => (await fleet.replica(1).status()).alarm?.includes('last.json'));
      expect(await readFile(join(fleet.replica(1).folder, 'last.json'), 'utf8')).toContain('crossfade-last-state');
    },
    async end() {
      await limitFiles(fleet.replica(1), 'unlimited');
      const now = await changed();
      await until('the end of the alarm', async () => (await fleet.replica(1).status()).alarm === null);
      await until(
        'the state on disk',
        async () => (await readFile(join(fleet.replica(1).folder, 'last.json'), 'utf8')) !== before,
      );
      return now;
    },
  });
});

async function limitFiles(replica: Replica, limit: string): Promise<void> {
  await promisify(execFile)('prlimit', [`--pid=${replica.pid}`, `--fsize=${limit}`]);
}

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
