/** A replica that finds new sides dead: what it holds, how it votes, and what may have changed while it probed. */
import { beforeEach, describe, expect, test } from 'vitest';
import { DeadSide } from '../../src/control/dead-side.ts';
import type { NewEvent } from '../../src/control/events.ts';
import { HeldRoutes } from '../../src/control/held-routes.ts';
import type { Cause } from '../../src/control/taking-back.ts';
import { eraOf } from '../../src/domain/era.ts';
import type { RouteState, State } from '../../src/domain/state.ts';
import { JUDGE, routeState } from './plans.ts';

let route: RouteState | undefined;
let living: number;
let nowMs: number;
/** Answers to probes that are under way. */
let probes: ((failure: string | null) => void)[];
let acts: Cause[];
let events: NewEvent[];
/** Eras that were voted in. */
let given: number[];
/** What the counters show, by which it is judged. */
let judged: { settings: typeof JUDGE; votes: readonly string[]; vote: (era: number, replica: string) => void };
let held: HeldRoutes;
let deadSide: DeadSide;

const stateNow = (): State => ({ epoch: 'e', revision: 7, routes: new Map(route === undefined ? [] : [['a', route]]) });
const isHeld = (): boolean => held.has('a', stateNow());

beforeEach(() => {
  route = routeState(100_000, { testSince: 5 });
  living = 3;
  nowMs = 1_000_000;
  [probes, acts, events, given] = [[], [], [], []];
  judged = { settings: JUDGE, votes: [], vote: (era) => given.push(era) };
  held = new HeldRoutes(() => {});
  deadSide = new DeadSide({
    held,
    state: stateNow,
    id: () => 'r1',
    living: () => living,
    probe: () => new Promise((resolve) => probes.push(resolve)),
    act: async (_route, _state, cause) => void acts.push(cause),
    emit: (event) => events.push(event),
    clock: () => nowMs,
    monotonic: () => nowMs,
  });
});

/** The probe that was asked for last is answered, and what follows from that is done. */
async function answered(asked: Promise<void>, failure: string | null): Promise<void> {
  probes.at(-1)?.(failure);
  await asked;
}

/** Held since a probe that failed now. */
async function hold(): Promise<void> {
  await answered(deadSide.suspect('a', judged), 'ECONNREFUSED');
  expect(isHeld()).toBe(true);
}

describe('a suspect', () => {
  test('that a probe finds dead is held, and voted on in the era that runs', async () => {
    await hold();
    expect(given).toEqual([eraOf(5, 100_000)]);
    const reason = 'the new side is dead: ECONNREFUSED';
    expect(events).toEqual([{ type: 'pinned', routes: ['a'], pinned: true, actor: 'crossfade/dead-side', reason }]);
    expect(acts).toEqual([]);
  });

  test('needs no votes where one replica lives', async () => {
    living = 1;
    await hold();
    expect(acts).toEqual([{ guard: 'deadSide', reason: 'the new side is dead: ECONNREFUSED' }]);
    expect(given).toEqual([]);
  });

  test('is probed once at a time, and again after that', async () => {
    const first = deadSide.suspect('a', judged);
    await deadSide.suspect('a', judged);
    expect(probes).toHaveLength(1);
    await answered(first, null);
    void deadSide.suspect('a', judged);
    expect(probes).toHaveLength(2);
  });

  test.each<[string, () => void]>([
    ['is unknown', () => (route = undefined)],
    ['has no share', () => (route = routeState(0))],
  ])('of a route that %s is not probed', async (_, arrange) => {
    arrange();
    await deadSide.suspect('a', judged);
    expect(probes).toEqual([]);
  });

  test('that is held already is not probed', async () => {
    await hold();
    await deadSide.suspect('a', judged);
    expect(probes).toHaveLength(1);
  });

  test.each<[string, () => void]>([
    ['was taken back', () => (route = routeState(0, { testSince: 5 }))],
    ['was removed', () => (route = undefined)],
    ['was frozen', () => (route = routeState(100_000, { testSince: 5, frozen: true }))],
  ])('whose route %s by the time of the answer is left as it is', async (_, change) => {
    const asked = deadSide.suspect('a', judged);
    change();
    await answered(asked, 'ECONNREFUSED');
    expect([isHeld(), acts, events, given]).toEqual([false, [], [], []]);
  });
});

test('a side that is only advised on is left to people', async () => {
  judged = { ...judged, settings: { ...JUDGE, adviseOnly: true } };
  await answered(deadSide.suspect('a', judged), 'ECONNREFUSED');
  expect([isHeld(), acts, events, given]).toEqual([false, [], [], []]);
});

describe('a vote', () => {
  test('is given again by who still holds the route when it has been forgotten, ten seconds later at the soonest', async () => {
    await hold();
    nowMs += 9_999;
    await deadSide.voteAgain('a', judged);
    expect(probes).toHaveLength(1);
    nowMs += 1;
    await answered(deadSide.voteAgain('a', judged), 'ETIMEDOUT');
    expect(given).toHaveLength(2);
  });

  test.each<[string, () => void]>([
    ['still counts', () => (judged = { ...judged, votes: ['r2', 'r1'] })],
    ['is of a route that somebody has written', () => (route = routeState(100_000, { testSince: 5, revision: 8 }))],
  ])('that %s is not given again', async (_, change) => {
    await hold();
    nowMs += 60_000;
    change();
    await deadSide.voteAgain('a', judged);
    expect([probes.length, given.length]).toEqual([1, 1]);
  });

  test.each<[string, string | null, () => void]>([
    ['the side answers', null, () => {}],
    ['the route was written', 'ETIMEDOUT', () => (route = routeState(100_000, { testSince: 5, revision: 8 }))],
    ['the route was frozen', 'ETIMEDOUT', () => (route = routeState(100_000, { testSince: 5, frozen: true }))],
  ])('is not given again when by then %s', async (_, failure, change) => {
    await hold();
    nowMs += 60_000;
    const asked = deadSide.voteAgain('a', judged);
    change();
    await answered(asked, failure);
    expect([probes.length, given.length]).toEqual([2, 1]);
  });
});
