import { expect, test } from 'vitest';
import { NOWHERE } from '../../src/proxy/roster.ts';
import { AWAKE, type Resting, SWEEP_MS, Sweeper } from '../../src/proxy/sweeper.ts';

class Sleeper implements Resting {
  restSlot = AWAKE;
  sweepPlace = NOWHERE;
  readonly looks: number[] = [];
  onLook: (nowMs: number) => void = () => {};

  sweep(nowMs: number): void {
    this.looks.push(nowMs);
    this.onLook(nowMs);
  }
}

const START_MS = 12_345;
const AT = Array.from({ length: 10 }, (_, i) => START_MS + i * SWEEP_MS);

/** A sweep at a time. */
class Timed extends Sweeper {
  #nowMs: number;

  constructor() {
    super(() => this.#nowMs);
    this.#nowMs = START_MS;
  }

  at(nowMs: number): void {
    this.#nowMs = nowMs;
    this.sweep();
  }
}

function asleep(untilMs: number): { sweeper: Timed; sleeper: Sleeper } {
  const [sweeper, sleeper] = [new Timed(), new Sleeper()];
  sweeper.watch(sleeper);
  sleeper.onLook = () => {
    sweeper.rest(sleeper, untilMs);
    sleeper.onLook = () => {};
  };
  sweeper.at(START_MS);
  expect(sleeper.looks).toEqual([START_MS]);
  return { sweeper, sleeper };
}

test('who rests is looked at when its time has come, not before, and then each time', () => {
  const { sweeper, sleeper } = asleep(START_MS + 4 * SWEEP_MS);
  for (const nowMs of AT.slice(1)) sweeper.at(nowMs);
  expect(sleeper.looks.slice(1)).toEqual(AT.slice(5));
});

test('who rests until it is woken is looked at from then on', () => {
  const { sweeper, sleeper } = asleep(Number.POSITIVE_INFINITY);
  sweeper.at(START_MS + 1e9);
  expect(sleeper.looks).toHaveLength(1);
  sweeper.wake(sleeper);
  sweeper.at(START_MS + 1e9 + SWEEP_MS);
  expect(sleeper.looks).toHaveLength(2);
});

test('a clock that jumps passes nobody over', () => {
  const { sweeper, sleeper } = asleep(START_MS + 4 * SWEEP_MS);
  sweeper.at(START_MS + 1e9);
  expect(sleeper.looks).toHaveLength(2);
});

test('a time that has passed already is the next look', () => {
  const { sweeper, sleeper } = asleep(START_MS - 5_000);
  sweeper.at(START_MS + SWEEP_MS);
  expect(sleeper.looks).toHaveLength(2);
});

test('all can be woken, and who has left is not looked at again', () => {
  const { sweeper, sleeper } = asleep(Number.POSITIVE_INFINITY);
  const leaving = new Sleeper();
  sweeper.rest(leaving, START_MS + 2 * SWEEP_MS);
  sweeper.unwatch(leaving);
  sweeper.wakeAll();
  for (const nowMs of AT.slice(1)) sweeper.at(nowMs);
  expect(sleeper.looks).toHaveLength(AT.length);
  expect(leaving.looks).toEqual([]);
});

test('many are looked at slice by slice, all of them once a sweep, and others have a turn in between', async () => {
  const sweeper = new Timed();
  const sleepers = Array.from({ length: 1_000 }, () => new Sleeper());
  for (const sleeper of sleepers) sweeper.watch(sleeper);
  const looked = (): number => sleepers.filter(({ looks }) => looks.length > 0).length;
  sweeper.at(START_MS);
  const seen = [looked()];
  while (seen.at(-1) !== sleepers.length) {
    await new Promise((resolve) => setImmediate(resolve));
    seen.push(looked());
  }
  expect(Math.max(...seen.map((count, i) => count - (seen[i - 1] ?? 0)))).toBeLessThanOrEqual(64);
  expect(sleepers.every(({ looks }) => looks.length === 1)).toBe(true);
});

test('a sweep that begins before the last one is over misses nobody', async () => {
  const sweeper = new Timed();
  const sleepers = Array.from({ length: 200 }, () => new Sleeper());
  for (const sleeper of sleepers) sweeper.watch(sleeper);
  sweeper.at(START_MS);
  sweeper.at(START_MS + SWEEP_MS);
  while (sleepers.some(({ looks }) => looks.length === 0)) await new Promise((resolve) => setImmediate(resolve));
  expect(sleepers.flatMap(({ looks }) => looks)).toContain(START_MS + SWEEP_MS);
});

test('regression: where turns are slow each sweep began anew at those that came last, and who came first was never looked at', async () => {
  const sweeper = new Timed();
  const sleepers = Array.from({ length: 1_000 }, () => new Sleeper());
  for (const sleeper of sleepers) sweeper.watch(sleeper);
  for (const nowMs of AT) {
    sweeper.at(nowMs);
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
  for (const { looks } of sleepers) expect(looks.length).toBeGreaterThanOrEqual(AT.length - 1);
});
