import { describe, expect, test } from 'vitest';
import { eraOf } from '../../src/domain/era.ts';
import { Judgement, type JudgeSettings, latencyName, type SharedCounts, voteName } from '../../src/domain/judgement.ts';
import { latencyBin, quantile } from '../../src/domain/latency-sketch.ts';
import { MemoryCounters } from '../../src/store/memory-counters.ts';

const SETTINGS: JudgeSettings = {
  alpha: 0.001,
  rho: 1,
  delta: 0.001,
  latency: { factor: 1.25, slackMs: 25 },
  ceiling: 0.25,
  adviseOnly: false,
};
const TEN = eraOf(1, 100_000);
const WELL = { 'old.ok': 900, 'new.ok': 100 };

const sighting = (key: number, cell: string) => ({ member: String(key), cells: [cell] });

/** Counters with a clock, and any number of replicas that read them. */
class Scene {
  second = 1_000;
  readonly counters = new MemoryCounters(1_000, () => this.second * 1_000);
  last: SharedCounts | undefined;

  async count(counts: Record<string, number>, era = TEN): Promise<void> {
    this.last = await this.counters.addCounts('r', era, counts);
  }

  /** The replica reads, and writes down what is over. */
  async read(replica: Judgement): Promise<void> {
    const over = replica.read(await this.counters.readEvidence('r'));
    if (over !== null) replica.read(await this.counters.close('r', over.index, over.result));
  }
}

describe('replicas that read the same counts', () => {
  test('come to the same verdict, one that has just started too', async () => {
    const scene = new Scene();
    const [first, second] = [new Judgement(SETTINGS, false), new Judgement(SETTINGS, false)];
    for (let i = 0; i < 30; i++) {
      await scene.count(WELL);
      await scene.read(i % 2 === 0 ? first : second);
      scene.second++;
    }
    await scene.count({ 'old.ok': 9, 'new.fault': 4 });
    const started = new Judgement(SETTINGS, false);
    for (const replica of [first, second, started]) await scene.read(replica);
    expect(second.verdict()).toEqual(first.verdict());
    expect(started.verdict()).toEqual(first.verdict());
    expect(first.verdict().reason).toContain('new 4 of 3,004 failed, old 0 of 27,009');
  });

  test('write down the same to the letter, whoever has written the buckets before', async () => {
    const scene = new Scene();
    // One writes every bucket and keeps what it wrote; the other has to read all of them.
    const [writer, reader] = [new Judgement(SETTINGS, false), new Judgement(SETTINGS, false)];
    const slow = { 'old.timed': 900, 'new.timed': 100, 'old.slow50': 451, 'new.slow50': 53, 'new.slow99': 2 };
    for (let i = 0; i < 40; i++) {
      await scene.count({ ...WELL, ...slow, 'old.fault': i % 3, [latencyName(100 + i)]: 70, [voteName(`r${i}`)]: 1 });
      if (i % 4 === 3) scene.second++;
      await scene.read(writer);
      reader.read(await scene.counters.readEvidence('r'));
      scene.second++;
    }
    await scene.count(WELL);
    scene.second++;
    const evidence = await scene.counters.readEvidence('r');
    const written = writer.read(evidence);
    for (const other of [reader, new Judgement(SETTINGS, false)]) {
      const same = other.read(evidence);
      expect([same?.index, same?.result.toString()]).toEqual([written?.index, written?.result.toString()]);
    }
    expect(written?.result.toString()).toMatch(/^\{"format":3,/);
    expect(writer.bounds).toEqual(reader.bounds);
    expect(writer.bounds).not.toBeNull();
  });

  test('a new side that fails is a breach, one that is as good healthy', async () => {
    const scene = new Scene();
    const replica = new Judgement(SETTINGS, false);
    await scene.count(WELL);
    await scene.read(replica);
    expect(replica.verdict().kind).toBe('healthy');
    await scene.count({ 'old.ok': 90, 'new.fault': 10 });
    await scene.read(replica);
    expect(replica.verdict()).toMatchObject({ kind: 'breach', guard: 'comparison' });
  });

  test('what another version has written down begins anew', async () => {
    const scene = new Scene();
    await scene.count(WELL);
    scene.second++;
    await scene.counters.close('r', 1_000, 'from the future');
    const replica = new Judgement(SETTINGS, false);
    await scene.count({ 'old.ok': 1_800, 'new.ok': 200 });
    await scene.read(replica);
    expect(replica.verdict().reason).toContain('of 200 failed');
  });
});

describe('a test of a route', () => {
  test('knows the old side from before, and nothing that the new side did in an earlier one', async () => {
    const scene = new Scene();
    const replica = new Judgement(SETTINGS, false);
    await scene.count({ 'old.ok': 5_000, 'old.fault': 500 }, eraOf(0, 0));
    await scene.read(replica);
    expect(replica.testSince).toBe(-1);
    scene.second++;
    await scene.count({ 'old.ok': 90, 'new.fault': 10 });
    await scene.read(replica);
    expect([replica.testSince, replica.verdict().kind]).toEqual([1, 'breach']);
    scene.second++;
    await scene.count({ 'old.ok': 900, 'new.ok': 100 }, eraOf(2, 100_000));
    await scene.count({ 'new.fault': 50 });
    await scene.read(replica);
    expect(replica.testSince).toBe(2);
    expect(replica.verdict().reason).toContain('new 0 of 100 failed, old 0 of 900');
  });

  test("counts the new side's requests by weight, over a restart", async () => {
    const scene = new Scene();
    const replica = new Judgement(SETTINGS, false);
    for (let i = 0; i < 3; i++) {
      await scene.count(WELL);
      await scene.read(replica);
      scene.second++;
    }
    await scene.count({ 'new.ok': 7 }, eraOf(1, 200_000));
    const started = new Judgement(SETTINGS, false);
    await scene.read(started);
    expect([100_000, 200_000, 5].map((weight) => started.newRequests(weight))).toEqual([300, 7, 0]);
  });
});

describe('slowness', () => {
  test("is above what the old side's latencies of earlier seconds say", async () => {
    const scene = new Scene();
    const replica = new Judgement(SETTINGS, false);
    await scene.count({ ...WELL, [latencyName(latencyBin(20))]: 890, [latencyName(latencyBin(200))]: 10 });
    await scene.read(replica);
    expect(replica.bounds).toBeNull();
    scene.second++;
    await scene.read(replica);
    const { old, new: fresh } = replica.bounds ?? { old: [], new: [] };
    for (const [i, ms] of [20, 20, 200].entries()) expect(Math.abs((old[i] ?? 0) / ms - 1)).toBeLessThan(0.045);
    for (const [i, bound] of old.entries()) expect(fresh[i]).toBeCloseTo(Math.max(bound * 1.25, bound + 25));
  });

  test('takes the route back, and says so', async () => {
    const scene = new Scene();
    const replica = new Judgement(SETTINGS, false);
    const calm = { ...WELL, 'old.timed': 900, 'new.timed': 100, 'old.slow50': 450, 'old.slow90': 90, 'old.slow99': 9 };
    for (let i = 0; i < 20; i++) {
      await scene.count(calm);
      await scene.read(replica);
      scene.second++;
    }
    expect(replica.verdict().kind).toBe('healthy');
    const slow = { ...calm, 'new.slow50': 60, 'new.slow90': 50, 'new.slow99': 40 };
    const begun = scene.second;
    while (replica.verdict().kind === 'healthy' && scene.second < begun + 60) {
      scene.second++;
      await scene.count(slow);
      await scene.read(replica);
    }
    expect(replica.verdict()).toMatchObject({ kind: 'breach', reason: expect.stringContaining('slower than old') });
    expect(scene.second - begun).toBeLessThanOrEqual(31);
  });

  test('takes the route back at once when nothing of the new side is in time any more, and says so', async () => {
    const scene = new Scene();
    const replica = new Judgement(SETTINGS, false);
    const calm = { ...WELL, 'old.timed': 900, 'new.timed': 100, 'old.slow50': 450, 'old.slow90': 90, 'old.slow99': 9 };
    await scene.count(calm);
    await scene.read(replica);
    scene.second++;
    const verdicts: string[] = [];
    for (let ms = 0; ms <= 900; ms += 100) {
      await scene.count({ 'old.ok': 90, 'old.timed': 90, 'old.slow50': 45, 'old.slow90': 9, 'old.slow99': 1 });
      const slow = { 'new.slow50': 10, 'new.slow90': 10, 'new.slow99': 10 };
      await scene.count({ 'new.ok': 10, 'new.timed': 10, ...slow });
      await scene.read(replica);
      replica.watch(ms);
      verdicts.push(replica.verdict().kind);
    }
    expect(verdicts).toEqual([...Array<string>(9).fill('healthy'), 'breach']);
    expect(replica.verdict().reason).toMatch(/slower than old's .*, and none of the last was in time;/);
  });

  test('a quantile of a sketch is right to a few percent', () => {
    const bins = new Float64Array(434);
    for (let ms = 1; ms <= 1_000; ms++) (bins[latencyBin(ms)] as number) += 1;
    for (const share of [0.5, 0.9, 0.99]) {
      const found = quantile(bins, share) as number;
      expect(Math.abs(found / (1_000 * share) - 1)).toBeLessThan(0.045);
    }
    expect(quantile(new Float64Array(434), 0.5)).toBeUndefined();
  });
});

test('votes of replicas count for a minute, and for the test that they were given in', async () => {
  const scene = new Scene();
  const replica = new Judgement(SETTINGS, false);
  await scene.count({ ...WELL, [voteName('a:1')]: 1 });
  scene.second++;
  await scene.count({ ...WELL, [voteName('b:1')]: 1 });
  await scene.read(replica);
  expect(replica.votes).toEqual(['a:1', 'b:1']);
  scene.second += 61;
  await scene.count(WELL);
  await scene.read(replica);
  expect(replica.votes).toEqual([]);
  await scene.count({ ...WELL, [voteName('a:1')]: 1 });
  await scene.count(WELL, eraOf(2, 100_000));
  await scene.read(replica);
  expect(replica.votes).toEqual([]);
});

test('a sticky route speaks by the first responses of its keys alone', async () => {
  const scene = new Scene();
  const replica = new Judgement(SETTINGS, true);
  const keys = Array.from({ length: 200 }, (_, key) => sighting(key, key < 20 ? 'new.ok' : 'old.ok'));
  scene.last = await scene.counters.addCounts('r', TEN, { 'new.fault': 500, 'old.ok': 180 }, keys);
  for (let i = 0; i < 50; i++) await scene.counters.addCounts('r', TEN, {}, [sighting(0, 'new.fault')]);
  await scene.read(replica);
  expect(replica.verdict().reason).toContain('new 0 of 20 failed, old 0 of 180');
  expect(replica.newRequests(100_000)).toBe(500);
});
