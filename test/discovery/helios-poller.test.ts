/** How often a Helios master is asked, and what becomes of rounds that fail midway. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { HeliosMasters } from '../../src/discovery/helios/masters.ts';
import { HeliosPoller } from '../../src/discovery/helios/poller.ts';
import type { RunningTask, WantedJob } from '../../src/discovery/helios/tasks.ts';

const INTERVAL_MS = 1_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** When rounds begin with a master that takes so long for each. */
async function begins(tookMs: number): Promise<number[]> {
  const startedAt = Date.now();
  const clock = (): number => Date.now() - startedAt;
  const at: number[] = [];
  const first = async (): Promise<void> => {
    at.push(clock());
    await new Promise((resolve) => setTimeout(resolve, tookMs));
  };
  const over = new AbortController();
  void new HeliosPoller({ first } as unknown as HeliosMasters, INTERVAL_MS, { clock, random: () => 0.5 }, over.signal);
  await vi.advanceTimersByTimeAsync(5_000);
  over.abort();
  await vi.advanceTimersByTimeAsync(10_000);
  return at;
}

test('rounds begin at the interval, whatever each of them takes', async () => {
  expect(await begins(400)).toEqual([0, 1_000, 2_000, 3_000, 4_000, 5_000]);
});

test('a master that is slower than that has a rest of half of what a round takes it', async () => {
  expect(await begins(2_000)).toEqual([0, 3_000]);
});

test('a job that is seen in a round whose rest fails is not overlooked in the next', async () => {
  const ports = { http: { internalPort: 8080 } };
  const jobs: Record<string, { id: string; ports: typeof ports; registration: null }> = {};
  const create = (id: string): void => void (jobs[id] = { id, ports, registration: null });
  create('search:1:a');
  let news = true;
  let fails = false;
  const master = {
    begin() {},
    jobs: async () => {
      const isNew = news;
      news = false;
      return { value: { ...jobs }, isNew };
    },
    tasks: async (wanted: readonly WantedJob[]) => {
      if (fails) throw new Error('too late');
      const value = wanted.map(({ id }): RunningTask => {
        const host = `of-${id.split(':')[1] ?? ''}`;
        return { job: id, port: 'http', host, endpoint: { host, port: 1 } };
      });
      return { value, isNew: true };
    },
    hostsUp: async (hosts: readonly string[]) => ({ value: [...hosts], isNew: true }),
  };
  const first = (ask: (one: typeof master) => Promise<unknown>): Promise<unknown> => ask(master);
  const over = new AbortController();
  const tools = { clock: () => Date.now(), random: () => 0.5 };
  const poller = new HeliosPoller({ first } as unknown as HeliosMasters, INTERVAL_MS, tools, over.signal);
  const set = poller.follow({ job: 'search', port: 'http' }, () => undefined);
  await vi.advanceTimersByTimeAsync(INTERVAL_MS);
  expect(set.endpoints.map(({ host }) => host)).toEqual(['of-1']);
  create('search:2:b');
  [news, fails] = [true, true];
  await vi.advanceTimersByTimeAsync(INTERVAL_MS);
  expect(set.health.alarm).toBe('too late');
  fails = false;
  await vi.advanceTimersByTimeAsync(INTERVAL_MS);
  over.abort();
  expect(set.endpoints.map(({ host }) => host).sort()).toEqual(['of-1', 'of-2']);
});
