/** Two replicas on one Redis under mixed traffic, with a weight change each second and a fault each 20 s, for as long as told. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { sleep } from '../faults/outage.ts';
import { Backends, type Failure, type Tally, Traffic } from '../faults/traffic.ts';
import { freePort, RedisServer } from '../store/redis/servers.ts';
import { Replica, yamlOf } from '../supervisor/replica.ts';
import { until } from '../supervisor/until.ts';
import { chiSquare, type Share, slope } from './statistics.ts';

const MINUTES = Number(process.env['CROSSFADE_SOAK_MINUTES'] ?? 0.15);
/** Between two requests of each habit, on each replica. */
const PERIOD_MS = Number(process.env['CROSSFADE_SOAK_PERIOD_MS'] ?? 5);
const FAULT_EVERY_MS = Math.min(20_000, (MINUTES * 60_000) / 5);
/** How long after a worker was killed what it had under way may still be seen to fail. */
const KILL_MS = 2_000;
const SEED = Number(process.env['CROSSFADE_SOAK_SEED'] ?? Date.now() % 1_000_000);

/** Mulberry32: uniform in [0, 1). */
function chanceOf(seed: number): () => number {
  let random = seed;
  return () => {
    random = (random + 0x6d2b79f5) | 0;
    let t = Math.imul(random ^ (random >>> 15), 1 | random);
    t ^= t + Math.imul(t ^ (t >>> 7), 61 | t);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface Fleet {
  readonly redis: RedisServer;
  readonly backends: Backends;
  readonly replicas: readonly Replica[];
}

/** Gone with the test, so that another try begins with nothing of this one. */
async function start(): Promise<Fleet> {
  const backends = new Backends();
  const replicas = [new Replica(), new Replica()];
  onTestFinished(async () => {
    for (const replica of replicas) await replica.dispose();
    backends.stop();
    await RedisServer.disposeAll();
  });
  const redis = await RedisServer.start(['--appendonly', 'yes', '--appendfsync', 'always']);
  const addresses = await backends.start();
  for (const replica of replicas) {
    replica.configure(
      yamlOf(addresses, { head: 'stateFile: last.json' })
        .replace('listeners: [{ address: "127.0.0.1:0" }]', `listeners: [{ address: "127.0.0.1:${await freePort()}" }]`)
        .replace('store: file:state.json', `store: redis://127.0.0.1:${redis.port}`)
        .replace('drainTimeout: 5s', 'drainTimeout: 2h'),
    );
    await replica.start();
  }
  return { redis, backends, replicas };
}

/** Descriptors and resident bytes of all processes of all replicas. */
async function resources(replicas: readonly Replica[]): Promise<{ descriptors: number; bytes: number }> {
  let [descriptors, bytes] = [0, 0];
  for (const replica of replicas) {
    const { workers } = await replica.status();
    for (const pid of [replica.pid as number, ...workers.map((worker) => worker.pid)]) {
      try {
        descriptors += readdirSync(`/proc/${pid}/fd`).length;
        bytes += Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
      } catch {
        // It has just been replaced.
      }
    }
  }
  return { descriptors, bytes };
}

test('soak', { timeout: MINUTES * 60_000 + 120_000 }, async () => {
  const { redis, backends, replicas } = await start();
  const chance = chanceOf(SEED);
  let window: { of: number; toNew: number } | null = null;
  const traffics = replicas.map(
    (replica) =>
      new Traffic(
        () => replica.proxy,
        () => {
          const sentIn = window;
          return (body) => {
            // Only what was sent and answered within one span of a weight that all workers serve.
            if (sentIn === null || sentIn !== window) return;
            sentIn.of++;
            if (body === 'new') sentIn.toNew++;
          };
        },
        PERIOD_MS,
      ),
  );
  const kills: { replica: number; at: number }[] = [];

  const faults: Record<string, () => Promise<void>> = {
    'new workers': async () => replicas[Math.floor(chance() * 2)]?.signal('SIGUSR2'),
    reload: async () => replicas[Math.floor(chance() * 2)]?.signal('SIGHUP'),
    'Redis killed for 2 s': async () => {
      await redis.kill();
      await sleep(2_000);
      await redis.start();
    },
    'Redis frozen for 2 s': async () => {
      redis.freeze();
      await sleep(2_000);
      redis.thaw();
    },
    'pub/sub lost': async () => void (await redis.cli('client', 'kill', 'type', 'pubsub')),
    'worker killed': async () => {
      const replica = Math.floor(chance() * 2);
      // The other serves on; without one there would be nobody to connect to.
      const [victim, other] = ((await replicas[replica]?.status())?.workers ?? []).filter(({ ready }) => ready);
      if (victim === undefined || other === undefined) return;
      kills.push({ replica, at: performance.now() });
      process.kill(victim.pid, 'SIGKILL');
    },
  };

  const begun = performance.now();
  const endsAt = begun + MINUTES * 60_000;
  const shares: Share[] = [];
  const samples: { minute: number; descriptors: number; bytes: number }[] = [];
  const suffered: string[] = [];
  let [refused, changes, nextFault] = [0, 0, begun + FAULT_EVERY_MS];
  let fault: Promise<void> = Promise.resolve();
  while (performance.now() < endsAt) {
    const weight = Math.ceil(chance() * 99);
    window = null;
    const isApplied = await replicas[changes++ % 2]
      ?.setWeight('demo', weight)
      .then(({ applied }) => applied.replicas === applied.of)
      .catch(() => false);
    if (isApplied) window = { of: 0, toNew: 0 };
    else refused++;
    await sleep(1_000);
    if (window !== null) shares.push({ ...window, share: weight / 100 });
    window = null;
    samples.push({ minute: (performance.now() - begun) / 60_000, ...(await resources(replicas)) });
    if (performance.now() >= nextFault) {
      nextFault += FAULT_EVERY_MS;
      const names = Object.keys(faults);
      const name = names[Math.floor(chance() * names.length)] as string;
      await fault;
      suffered.push(`${name} (${Math.round(performance.now() - begun)} ms)`);
      fault = (faults[name] as () => Promise<void>)();
    }
  }
  await fault;
  await until('a fleet that is well again', async () => (await replicas[0]?.status())?.store.up);
  const tallies: Tally[] = await Promise.all(traffics.map((traffic) => traffic.stop()));
  // What a killed worker had under way: its connection was there before the death, and failed right after it.
  const unexplained = tallies.flatMap(({ failedRequests }, i) =>
    failedRequests.filter(
      ({ at, connectedAt }) =>
        !kills.some((kill) => kill.replica === i && connectedAt <= kill.at && at >= kill.at && at < kill.at + KILL_MS),
    ),
  );
  const total = (key: 'sent' | 'answered' | 'failed' | 'echoed' | 'broken'): number =>
    tallies.reduce((sum, tally) => sum + tally[key], 0);
  const settled = samples.slice(Math.floor(samples.length / 5));
  const { chi2, degrees, p } = chiSquare(shares);
  const perHour = (value: 'descriptors' | 'bytes'): number =>
    60 * slope(settled.map((sample) => [sample.minute, sample[value]] as const));
  const last = samples.at(-1);
  process.stdout.write(`soak of ${MINUTES} min, seed ${SEED}: faults: ${suffered.join(', ')}
requests ${total('sent')}, answered ${total('answered')}, failed ${total('failed')} (of these ${total('failed') - unexplained.length} under way in a worker that was killed), seen twice ${backends.seenTwice}
WebSocket messages ${total('echoed')}; weight changes ${changes}, of these ${refused} refused or late while Redis was away
descriptors ${last?.descriptors}, slope ${perHour('descriptors').toFixed(1)} an hour; memory ${((last?.bytes ?? 0) / 2 ** 20).toFixed(0)} MiB, slope ${(perHour('bytes') / 2 ** 20).toFixed(1)} MiB an hour
split: chi-square ${chi2.toFixed(1)} at ${degrees} degrees of freedom, p = ${p.toFixed(4)}
`);
  const when = ({ what, at, connectedAt }: Failure): string =>
    `${what} at ${Math.round(at - begun)} ms on a connection of ${Math.round(connectedAt - begun)} ms`;
  expect(unexplained.map(when), `seed ${SEED}; ${suffered.join(', ')}`).toEqual([]);
  expect(backends.seenTwice).toBe(0);
  expect(p, JSON.stringify(shares)).toBeGreaterThan(0.000_01);
  expect(shares.length).toBeGreaterThan(0);
});
