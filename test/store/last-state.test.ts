import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { State } from '../../src/domain/state.ts';
import { LastStateWriter, readLastState } from '../../src/store/last-state.ts';

let folder: string;
let file: string;
let failures: Error[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'crossfade-last-'));
  file = join(folder, 'data', 'last-9900.json');
  failures = [];
});
afterEach(() => rm(folder, { recursive: true }));

const stateAt = (revision: number, epoch = 'e1'): State => ({
  epoch,
  revision,
  routes: new Map([
    ['search', { revision, weightPpm: revision, cutover: 'steady', frozen: false, reason: 'ä', actor: 'ann', at: 7 }],
  ]),
});

const writer = (): LastStateWriter =>
  new LastStateWriter(file, { clock: () => 1234, onFailure: (error) => failures.push(error) });

const save = async (...states: State[]): Promise<void> => {
  const one = writer();
  for (const state of states) one.save(state);
  expect(await one.flush()).toBe(true);
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

  test('a file cut at any byte is refused', async () => {
    await save(stateAt(3));
    for (let length = (await stat(file)).size - 1; length >= 0; length--) {
      await truncate(file, length);
      expect(await readLastState(file), `cut at ${length}`).toMatchObject({ kind: 'refused' });
    }
  });

  test('a file with any bit flipped is refused', async () => {
    await save(stateAt(3));
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
    const one = new LastStateWriter(file, { clock: () => written.push(0), onFailure: (error) => failures.push(error) });
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
});
