import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DueSoon } from '../../src/proxy/due-soon.ts';

const START_MS = 12_345.6;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function scene() {
  const startedAt = Date.now();
  const clock = (): number => START_MS + Date.now() - startedAt;
  const soon = new DueSoon(clock);
  const looks: [string, number][] = [];
  const of = (name: string, again: number[] = []) => ({
    sweep(nowMs: number): void {
      looks.push([name, nowMs - START_MS]);
      const next = again.shift();
      if (next !== undefined) soon.add(this, START_MS + next);
    },
  });
  return { soon, looks, of };
}

test('each is looked at when it is due, at most 5 ms later, and once', () => {
  const { soon, looks, of } = scene();
  soon.add(of('late'), START_MS + 80);
  soon.add(of('early'), START_MS + 12);
  soon.add(of('between'), START_MS + 40);
  vi.advanceTimersByTime(1_000);
  expect(looks.map(([name]) => name)).toEqual(['early', 'between', 'late']);
  for (const [i, dueMs] of [12, 40, 80].entries()) {
    expect(looks[i]?.[1]).toBeGreaterThanOrEqual(dueMs);
    expect(looks[i]?.[1]).toBeLessThanOrEqual(dueMs + 6);
  }
});

test('whoever finds its deadline moved asks again, and one that has passed is looked at at once', () => {
  const { soon, looks, of } = scene();
  soon.add(of('moved', [30, 0]), START_MS + 10);
  vi.advanceTimersByTime(1_000);
  expect(looks.map(([name]) => name)).toEqual(['moved', 'moved', 'moved']);
  expect(looks[1]?.[1]).toBeGreaterThanOrEqual(30);
  expect((looks[2]?.[1] ?? 0) - (looks[1]?.[1] ?? 0)).toBeLessThanOrEqual(1);
});

test('nothing runs while nothing is due', () => {
  const { soon, of } = scene();
  expect(vi.getTimerCount()).toBe(0);
  soon.add(of('one'), START_MS + 10);
  soon.add(of('other'), START_MS + 5);
  expect(vi.getTimerCount()).toBe(1);
  vi.advanceTimersByTime(1_000);
  expect(vi.getTimerCount()).toBe(0);
});
