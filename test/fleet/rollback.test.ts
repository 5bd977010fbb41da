/** The judge on real replicas: that it happens, and why it says it did. How soon is for the bench. */
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import type { AuditEntry, RouteView } from '../../src/control/control.ts';
import { Load } from '../faults/load.ts';
import { RedisServer } from '../store/redis/servers.ts';
import { until } from '../supervisor/until.ts';
import { setWeight, TestFleet } from './fleet.ts';

/** Three replicas of processes each, on a machine that may do other work. */
vi.setConfig({ testTimeout: 90_000 });

/** One each test: what was judged and taken back once is another route afterwards. */
const ROUTES = ['errors', 'silent', 'together', 'alone', 'refusing'] as const;

let fleet: TestFleet;
let redis: RedisServer;
let load: Load | undefined;
let route: string;
let isRunning = false;

/** Three replicas, the same for all tests but those that come after a failed one. */
async function start(): Promise<void> {
  if (isRunning) return;
  redis = await RedisServer.start(['--appendonly', 'yes', '--appendfsync', 'always']);
  const sides = 'old: backend-old, new: backend-new';
  const routes = ROUTES.map((name) => `  - { name: ${name}, match: { path: /${name}/ }, ${sides} }`);
  routes.push(`  - { name: shop, match: { path: /shop/ }, ${sides}, sticky: [{ header: x-user }] }`);
  const store = `redis://127.0.0.1:${redis.port}`;
  fleet = await TestFleet.start({ store, workers: 1, routes: routes.join('\n') });
  isRunning = true;
}

/** The route under load at weight 10, or more, each replica having judged what both sides did so far. */
async function startUnderLoad(name: (typeof ROUTES)[number], { patienceMs = 0, weight = 10 } = {}): Promise<void> {
  await start();
  route = name;
  load = new Load(fleet.replicas, patienceMs, `/${name}/`);
  await judged(0, ({ old }) => old.requests > 300);
  expect((await setWeight(fleet.replica(0), weight, { route })).status).toBe(200);
  for (const i of fleet.replicas.keys()) await judged(i, ({ evidence }) => evidence.verdict === 'healthy');
}

function judged(replica: number, is: (view: RouteView) => boolean): Promise<RouteView> {
  const find = async (): Promise<RouteView | undefined> => {
    const view = await fleet.replica(replica).route(route);
    return is(view) ? view : undefined;
  };
  return until(`replica ${replica} to judge`, find, 60_000);
}

async function takenBack(): Promise<RouteView[]> {
  return Promise.all(
    fleet.replicas.map((_, i) => judged(i, ({ weight, applied }) => weight === 0 && applied.of === 3)),
  );
}

async function lastEntry(): Promise<AuditEntry | undefined> {
  const response = await fetch(`${fleet.replica(1).admin}/v1/history?limit=1&route=${route}`);
  return ((await response.json()) as { entries: AuditEntry[] }).entries[0];
}

async function metric(replica: number, line: RegExp): Promise<number> {
  const text = await (await fetch(`${fleet.replica(replica).admin}/metrics`)).text();
  return Number(line.exec(text)?.[1]);
}

afterEach(async ({ task }) => {
  fleet.origins.faults.old = fleet.origins.faults.new = 0;
  fleet.origins.hung.new = false;
  fleet.origins.spoiled = null;
  const hasFailed = task.result?.state === 'fail';
  // Also what hangs ends now.
  if (hasFailed) fleet.origins.stop();
  await load?.stop();
  load = undefined;
  if (hasFailed) await dispose();
});
afterAll(dispose);

async function dispose(): Promise<void> {
  if (isRunning) await fleet.dispose();
  isRunning = false;
  await RedisServer.disposeAll();
}

/** Requests of users to the sticky route, one after the other, until it is stopped; every other one by the same user. */
class Users {
  readonly #loop: Promise<void>;
  #next = 0;
  #stopped = false;

  constructor(always: string) {
    this.#loop = this.#ask(always);
  }

  async #ask(always: string): Promise<void> {
    for (let i = 0; !this.#stopped; i++) await sideOf(i, i % 2 === 0 ? always : `user-${this.#next++}`);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#loop;
  }
}

async function sideOf(replica: number, user: string): Promise<string> {
  const response = await fetch(`${fleet.replica(replica).proxy}/shop/`, { headers: { 'x-user': user } });
  return response.text();
}

describe('a sticky route', () => {
  test('stays where it is when one user of new always fails, and is taken back when all do', async () => {
    await start();
    route = 'shop';
    expect((await setWeight(fleet.replica(0), 50, { route })).status).toBe(200);
    let user = 0;
    while ((await sideOf(0, `spoiled-${user}`)) !== 'new') user++;
    fleet.origins.spoiled = `spoiled-${user}`;
    const users = new Users(fleet.origins.spoiled);
    try {
      // Counted request by request this would be half of new's against none of old's.
      const spoiled = await judged(1, (view) => view.new.faults > 40);
      expect(spoiled.weight).toBe(50);
      const next = await judged(2, ({ new: { requests } }) => requests > spoiled.new.requests + 20);
      expect(next.weight).toBe(50);
      expect(next.evidence.verdict).not.toBe('breach');
      fleet.origins.faults.new = 1;
      const { reason } = await judged(0, ({ weight }) => weight === 0);
      expect(reason).toMatch(/^new \d+ of \d+ failed, old 0 of \d+; evidence/);
    } finally {
      await users.stop();
    }
  });
});

describe('a new side', () => {
  test('that answers 500 is taken back by every replica, and the history says by what counts', async () => {
    await startUnderLoad('errors');
    fleet.origins.faults.new = 1;
    const views = await takenBack();
    for (const { state, reason } of views) {
      expect(state).toBe('rolledBack');
      expect(reason).toMatch(/^new \d+ of [\d,]+ failed, old 0 of [\d,]+; evidence [\d,.e+]+ against 1,000$/);
    }
    expect(await lastEntry()).toMatchObject({
      verb: 'rollback',
      actor: 'crossfade/judge',
      reason: views[0]?.reason,
      evidence: {
        verdict: 'breach',
        threshold: 1000,
        counts: { newFaults: expect.any(Number), newRequests: expect.any(Number), oldFaults: 0 },
      },
    });
    await until('the metric', async () => {
      return (await metric(2, /crossfade_rollbacks_total\{reason="comparison",route="errors"\} (\d+)/)) === 1;
    });
    const told = fleet.replicas
      .flatMap(({ stderr }) => stderr.split('\n'))
      .filter((line) => line.includes('"breach"') && line.includes('"errors"'));
    expect(told[0]).toContain('the new side: new');
    const { evidence } = await judged(0, (view) => view.evidence.verdict === 'breach');
    expect(evidence.threshold).toBe(1_000);
    const explained = await fetch(`${fleet.replica(0).admin}/v1/explain?route=${route}`);
    const { sentence } = (await explained.json()) as { sentence: string };
    expect(sentence).toContain(`crossfade/judge did rollback from 10%`);
    expect(sentence).toContain('the new side is judged breach: new');
  });

  test('that does not answer is taken back long before its requests time out', async () => {
    await startUnderLoad('silent', { patienceMs: 1_000 });
    fleet.origins.hung.new = true;
    const [view] = await takenBack();
    expect(view?.reason).toContain('were slower than old');
  });
});

test('both sides failing together are no reason, and neither is a frozen route moved', async () => {
  await startUnderLoad('together', { weight: 50 });
  fleet.origins.faults.old = fleet.origins.faults.new = 0.3;
  const seen = await judged(1, ({ new: { faults } }) => faults > 30);
  expect([seen.weight, seen.evidence.verdict]).toEqual([50, 'healthy']);
  const frozen = await fetch(`${fleet.replica(0).admin}/v1/routes/${route}/freeze`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ reason: 'test' }),
  });
  expect(frozen.status).toBe(200);
  fleet.origins.faults.old = 0;
  fleet.origins.faults.new = 1;
  const judgedSo = await judged(2, ({ evidence }) => evidence.verdict === 'breach');
  await judged(0, ({ new: { requests } }) => requests > judgedSo.new.requests + 100);
  expect((await fleet.replica(0).route(route)).weight).toBe(50);
});

test('with the store away nothing is compared; a replica that has seen enough goes back alone, and the store is told', async () => {
  await startUnderLoad('alone');
  await redis.kill();
  await judged(0, ({ evidence }) => evidence.reason.startsWith('the store does not answer'));
  fleet.origins.faults.new = 1;
  for (const i of fleet.replicas.keys()) {
    const { reason } = await judged(i, ({ weight }) => weight === 0);
    expect(reason).toContain('on this replica alone, until the store can be written');
  }
  await redis.start();
  await until('the store to know', async () => (await fleet.statuses()).every(({ alarm }) => alarm === null));
  await fleet.agreed();
  const response = await fetch(`${fleet.replica(2).admin}/v1/history?limit=10&route=${route}`);
  const { entries } = (await response.json()) as { entries: AuditEntry[] };
  // One of the three was first, and the others found it done.
  expect(entries.map(({ verb }) => verb)).toEqual(['rollback', 'set', 'init']);
  expect(entries[0]).toMatchObject({
    actor: expect.stringMatching(/^crossfade\/(judge|ceiling|dead-side)$/),
    evidence: { verdict: 'breach', counts: { newFaults: expect.any(Number) } },
  });
  for (const i of fleet.replicas.keys()) {
    expect(await fleet.replica(i).route(route)).toMatchObject({ weight: 0, state: 'rolledBack' });
  }
});

// The last one: nobody makes the new side take connections again.
test('a new side that takes no connections is left at once, and by all when two have seen it', async () => {
  await startUnderLoad('refusing');
  fleet.origins.stopNew();
  await takenBack();
  const { actor, reason } = (await lastEntry()) as AuditEntry;
  expect(['crossfade/dead-side', 'crossfade/judge']).toContain(actor);
  expect(reason).toMatch(/takes? no connections|the new side is dead|failed, old/);
});
