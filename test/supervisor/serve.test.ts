import { mkdirSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Origins, Replica, yamlOf } from './replica.ts';
import { until } from './until.ts';

let origins: Origins;
let backends: { old: string; new: string };
let replica: Replica;

beforeEach(async () => {
  origins = new Origins();
  backends = await origins.start();
  replica = new Replica();
  replica.configure(yamlOf(backends));
});

afterEach(async () => {
  await replica.dispose();
  origins.stop();
});

const sides = async (count: number): Promise<Set<string>> =>
  new Set(await Promise.all(Array.from({ length: count }, () => replica.get('/'))));

test('a route moves to the new side and is rolled back, and each is served as soon as it is applied', async () => {
  await replica.start();
  expect(await sides(20)).toEqual(new Set(['old']));
  const moved = await replica.setWeight('demo', 100);
  expect(moved).toMatchObject({ weight: 100, applied: { replicas: 1, of: 1 } });
  expect(await sides(20)).toEqual(new Set(['new']));
  const rollback = await fetch(`${replica.admin}/v1/rollback`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ reason: 'test', wait: 10_000 }),
  });
  expect(await rollback.json()).toMatchObject({ routes: [{ weight: 0, state: 'rolledBack' }] });
  expect(await sides(20)).toEqual(new Set(['old']));
  const metrics = await (await fetch(`${replica.admin}/metrics`)).text();
  expect(metrics).toMatch(/^crossfade_rollbacks_total\{.*route="demo".*\} 1$/m);
  const { old, new: next } = await replica.route('demo');
  expect([old.requests, next.requests]).toEqual([40, 20]);
});

test('weights survive a restart', async () => {
  await replica.start();
  await replica.setWeight('demo', 100);
  await replica.stop();
  await replica.start();
  expect(await sides(10)).toEqual(new Set(['new']));
});

test('a worker that is killed is replaced, while the other serves', async () => {
  await replica.start();
  const before = await replica.status();
  const victim = before.workers[0]?.pid as number;
  process.kill(victim, 'SIGKILL');
  const after = await until('a successor', async () => {
    const status = await replica.status();
    return status.workers.every(({ pid, ready }) => pid !== victim && ready) && status.workers.length === 2 && status;
  });
  expect(after.workers.map(({ pid }) => pid)).toContain(before.workers[1]?.pid);
  expect(await sides(20)).toEqual(new Set(['old']));
});

describe('SIGTERM', () => {
  test('lets requests under way finish, then exits with 0', async () => {
    await replica.start();
    const { pid } = (await replica.status()).workers[0] as { pid: number };
    const answers = [replica.get('/slow'), replica.get('/slow'), replica.get('/slow')];
    await until('requests under way', async () => {
      const metrics = await (await fetch(`${replica.admin}/metrics`)).text();
      return metrics.includes('crossfade_inflight_requests{route="demo",side="old"} 3');
    });
    replica.signal('SIGTERM');
    expect(await Promise.all(answers)).toEqual(['old', 'old', 'old']);
    expect(await replica.exit()).toBe(0);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });
});

describe('a start that cannot be', () => {
  test('for a wrong file says each line and key, and exits with 78', async () => {
    const wrong = '  - { name: x, match: { path: /x }, old: backend-old, new: nowhere, weight: 101 }';
    replica.configure(yamlOf(backends, { head: 'colour: red', routes: wrong }));
    replica.launch();
    expect(await replica.exit()).toBe(78);
    const places = replica.stderr
      .trim()
      .split('\n')
      .map((line) => line.replace(replica.file, '').split(': ', 2).join(' ').replace(/:\d+ /, ' '));
    expect(places).toEqual([':7 colour', ':13 routes[1].new', ':13 routes[1].weight']);
  });

  test('for ports in use names each, and exits with 78', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await until('the port', () => taken.listening);
    const address = `127.0.0.1:${(taken.address() as AddressInfo).port}`;
    replica.configure(
      yamlOf(backends).replace('listeners: [{ address: "127.0.0.1:0" }]', `listeners: [{ address: "${address}" }]`),
    );
    replica.launch();
    expect(await replica.exit()).toBe(78);
    expect(replica.stderr).toContain(`${replica.file}: listeners[0].address: ${address} is in use by another process`);

    replica.configure(
      yamlOf(backends).replace('admin: { address: "127.0.0.1:0" }', `admin: { address: "${address}" }`),
    );
    replica.launch();
    expect(await replica.exit()).toBe(78);
    expect(replica.stderr).toContain(`${replica.file}: admin.address: ${address} is in use by another process`);
    taken.close();
  });
});

/** What stands in the store's place cannot be read as a file. */
function breakStore(): void {
  mkdirSync(join(replica.folder, 'broken', 'state.json'), { recursive: true });
  replica.configure(
    yamlOf(backends).replace('store: file:state.json', 'store: file:broken/state.json\nstateFile: last.json'),
  );
}

describe('a start without the store', () => {
  test('serves the last state from disk', async () => {
    replica.configure(
      yamlOf(backends).replace('store: file:state.json', 'store: file:state.json\nstateFile: last.json'),
    );
    await replica.start();
    await replica.setWeight('demo', 100);
    await replica.stop();
    breakStore();
    await replica.start();
    expect(await sides(10)).toEqual(new Set(['new']));
    expect(await replica.status()).toMatchObject({ ready: true, store: { up: false } });
  });

  test('and without a last state is not ready, and its workers do not listen', async () => {
    breakStore();
    replica.launch();
    const status = await until('the workers', async () => {
      const seen = await replica.status().catch(() => undefined);
      return seen?.workers.length === 2 && seen;
    });
    expect(status).toMatchObject({ ready: false, store: { up: false } });
    expect(status.notReady).toContain('--bootstrap old');
    expect((await fetch(`${replica.admin}/readyz`)).status).toBe(503);
    expect(status.workers.every(({ ready }) => !ready)).toBe(true);
  });

  test('serves everything from old when told so', async () => {
    breakStore();
    await replica.start('--bootstrap', 'old');
    expect(await sides(10)).toEqual(new Set(['old']));
    expect(await replica.status()).toMatchObject({ ready: true, epoch: '', store: { up: false } });
  });
});
