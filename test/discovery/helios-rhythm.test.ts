/** How often a Helios master is asked. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { HeliosMasters } from '../../src/discovery/helios/masters.ts';
import { HeliosPoller } from '../../src/discovery/helios/poller.ts';

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
