/** A ramp that three replicas walk on one Redis, while they are killed and started again: each step once, in order. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import type { AuditEntry } from '../../src/control/control.ts';
import { run } from '../cli/harness.ts';
import { RedisServer } from '../store/redis/servers.ts';
import type { Replica } from '../supervisor/replica.ts';
import { until } from '../supervisor/until.ts';
import { TestFleet } from './fleet.ts';

let fleet: TestFleet;
let load: Load | undefined;
afterEach(async () => {
  await load?.stop();
  await fleet.dispose();
  await RedisServer.disposeAll();
});

/** Asks all replicas without a pause; one that is away is passed over. */
class Load {
  readonly #stopping = new AbortController();
  readonly #loops: Promise<void>[];

  constructor(replicas: readonly Replica[]) {
    this.#loops = replicas.flatMap((replica) => [this.#loop(replica), this.#loop(replica)]);
  }

  async #loop(replica: Replica): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const failed = await replica.get('/').then(
        () => false,
        () => true,
      );
      if (failed) await sleep(50);
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#loops);
  }
}

async function steps(): Promise<[string, number | undefined][]> {
  const redis = await Promise.any(
    fleet.replicas.map(async (replica) => {
      const { out, code } = await run(['history', '-o', 'json', '--limit', '100'], { CROSSFADE_ADMIN: replica.admin });
      if (code !== 0) throw new Error('away');
      return JSON.parse(out) as { entries: (AuditEntry & { routes: { after: { weight: number } }[] })[] };
    }),
  );
  return redis.entries
    .toReversed()
    .filter(({ verb }) => verb === 'ramp' || verb === 'step')
    .map(({ actor, routes }) => [actor, routes[0]?.after.weight]);
}

test('replicas that are killed and started again walk a ramp through every step once, in order, and complete it', async () => {
  const redis = await RedisServer.start(['--appendonly', 'yes']);
  fleet = await TestFleet.start({ store: `redis://127.0.0.1:${redis.port}`, workers: 1 });
  load = new Load(fleet.replicas);
  const env = () => ({ CROSSFADE_ADMIN: fleet.replica(0).admin });
  const begun = await run(['ramp', 'demo', '--steps', '30:2s,40:1s,50:1s:20,60:1s,70:1s,100', '--reason', 'go'], env());
  expect(begun).toMatchObject({ code: 0, err: '' });
  const weights = [30, 40, 50, 60, 70, 100];
  const starting: Promise<void>[] = [];
  for (const replica of fleet.replicas.slice(1)) {
    const before = (await steps()).length;
    await replica.kill();
    await until('a step without it', async () => (await steps()).length > before);
    starting.push(replica.start());
  }
  await Promise.all(starting);
  await until('the end', async () => (await fleet.replica(0).route('demo')).state === 'completed', 60_000);
  const [first, ...rest] = await steps();
  expect(first).toEqual(['local', 30]);
  expect(rest).toEqual(weights.slice(1).map((weight) => ['crossfade/ramp', weight]));
  expect(await fleet.replica(1).route('demo')).toMatchObject({ weight: 100, ramp: null });
}, 120_000);

test('a ramp without replicas stands still, and goes on where it was when they are back', async () => {
  const redis = await RedisServer.start(['--appendonly', 'yes']);
  fleet = await TestFleet.start({ store: `redis://127.0.0.1:${redis.port}`, replicas: 2, workers: 1 });
  const env = () => ({ CROSSFADE_ADMIN: fleet.replica(0).admin });
  await run(['ramp', 'demo', '--steps', '20:1s:approval,100', '--reason', 'go'], env());
  for (const replica of fleet.replicas) {
    await until('approval to be asked for', async () => (await replica.route('demo')).state === 'held');
  }
  expect(await fleet.replica(0).route('demo')).toMatchObject({ weight: 20, ramp: { waiting: { for: 'approval' } } });
  await Promise.all(fleet.replicas.map((replica) => replica.stop()));
  await Promise.all(fleet.replicas.map((replica) => replica.start()));
  expect(await fleet.replica(1).route('demo')).toMatchObject({ weight: 20, state: 'held', ramp: { step: 1, of: 2 } });
  expect(await run(['step', 'demo', '--reason', 'looks good'], env())).toMatchObject({ code: 0, err: '' });
  expect(await fleet.replica(0).route('demo')).toMatchObject({ weight: 100, state: 'completed', ramp: null });
}, 60_000);
