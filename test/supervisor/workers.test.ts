import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Events } from '../../src/control/events.ts';
import type { Plan } from '../../src/control/plan.ts';
import { Supervisor } from '../../src/control/supervisor.ts';
import { isReady } from '../../src/control/worker-status.ts';
import type { DownMessage } from '../../src/seam.ts';
import { planOf, stateOf } from '../control/plans.ts';
import { until } from './until.ts';

const FAKE_WORKER = fileURLToPath(new URL('./fake-worker.mjs', import.meta.url));
type Told = DownMessage & { pid: number };

let folder: string;
let supervisor: Supervisor;
let events: Events;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'crossfade-workers-'));
  process.env['FAKE_LOG'] = join(folder, 'told');
  writeFileSync(join(folder, 'told'), '');
});

afterEach(async () => {
  supervisor.kill();
  await supervisor.drain(1_000, 0);
  delete process.env['FAKE'];
  rmSync(folder, { recursive: true });
});

const monotonic = (): number => performance.now();

/** A supervisor with the plan, not started yet. */
function supervise(behaviour: string, plan: Plan): Supervisor {
  process.env['FAKE'] = behaviour;
  events = new Events(() => 0);
  supervisor = new Supervisor(plan, {
    workerScript: FAKE_WORKER,
    events,
    monotonic,
    onEvidence() {},
    onBeat() {},
    onServed() {},
  });
  return supervisor;
}

/** Started, at revision 1, and settled. */
async function running(behaviour: string, plan: Plan): Promise<Supervisor> {
  supervise(behaviour, plan).show(stateOf(1, { a: 10, b: 20 }));
  supervisor.install(plan);
  expect(await supervisor.settled()).toBeNull();
  return supervisor;
}

const told = (): Told[] =>
  readFileSync(join(folder, 'told'), 'utf8')
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Told);

const pids = (): number[] => supervisor.workers().map(({ pid }) => pid);
const allReady = (count: number): boolean =>
  supervisor.workers().length === count && supervisor.workers().every(isReady);

describe('a worker that says hello', () => {
  test('is told the table, the endpoints of every backend, their health and every weight, in this order', async () => {
    await running('', planOf(['a', 'b'], { workers: 1 }));
    expect(told().map(({ kind }) => kind)).toEqual([
      'table',
      'endpoints',
      'endpoints',
      'health',
      'health',
      'bounds',
      'weights',
    ]);
    expect(told()[2]).toMatchObject({ backend: 1, added: [{ host: '127.0.0.1', port: 9102 }] });
    expect(told()[6]).toMatchObject({
      revision: 1,
      weights: [
        [0, 10, 0],
        [1, 20, 0],
      ],
    });
  });

  test('is told nothing while no state is known, so that it does not even listen', async () => {
    const plan = planOf(['a'], { workers: 1 });
    supervise('', plan).install(plan);
    await until('hello', () => supervisor.workers()[0]?.greeted);
    expect(told()).toEqual([]);
    supervisor.show(stateOf(5, { a: 10 }));
    await supervisor.settled();
    expect(supervisor.applied.view(5)).toMatchObject({ replicas: 1, of: 1 });
  });
});

describe('a change', () => {
  test('is told as a patch, and counts as applied when all workers serve it', async () => {
    await running('', planOf(['a', 'b']));
    expect(supervisor.applied.view(2)).toEqual({ replicas: 0, of: 1, ms: null });
    supervisor.show(stateOf(2, { a: 10, b: 30 }));
    await supervisor.applied.wait(2, 10_000);
    expect(supervisor.applied.view(2)).toEqual({ replicas: 1, of: 1, ms: expect.any(Number) as number });
    const patches = told().filter((message) => message.kind === 'weights' && message.revision === 2);
    expect(patches.map((patch) => patch.kind === 'weights' && patch.weights)).toEqual([[[1, 30, 0]], [[1, 30, 0]]]);
  });

  test('does not count as applied while one worker lags behind, and waiting for it ends', async () => {
    await running('lags behind', planOf(['a']));
    supervisor.show(stateOf(2, { a: 99 }));
    await supervisor.applied.wait(2, 50);
    expect(supervisor.applied.view(2)).toEqual({ replicas: 0, of: 1, ms: null });
    expect(supervisor.applied.view(1).replicas).toBe(1);
  });
});

describe('a worker that dies', () => {
  test('is replaced, and its successor is told everything', async () => {
    await running('', planOf(['a', 'b']));
    supervisor.show(stateOf(2, { a: 11, b: 20 }));
    const [victim, other] = pids() as [number, number];
    process.kill(victim, 'SIGKILL');
    await until('a successor', () => !pids().includes(victim) && allReady(2));
    expect(pids()).toContain(other);
    const successor = pids().find((pid) => pid !== other);
    const weights = told().filter(({ pid, kind }) => pid === successor && kind === 'weights');
    expect(weights).toEqual([
      expect.objectContaining({
        revision: 2,
        weights: [
          [0, 11, 0],
          [1, 20, 0],
        ],
      }),
    ]);
    expect(events.since(0)).toContainEqual(expect.objectContaining({ pid: victim, detail: 'killed by SIGKILL' }));
  });

  test('again and again is replaced ever more slowly, but goes on being replaced', async () => {
    const plan = planOf(['a'], { workers: 1 });
    supervise('dies young', plan).install(plan);
    const started = () => events.since(0).filter((event) => event.type === 'worker' && event.what === 'started').length;
    await until('five starts', () => started() >= 5);
    process.env['FAKE'] = '';
    supervisor.show(stateOf(1, { a: 1 }));
    await until('a worker that lives', () => allReady(1));
    expect(events.since(0)).toContainEqual(expect.objectContaining({ what: 'exited', detail: 'exit code 3' }));
  });
});

describe('a new plan', () => {
  test('reaches all workers as a new generation', async () => {
    await running('', planOf(['a', 'b']));
    supervisor.install(planOf(['b', 'c']));
    await supervisor.applied.wait(1, 10_000);
    await until('both tables', () => told().filter((m) => m.kind === 'table' && m.generation === 2).length === 2);
    const weights = told().filter((message) => message.kind === 'weights' && message.generation === 2);
    expect(weights.map((message) => message.kind === 'weights' && message.weights)).toContainEqual([
      [0, 20, 0],
      [1, 0, 0],
    ]);
  });

  test('with more workers starts some, with fewer lets the newest finish', async () => {
    await running('', planOf(['a'], { workers: 1 }));
    const [first] = pids();
    supervisor.install(planOf(['a'], { workers: 3 }));
    await until('three workers', () => allReady(3));
    expect(pids()[0]).toBe(first);
    supervisor.install(planOf(['a'], { workers: 1 }));
    await until('one worker', () => pids().length === 1);
    expect(pids()).toEqual([first]);
  });
});

describe('counts', () => {
  test('are fetched from all workers, and a silent worker does not hold them up', async () => {
    await running('', planOf(['a']));
    await supervisor.flush();
    expect(supervisor.recorder.side('a', 0).requests).toBe(2);
    expect(supervisor.workers().map(({ connections }) => connections)).toEqual([
      [{ http1: 2, h2: 1 }],
      [{ http1: 2, h2: 1 }],
    ]);
  });

  test('of silent workers are not waited for', async () => {
    await running('counts nothing', planOf(['a']));
    await supervisor.flush();
    expect(supervisor.recorder.side('a', 0).requests).toBe(0);
  });
});

test('a listener that cannot be had is reported with its address', async () => {
  const plan = planOf(['a'], { workers: 1 });
  supervise('cannot listen', plan).show(stateOf(1, { a: 1 }));
  supervisor.install(plan);
  expect(await supervisor.settled()).toEqual({ address: '127.0.0.1:0', message: 'EADDRINUSE' });
});

test('a worker that never ends is killed when the time to drain is over', async () => {
  await running('never ends', planOf(['a'], { workers: 1 }));
  await supervisor.drain(50, 0);
  expect(events.since(0)).toContainEqual(expect.objectContaining({ what: 'exited', detail: 'killed by SIGKILL' }));
  expect(supervisor.workers()).toEqual([]);
});

test('a worker that has not even said hello goes at once', async () => {
  const plan = planOf(['a'], { workers: 2 });
  supervise('', plan).install(plan);
  await supervisor.drain(60_000, 0);
  expect(supervisor.workers()).toEqual([]);
  expect(events.since(0).filter((event) => event.type === 'worker' && event.detail !== null)).toEqual([]);
});
