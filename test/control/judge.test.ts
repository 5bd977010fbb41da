/** Judges of several replicas on shared counters: who takes a route back, when one does so alone, and what is told of it. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { NewEvent } from '../../src/control/events.ts';
import { HeldRoutes } from '../../src/control/held-routes.ts';
import { Judge } from '../../src/control/judge.ts';
import type { Plan } from '../../src/control/plan.ts';
import type { TakeBack } from '../../src/control/taking-back.ts';
import { eraOf } from '../../src/domain/era.ts';
import type { RouteState, State } from '../../src/domain/state.ts';
import { TALLY_NAMES } from '../../src/domain/tally.ts';
import { MemoryCounters } from '../../src/store/memory-counters.ts';
import { BUCKET_MS, type Counters, StoreUnavailable } from '../../src/store/store.ts';
import { until } from '../supervisor/until.ts';
import { JUDGE, planOf, routeState } from './plans.ts';

const TEST = 5;
const ERA = eraOf(TEST, 100_000);

/** The store that all replicas share; it can be away. */
class Shared implements Counters {
  away = false;
  readonly #counters: MemoryCounters;

  constructor(clock: () => number) {
    this.#counters = new MemoryCounters(BUCKET_MS, clock);
  }

  addCounts: Counters['addCounts'] = async (...args) => this.#there().addCounts(...args);
  readEvidence: Counters['readEvidence'] = async (...args) => this.#there().readEvidence(...args);
  close: Counters['close'] = async (...args) => this.#there().close(...args);

  #there(): MemoryCounters {
    if (this.away) throw new StoreUnavailable('gone');
    return this.#counters;
  }
}

/** One replica's judge, and what it did. */
interface Bench {
  readonly judge: Judge;
  readonly held: HeldRoutes;
  readonly taken: TakeBack[];
  readonly pinned: (TakeBack & { testSince: number })[];
  readonly events: NewEvent[];
}

let shared: Shared;
let nowMs: number;
let route: RouteState;
let living: number;
let plan: Plan;
/** Why the new side takes no connection. */
let dead: string | null;
let probes: number;
/** The store contradicts what is served. */
let disputed: boolean;
const benches: Bench[] = [];

beforeEach(() => {
  nowMs = 1_000_000_000;
  shared = new Shared(() => nowMs);
  route = routeState(100_000, { testSince: TEST });
  living = 3;
  plan = planOf(['a']);
  dead = null;
  probes = 0;
  disputed = false;
});
afterEach(async () => {
  for (const { judge } of benches.splice(0)) await judge.close();
});

const stateNow = (): State => ({ epoch: 'e', revision: route.revision, routes: new Map([['a', route]]) });

function open(id: string): Bench {
  const held = new HeldRoutes(() => {});
  const bench: Bench = {
    held,
    taken: [],
    pinned: [],
    events: [],
    judge: new Judge({
      counters: shared,
      held,
      state: stateNow,
      plan: () => plan,
      id: () => id,
      living: () => living,
      takeBack: async (_, testSince, act) => {
        if (disputed) return { kind: 'refused', code: 'storeDisputed', detail: 'another epoch' };
        if (shared.away) return { kind: 'refused', code: 'storeUnavailable', detail: 'gone' };
        if (testSince !== route.testSince) return { kind: 'unchanged' };
        bench.taken.push(act);
        route = { ...route, weightPpm: 0, cutover: 'rolledBack', revision: route.revision + 1 };
        return { kind: 'unchanged' };
      },
      pin: (_, testSince, act) => void bench.pinned.push({ testSince, ...act }),
      probe: async () => {
        probes += 1;
        return dead;
      },
      bind() {},
      emit: (event) => bench.events.push(event),
      clock: () => nowMs,
      monotonic: () => nowMs,
      random: () => 0.5,
    }),
  };
  benches.push(bench);
  return bench;
}

/** What a worker has tallied, by name of its cell. */
function tell(
  { judge }: Bench,
  counts: Readonly<Record<string, number>>,
  suspects: readonly number[] = [],
  isUrgent = true,
): void {
  const cells = TALLY_NAMES.map((name) => counts[name] ?? 0);
  const isEmpty = Object.keys(counts).length === 0;
  judge.add(
    {
      kind: 'evidence',
      generation: 1,
      isUrgent,
      tallies: Float64Array.from(isEmpty ? [] : [0, ERA, ...cells]),
      latencies: new Uint32Array(0),
      sightings: new Float64Array(0),
      suspects,
    },
    ['a'],
  );
}

const suspect = (bench: Bench): void => tell(bench, {}, [0]);

/** The store's clock and the replicas' go on; whoever has something to say is asked. */
function later(ms: number, ...asked: readonly Bench[]): void {
  nowMs += ms;
  for (const bench of asked) tell(bench, { 'old.ok': 1 });
}

/** It has read the shared counters. */
async function seen(bench: Bench): Promise<void> {
  later(100, bench);
  await until('it to read', () => (bench.judge.opinion('a').counts?.oldRequests ?? 0) > 0);
  nowMs += 100;
}

test('what a worker tells at its beat is counted with that beat, not at one of the judge', async () => {
  const one = open('r1');
  one.judge.start();
  tell(one, { 'old.ok': 900, 'new.ok': 100 }, [], false);
  one.judge.onBeat();
  await new Promise(setImmediate);
  expect(one.judge.opinion('a').counts?.oldRequests).toBe(900);
});

describe('a rollback', () => {
  test('is by what all replicas have counted together, and told with the counts that it rests on', async () => {
    const [one, two] = [open('r1'), open('r2')];
    tell(one, { 'old.ok': 900, 'new.ok': 98, 'new.fault': 2 });
    await until('it to be counted', () => one.judge.opinion('a').counts?.newFaults === 2);
    expect(one.judge.opinion('a').verdict).not.toBe('breach');
    later(20);
    tell(two, { 'old.ok': 900, 'new.ok': 88, 'new.fault': 12 });
    await until('the rollback', () => two.taken.length > 0);
    const [{ actor, reason, evidence }] = two.taken as [TakeBack];
    expect(actor).toBe('crossfade/judge');
    expect(reason).toMatch(/^new 14 of 200 failed, old 0 of 1,800; evidence [\d,.e+]+ against 1,000$/);
    expect(evidence).toEqual({
      verdict: 'breach',
      value: expect.any(Number),
      threshold: 1_000,
      reason,
      newRequests: 200,
      counts: { oldRequests: 1_800, oldFaults: 0, newRequests: 200, newFaults: 14 },
    });
    expect(two.events).toContainEqual(expect.objectContaining({ type: 'verdict', verdict: 'breach', reason }));
  });

  test.each([
    ['frozen', () => (route = { ...route, frozen: true })],
    [
      'one that may only be advised on',
      () => {
        const [planned] = plan.routes as [Plan['routes'][number]];
        plan = { ...plan, routes: [{ ...planned, judge: { ...JUDGE, adviseOnly: true } }] };
      },
    ],
  ])('of a route that is %s is left to people, who are told', async (_, arrange) => {
    arrange();
    const one = open('r1');
    // Nothing is urgent about a route that is only advised on: it is read at the beat.
    one.judge.start();
    tell(one, { 'old.ok': 900, 'new.fault': 100 });
    await until('the verdict', () => one.events.some((event) => event.type === 'verdict'));
    expect(one.judge.opinion('a').verdict).toBe('breach');
    expect([one.taken, one.pinned]).toEqual([[], []]);
    dead = 'refused';
    suspect(one);
    await until('the probe', () => probes === 1);
    await new Promise(setImmediate);
    expect(one.held.has('a', stateNow())).toBe(false);
  });

  test('is not made by evidence of an earlier test', async () => {
    const one = open('r1');
    route = { ...route, testSince: TEST + 1 };
    tell(one, { 'old.ok': 900, 'new.fault': 100 });
    await until('it to be read', () => one.judge.opinion('a').reason === 'the test has just begun');
    expect(one.taken).toEqual([]);
  });

  test('while the store is away is of this replica alone, by far more evidence, and says which test it is about', async () => {
    const one = open('r1');
    await seen(one);
    shared.away = true;
    tell(one, { 'old.ok': 1_800, 'new.ok': 198, 'new.fault': 2 });
    await until('it to notice', () => one.judge.opinion('a').reason.startsWith('the store does not answer'));
    expect(one.pinned).toEqual([]);
    nowMs += 1_000;
    tell(one, { 'old.ok': 360, 'new.fault': 40 });
    one.judge.start();
    await until('the pin', () => one.pinned.length > 0);
    expect(one.pinned[0]).toMatchObject({
      testSince: TEST,
      actor: 'crossfade/judge',
      reason: expect.stringMatching(/^new 42 of 240 failed, old 0 of 2,161; evidence [\d,.e+]+ against 30,000$/),
      evidence: { verdict: 'breach', counts: { newRequests: 240, newFaults: 42 } },
    });
    expect(one.taken).toEqual([]);
  });
});

test('a rollback that a store in dispute does not take is made by this replica alone', async () => {
  const one = open('r1');
  disputed = true;
  tell(one, { 'old.ok': 900, 'new.fault': 100 });
  await until('the pin', () => one.pinned.length > 0);
  expect(one.pinned[0]).toMatchObject({ testSince: TEST, actor: 'crossfade/judge' });
});

test('what this replica counted while the store answered counts for it alone when the store goes away', async () => {
  const one = open('r1');
  for (let i = 1; i <= 5; i++) {
    later(1_000);
    tell(one, { 'old.ok': 360, 'new.ok': 40 });
    await until('it to be counted', () => one.judge.opinion('a').counts?.newRequests === 40 * i);
  }
  shared.away = true;
  later(1_000);
  tell(one, { 'old.ok': 360, 'new.fault': 40 });
  await until('the pin', () => one.pinned.length > 0);
  expect(one.pinned[0]?.evidence.counts).toEqual({ oldRequests: 2_160, oldFaults: 0, newRequests: 240, newFaults: 40 });
});

describe('a new side that takes no connections', () => {
  test('is held by the replica that finds it dead, and taken back when a second one does', async () => {
    const [one, two] = [open('r1'), open('r2')];
    dead = 'ECONNREFUSED';
    suspect(one);
    await until('the hold', () => one.held.has('a', stateNow()));
    expect(one.held.apply(stateNow()).routes.get('a')).toMatchObject({ weightPpm: 0, cutover: 'rolledBack' });
    expect(one.held.alarm(stateNow())).toContain('serves "a" from old');
    expect(two.held.has('a', stateNow())).toBe(false);
    expect([one.taken, two.taken]).toEqual([[], []]);
    suspect(two);
    await until('the rollback', () => one.taken.length + two.taken.length > 0);
    const [act] = [...one.taken, ...two.taken] as [TakeBack];
    expect(act).toMatchObject({
      actor: 'crossfade/dead-side',
      reason: '2 replicas find that the new side takes no connections: r1, r2',
    });
    // Somebody has written the route: nobody holds it any more.
    expect(one.held.has('a', stateNow())).toBe(false);
    expect(one.held.apply(stateNow())).toEqual(stateNow());
    expect(one.held.alarm(stateNow())).toBeNull();
  });

  test('that answers a probe is left as it is', async () => {
    const one = open('r1');
    suspect(one);
    await until('the probe', () => probes === 1);
    await new Promise(setImmediate);
    expect(one.held.has('a', stateNow())).toBe(false);
    expect(one.events).toEqual([]);
  });

  test('is taken back by the only replica that lives', async () => {
    living = 1;
    const one = open('r1');
    dead = 'ECONNREFUSED';
    suspect(one);
    await until('the rollback', () => one.taken.length > 0);
    expect(one.taken[0]).toMatchObject({ actor: 'crossfade/dead-side', reason: 'the new side is dead: ECONNREFUSED' });
  });

  test('votes that were lost with the store are given again when it is back, if the side is still dead', async () => {
    const [one, two] = [open('r1'), open('r2')];
    for (const bench of [one, two]) await seen(bench);
    shared.away = true;
    dead = 'ECONNREFUSED';
    for (const bench of [one, two]) suspect(bench);
    for (const bench of [one, two]) await until('the hold', () => bench.held.has('a', stateNow()));
    later(1_000, one, two);
    await until('both to notice', () =>
      [one, two].every(({ judge }) => judge.opinion('a').reason.startsWith('the store does not answer')),
    );
    shared.away = false;
    later(11_000, one, two);
    // A beat of a replica that was away asks whether the store is back.
    for (const { judge } of [one, two]) judge.start();
    await until('the rollback', () => {
      nowMs += 100;
      return one.taken.length + two.taken.length > 0;
    });
    expect([...one.taken, ...two.taken][0]?.reason).toContain('2 replicas find');
  });

  test('that is reachable again by then is not voted against', async () => {
    const [one, two] = [open('r1'), open('r2')];
    dead = 'ECONNREFUSED';
    suspect(one);
    await until('the hold', () => one.held.has('a', stateNow()));
    dead = null;
    // The vote has been forgotten.
    later(70_000, one);
    await until('the second probe', () => probes === 2);
    dead = 'ECONNREFUSED';
    suspect(two);
    await until('the second hold', () => two.held.has('a', stateNow()));
    later(100, two);
    await until('it to be counted', () => (two.judge.opinion('a').counts?.oldRequests ?? 0) > 0);
    expect([one.taken, two.taken]).toEqual([[], []]);
  });
});
