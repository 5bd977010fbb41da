/** Faults of a Redis under load on three replicas: nobody's request fails, no weight moves, nothing is lost in silence. */
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { setWeight, TestFleet } from '../fleet/fleet.ts';
import { addressOf, openAt } from '../store/redis/open.ts';
import { RedisServer } from '../store/redis/servers.ts';
import type { Replica } from '../supervisor/replica.ts';
import { until } from '../supervisor/until.ts';
import { alarmed, changed, OUTAGE_MS, refusedWrite, sleep, suffer } from './outage.ts';
import { IS_LONG } from './table.ts';

const TIMEOUT_MS = 60_000 + 3 * OUTAGE_MS;
const PERSISTENT = ['--appendonly', 'yes', '--appendfsync', 'always'];

let fleet: TestFleet;
let redis: RedisServer;
let isRunning = false;

/** One fleet suffers one fault after the other; one that has not got over the last is replaced. */
beforeEach(async () => {
  if (isRunning && (await isWell())) return;
  await dispose();
  redis = await RedisServer.start(PERSISTENT);
  fleet = await TestFleet.start({ store: `redis://127.0.0.1:${redis.port}` });
  isRunning = true;
});
afterAll(dispose);

async function dispose(): Promise<void> {
  if (isRunning) await fleet.dispose();
  isRunning = false;
  await RedisServer.disposeAll();
}

async function isCalm(): Promise<boolean> {
  return (await fleet.agreed()).every(({ alarm }) => alarm === null);
}

function isWell(): Promise<boolean> {
  return until('a fleet that is well', isCalm).catch(() => false);
}

test('killed', { timeout: TIMEOUT_MS }, async () => {
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
      return changed(fleet);
    },
  });
});

test('frozen', { timeout: TIMEOUT_MS }, async () => {
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
      return changed(fleet);
    },
  });
});

test.each([
  ['restarted empty', () => {}, /no state any more/],
  [
    'restarted with an old snapshot',
    () => cpSync(redis.folder, `${redis.folder}-old`, { recursive: true }),
    /fell back to revision/,
  ],
] as const)('%s', { timeout: TIMEOUT_MS }, async (name, keep, reason) => {
  keep();
  let adopter: ReturnType<typeof openAt> | undefined;
  await suffer({
    name: `Redis ${name}`,
    fleet,
    async begin() {
      adopter = openAt(addressOf(redis.port), 'default');
      await adopter.load();
      await redis.kill();
      rmSync(redis.folder, { recursive: true });
      if (existsSync(`${redis.folder}-old`)) renameSync(`${redis.folder}-old`, redis.folder);
      else mkdirSync(redis.folder);
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
      return changed(fleet);
    },
  });
  await adopter?.close();
});

test('all pub/sub lost', { timeout: TIMEOUT_MS }, async () => {
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
      const now = await changed(fleet);
      stop.abort();
      await done;
      return now;
    },
  });
});

test('a replica started while Redis is down serves its last state, or nothing, or old when told so', async () => {
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
    await changed(fleet);
    await until('all to serve the change', async () => {
      const weights = [...fleet.replicas, unknowing].map(async (replica) => (await replica.route('demo')).weight);
      return (await Promise.all(weights)).every((weight) => weight === 60);
    });
  } finally {
    await fresh.dispose();
  }
});

test('disk full for the last state: everything goes on, and it is said', { timeout: TIMEOUT_MS }, async () => {
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
      const now = await changed(fleet);
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
