import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RouteState, State } from '../../src/domain/state.ts';
import { LastStateWriter, readLastState } from '../../src/store/last-state.ts';
import { encodeChange } from '../../src/store/last-state-format.ts';

let folder: string;
let file: string;
let failures: Error[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'crossfade-last-'));
  file = join(folder, 'data', 'last-9900.json');
  failures = [];
});
afterEach(async () => {
  for (const one of writers.splice(0)) await one.close();
  await rm(folder, { recursive: true });
});

const stateAt = (revision: number, epoch = 'e1'): State => ({
  epoch,
  revision,
  routes: new Map([
    ['search', { revision, weightPpm: revision, cutover: 'steady', frozen: false, reason: 'ä', actor: 'ann', at: 7 }],
  ]),
});

const writers: LastStateWriter[] = [];
const writer = (clock = () => 1234): LastStateWriter => {
  const one = new LastStateWriter(file, { clock, onFailure: (error) => failures.push(error) });
  writers.push(one);
  return one;
};

const save = async (...states: State[]): Promise<void> => {
  const one = writer();
  for (const state of states) one.save(state);
  expect(await one.flush()).toBe(true);
};

/** The state with one more route changed. */
const next = (state: State, route: string, revision = state.revision + 1): State => {
  const to = {
    revision,
    weightPpm: revision,
    cutover: 'steady',
    frozen: false,
    reason: 'r',
    actor: 'a',
    at: 7,
  } as const;
  return { ...state, revision, routes: new Map(state.routes).set(route, to) };
};

/** A whole state and two changes behind it. */
const saveChanges = async (): Promise<void> => {
  const one = writer();
  for (const state of [stateAt(3), next(stateAt(3), 'cart'), next(next(stateAt(3), 'cart'), 'search')]) {
    one.save(state);
    await one.flush();
  }
  expect((await readFile(file, 'utf8')).split('\n')).toHaveLength(5);
};

describe('reading', () => {
  test('no file is absent', async () => {
    expect(await readLastState(file)).toEqual({ kind: 'absent' });
  });

  test('what was saved is read', async () => {
    await save(stateAt(3));
    expect(await readLastState(file)).toEqual({ kind: 'ok', state: stateAt(3), savedAt: 1234 });
    expect(await readdir(join(folder, 'data'))).toEqual(['last-9900.json']);
  });

  test('what was saved change by change is read, by whatever it was left behind', async () => {
    const one = writer();
    let state = stateAt(1);
    const names = ['search', '__proto__', 'cart', 'ä\n'];
    for (let i = 0; i < 40; i++) {
      one.save(state);
      expect(await one.flush()).toBe(true);
      expect(await readLastState(file)).toEqual({ kind: 'ok', state, savedAt: 1234 });
      state = next(state, names[i % names.length] as string, state.revision + 1 + (i % 3));
      if (i % 7 === 6) state = { ...state, routes: new Map([...state.routes].slice(1)) };
      if (i === 20) state = { ...state, epoch: 'e2', lineage: ['e1'] };
    }
    expect(await readdir(join(folder, 'data'))).toEqual(['last-9900.json']);
  });

  test('a file of the format before is read', async () => {
    await mkdir(join(folder, 'data'));
    const { routes, ...rest } = stateAt(3);
    const json = JSON.stringify({ savedAt: 99, ...rest, routes: [...routes] });
    const head = `crossfade-last-state 1 ${Buffer.byteLength(json)} ${createHash('sha256').update(json).digest('hex')}`;
    await writeFile(file, `${head}\n${json}`);
    expect(await readLastState(file)).toEqual({ kind: 'ok', state: stateAt(3), savedAt: 99 });
    await writeFile(file, `${head}\n${json} `);
    expect(await readLastState(file)).toMatchObject({ kind: 'refused' });
    await writeFile(file, `${head}\n${json}`);
    await save(stateAt(2));
    expect(await readLastState(file)).toMatchObject({ kind: 'ok', state: stateAt(3) });
  });

  test('a change that was never finished is left out, cut anywhere; other bytes in its place are refused', async () => {
    await save(stateAt(3));
    const sound = await readFile(file);
    const change = encodeChange(stateAt(3), { state: next(stateAt(3), 'cart'), savedAt: 5 }) as Buffer;
    for (let length = 0; length <= change.length; length++) {
      await writeFile(file, Buffer.concat([sound, change.subarray(0, length)]));
      expect(await readLastState(file)).toEqual({ kind: 'ok', state: stateAt(3), savedAt: 1234 });
    }
    await writeFile(file, Buffer.concat([sound, Buffer.from('{"savedat')]));
    expect(await readLastState(file)).toMatchObject({ kind: 'refused', reason: expect.stringContaining('no change') });
  });

  test('a file cut at any byte is refused', async () => {
    await saveChanges();
    for (let length = (await stat(file)).size - 1; length >= 0; length--) {
      await truncate(file, length);
      expect(await readLastState(file), `cut at ${length}`).toMatchObject({ kind: 'refused' });
    }
  });

  test('a file with any bit flipped is refused', async () => {
    await saveChanges();
    const sound = await readFile(file);
    for (let bit = 0; bit < sound.length * 8; bit++) {
      const damaged = Buffer.from(sound);
      damaged.writeUInt8(damaged.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      await writeFile(file, damaged);
      expect(await readLastState(file), `bit ${bit}`).toMatchObject({ kind: 'refused' });
    }
  });

  test('a longer file and a file of something else are refused, with the reason', async () => {
    await save(stateAt(3));
    const sound = await readFile(file);
    await writeFile(file, Buffer.concat([sound, Buffer.from(' ')]));
    expect(await readLastState(file)).toMatchObject({ kind: 'refused', reason: expect.stringContaining('bytes') });
    await writeFile(file, '{}\n');
    expect(await readLastState(file)).toMatchObject({ kind: 'refused', reason: expect.stringContaining(file) });
    await rm(file);
    await mkdir(file);
    expect(await readLastState(file)).toMatchObject({ kind: 'refused', reason: expect.stringContaining('EISDIR') });
  });
});

describe('writing', () => {
  test('of many states at once the first and the newest are written, not those in between', async () => {
    const written: number[] = [];
    const one = writer(() => written.push(0));
    for (let revision = 1; revision <= 2000; revision++) one.save(stateAt(revision));
    expect(await one.flush()).toBe(true);
    expect(await readLastState(file)).toEqual({ kind: 'ok', state: stateAt(2000), savedAt: written.length });
    expect(written.length).toBeLessThanOrEqual(2);
  });

  test('flush before anything was saved has nothing to do, and saving works after it', async () => {
    const one = writer();
    expect(await one.flush()).toBe(true);
    expect(await readLastState(file)).toEqual({ kind: 'absent' });
    one.save(stateAt(1));
    expect(await one.flush()).toBe(true);
    expect(await readLastState(file)).toMatchObject({ kind: 'ok', state: stateAt(1) });
  });

  test('never goes back to a lower revision of an epoch, its own or one of an earlier life', async () => {
    await save(stateAt(5), stateAt(4));
    expect(await readLastState(file)).toMatchObject({ kind: 'ok', state: stateAt(5) });
    await save(stateAt(3));
    expect(await readLastState(file)).toMatchObject({ kind: 'ok', state: stateAt(5) });
  });

  test('another epoch is taken at any revision', async () => {
    await save(stateAt(5), stateAt(1, 'e2'));
    expect(await readLastState(file)).toMatchObject({ kind: 'ok', state: stateAt(1, 'e2') });
  });

  test('any order of saves ends with the highest of the last epoch', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 }), async (revisions) => {
        await rm(file, { force: true });
        const one = writer();
        for (const revision of revisions) {
          one.save(stateAt(revision));
          if (revision % 3 === 0) await one.flush();
        }
        await one.flush();
        expect(await readLastState(file)).toMatchObject({ state: { revision: Math.max(...revisions) } });
      }),
      { numRuns: 30 },
    );
  });

  test('a damaged file is replaced', async () => {
    await save(stateAt(5));
    await writeFile(file, 'nonsense');
    await save(stateAt(2));
    expect(await readLastState(file)).toMatchObject({ kind: 'ok', state: stateAt(2) });
  });

  test('a failure is reported, not thrown, and the next state is written when the disk is well again', async () => {
    await writeFile(join(folder, 'data'), 'a file where the folder should be');
    const one = writer();
    one.save(stateAt(1));
    expect(await one.flush()).toBe(false);
    expect(failures[0]?.message).toContain(file);
    await rm(join(folder, 'data'));
    one.save(stateAt(2));
    expect(await one.flush()).toBe(true);
    expect(await readLastState(file)).toMatchObject({ kind: 'ok', state: stateAt(2) });
  });

  test('a failure leaves the file as it was and is mended by flush with the same state', async () => {
    await save(stateAt(1));
    await mkdir(`${file}.tmp`);
    const one = writer();
    one.save(stateAt(2));
    expect(await one.flush()).toBe(false);
    expect(failures.length).toBeGreaterThan(0);
    expect(await readLastState(file)).toMatchObject({ kind: 'ok', state: stateAt(1) });
    await rm(`${file}.tmp`, { recursive: true });
    expect(await one.flush()).toBe(true);
    expect(await readLastState(file)).toMatchObject({ kind: 'ok', state: stateAt(2) });
  });

  test('a change of one of 10,000 routes writes a few hundred bytes, and the file stays within three times the state', async () => {
    let state: State = { epoch: 'e', revision: 0, routes: new Map() };
    for (let i = 0; i < 10_000; i++) state = withRoute(state, `route-${i}`, 1);
    const one = writer();
    one.save({ ...state, revision: 1 });
    await one.flush();
    const whole = (await stat(file)).size;
    const inode = (await stat(file)).ino;
    let before = whole;
    for (let i = 0; i < 50; i++) {
      state = next({ ...state, revision: i + 1 }, `route-${i * 7}`);
      one.save(state);
      await one.flush();
      const { size, ino } = await stat(file);
      expect(size - before).toBeLessThan(400);
      expect(ino).toBe(inode);
      before = size;
    }
    expect(await readLastState(file)).toEqual({ kind: 'ok', state, savedAt: 1234 });
    expect(whole).toBeGreaterThan(1_000_000);
  });

  test('a file that grows is written anew before it is much longer than its state', async () => {
    const one = writer();
    let [state, longest] = [stateAt(1), 0];
    for (let i = 0; i < 1_500; i++) {
      state = next(state, 'search');
      one.save(state);
      if (i % 5 === 0) await one.flush();
      longest = Math.max(longest, (await stat(file)).size);
    }
    await one.flush();
    expect(longest).toBeGreaterThan(10_000);
    expect(longest).toBeLessThan(70_000);
    expect(await readLastState(file)).toMatchObject({ kind: 'ok', state });
  });

  test('a file that somebody cut, replaced or removed meanwhile is written anew', async () => {
    const one = writer();
    let state = stateAt(1);
    for (const harm of [
      () => truncate(file, 100),
      () => rm(file),
      () => writeFile(`${file}.x`, '').then(() => rename(`${file}.x`, file)),
    ]) {
      state = next(state, 'search');
      one.save(state);
      expect(await one.flush()).toBe(true);
      await harm();
      state = next(state, 'search');
      one.save(state);
      expect(await one.flush()).toBe(true);
      expect(await readLastState(file)).toMatchObject({ kind: 'ok', state });
    }
  });
});

function withRoute(state: State, name: string, revision: number): State {
  (state.routes as Map<string, RouteState>).set(name, {
    revision,
    weightPpm: 0,
    cutover: 'steady',
    frozen: false,
    reason: 'first start, by configuration',
    actor: 'crossfade',
    at: 1_790_000_000_000,
  });
  return state;
}
