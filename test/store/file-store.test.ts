import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { existsSync } from 'node:fs';
import {
  appendFile,
  type FileHandle,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { AuditEntry, State } from '../../src/domain/state.ts';
import { openFileStore } from '../../src/store/file-store.ts';
import { encodeEntries, encodeHead } from '../../src/store/journal-format.ts';
import { type Store, StoreUnavailable } from '../../src/store/store.ts';
import { sized } from '../size.ts';
import { at, changeOf, put, storeContract } from './contract.ts';
import type { WriterLine } from './journal-writer.ts';

const run = promisify(execFile);

/** Where the methods of file handles can be made to fail; Node does not export the class itself. */
const FILE_HANDLE = await open(import.meta.filename).then(async (handle): Promise<FileHandle> => {
  await handle.close();
  return Object.getPrototypeOf(handle) as FileHandle;
});

let folder: string;
let path: string;
let warnings: string[];
let opened: Store[];
let time = 1000;

const openAt = async (file: string): Promise<Store> => {
  const store = await openFileStore(file, {
    clock: () => time++,
    randomId: () => `epoch-${time++}`,
    onWarning: (message) => warnings.push(message),
  });
  opened.push(store);
  return store;
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'crossfade-store-'));
  path = join(folder, 'state.json');
  warnings = [];
  opened = [];
});
afterEach(async () => {
  vi.restoreAllMocks();
  await Promise.all(opened.map((store) => store.close()));
  await rm(folder, { recursive: true });
});

let contracts = 0;
storeContract('one local file', async () => {
  const file = join(folder, `contract-${contracts++}`, 'state.json');
  let store = await openAt(file);
  return {
    store,
    reopen: async () => {
      await store.close();
      store = await openAt(file);
      return store;
    },
    dispose: () => store.close(),
  };
});

test('every revision is seen by a watcher, also when changes share a write', async () => {
  const store = await openAt(path);
  const seen: number[] = [];
  store.watch(({ revision }) => seen.push(revision));
  await Promise.all([1, 2, 3, 4, 5].map((i) => put(store, `route-${i}`, 0, i)));
  expect(seen).toEqual([1, 2, 3, 4, 5]);
});

test('a change is neither acknowledged nor shown before it is synced', async () => {
  const store = await openAt(path);
  const disk = new EventEmitter();
  vi.spyOn(FILE_HANDLE, 'sync').mockImplementationOnce(async () => {
    disk.emit('syncing');
    await once(disk, 'synced');
  });
  const seen: number[] = [];
  store.watch(({ revision }) => seen.push(revision));
  const acknowledged: number[] = [];
  const written = put(store, 'a', 0, 1).then(({ revision }) => acknowledged.push(revision));
  await once(disk, 'syncing');
  expect((await readFile(path, 'utf8')).split('\n')).toHaveLength(3);
  expect([acknowledged, seen, (await store.load()).revision, await store.history({ limit: 1 })]).toEqual([
    [],
    [],
    0,
    [],
  ]);
  disk.emit('synced');
  await written;
  expect([acknowledged, seen, (await store.load()).revision]).toEqual([[1], [1], 1]);
});

test('of changes that share a write all fail with it, also those that lost against one of them', async () => {
  const store = await openAt(path);
  const { epoch } = await store.load();
  const write = (route: string): Promise<unknown> =>
    store.compareAndSet(changeOf(epoch, { route, expected: 0, next: at(1) })).catch((error: Error) => error.name);
  const first = write('first');
  vi.spyOn(FILE_HANDLE, 'sync').mockResolvedValueOnce().mockRejectedValueOnce(new Error('EIO: i/o error, fsync'));
  const batch = await Promise.all(['a', 'a', 'b'].map(write));
  expect(await first).toMatchObject({ kind: 'applied' });
  expect(batch).toEqual(['StoreUnavailable', 'StoreUnavailable', 'StoreUnavailable']);
  expect([...(await store.load()).routes.keys()]).toEqual(['first']);
  expect(await write('a')).toMatchObject({ kind: 'applied', entry: { revision: 2 } });
});

test('changes that arrive together share a sync', async () => {
  const store = await openAt(path);
  const syncs = vi.spyOn(FILE_HANDLE, 'sync');
  await Promise.all(Array.from({ length: 100 }, (_, i) => put(store, `route-${i}`, 0, i)));
  expect((await store.load()).revision).toBe(100);
  expect(syncs.mock.calls.length).toBeGreaterThan(0);
  expect(syncs.mock.calls.length).toBeLessThan(10);
});

describe('a damaged journal', () => {
  test('cut at any byte opens with exactly the changes that are whole, or is refused inside its head', async () => {
    const { journal, states, headBytes } = await written();
    for (let length = 0; length <= journal.length; length += sized(1, 3)) {
      await writeFile(path, journal.subarray(0, length));
      if (length < headBytes) {
        await expect(openAt(path), `cut at ${length}`).rejects.toThrow(/state\.json:\d: .*cut off.*; restore/);
        continue;
      }
      const whole = Math.max(...[...states.keys()].filter((size) => size <= length));
      warnings = [];
      const store = await openAt(path);
      const state = await store.load();
      expect(state, `cut at ${length}`).toEqual(states.get(whole));
      expect(await store.history({ limit: 9 })).toHaveLength(state.revision);
      expect((await stat(path)).size).toBe(whole);
      expect(warnings).toHaveLength(length === whole ? 0 : 1);
      await store.close();
    }
  });

  test('works on after a torn line, and what is written then stays', async () => {
    const { journal } = await written();
    await writeFile(path, journal.subarray(0, -20));
    const store = await openAt(path);
    expect(warnings[0]).toMatch(/state\.json:6: dropped \d+ bytes/);
    await put(store, 'a', 3, 77);
    await store.close();
    expect((await (await openAt(path)).load()).routes.get('a')).toMatchObject({ revision: 5, weightPpm: 77 });
  });

  test('with a bit flipped in a whole line is refused with that line', async () => {
    const { journal } = await written();
    for (const bit of sampled(journal.length * 8, sized(1500, 300))) {
      await writeFile(path, flipped(journal, bit));
      await expect(openAt(path), `bit ${bit}`).rejects.toThrow(/state\.json:\d: .*; restore the file/);
    }
  });

  test('with a bit flipped is refused or, in its unfinished last line only, opens with the lines before', async () => {
    const { journal, states } = await written();
    const torn = journal.subarray(0, -20);
    const sizes = [...states.keys()];
    const whole = sizes.at(-2) as number;
    let openings = 0;
    for (const bit of sampled(torn.length * 8, sized(1500, 300))) {
      await writeFile(path, flipped(torn, bit));
      const outcome = await openAt(path).then(
        async (store) => {
          const state = await store.load();
          await store.close();
          return state;
        },
        (error: Error) => error,
      );
      if (outcome instanceof Error) {
        expect(outcome.message).toMatch(/state\.json:\d: /);
        continue;
      }
      openings++;
      expect(bit >> 3, `bit ${bit}`).toBeGreaterThanOrEqual(whole);
      expect(outcome).toEqual(states.get(whole));
    }
    expect(openings).toBeGreaterThan(0);
  });

  test.each([
    ['a line missing', (lines: string[]) => lines.toSpliced(3, 1), 'state.json:4: revision 4 where 3 is due'],
    [
      'a line twice',
      (lines: string[]) => lines.toSpliced(4, 0, lines[3] as string),
      'state.json:5: revision 3 where 4',
    ],
    [
      'two lines swapped',
      (lines: string[]) => lines.toSpliced(3, 2, lines[4] as string, lines[3] as string),
      ':4: rev',
    ],
    ['its first line missing', (lines: string[]) => lines.slice(1), 'state.json:1: '],
    ['a blank line', (lines: string[]) => lines.toSpliced(4, 0, '\n'), 'state.json:5: damaged'],
  ])('with %s is refused', async (_, damage, message) => {
    const { journal } = await written();
    const lines = journal.toString().match(/.*\n/g) as string[];
    await writeFile(path, damage([...lines]).join(''));
    await expect(openAt(path)).rejects.toThrow(message);
    await expect(openAt(path)).rejects.toThrow(StoreUnavailable);
  });

  test('that is refused is left as it is, and unlocked', async () => {
    const { journal } = await written();
    const damaged = flipped(journal, 2000);
    await writeFile(path, damaged);
    await expect(openAt(path)).rejects.toThrow(StoreUnavailable);
    expect(await readFile(path)).toEqual(damaged);
    expect(await readdir(folder)).toEqual(['state.json']);
  });

  test('of a later format is refused by name', async () => {
    const head = encodeHead({ epoch: 'e', revision: 0, routes: new Map() }, []);
    const json = head.toString().slice(9, -1).replace('"format":1', '"format":2');
    await writeFile(path, `${crc32(json).toString(16).padStart(8, '0')} ${json}\n`);
    await expect(openAt(path)).rejects.toThrow(/state\.json:1: format 2 belongs to another version/);
  });

  test('of which entries are not the next revision is refused even when they rise', async () => {
    const head = encodeHead({ epoch: 'e', revision: 1, routes: new Map() }, []);
    const entry: AuditEntry = { revision: 3, at: 1, verb: 'set', actor: '', reason: '', routes: [after('a')] };
    await writeFile(path, Buffer.concat([head, encodeEntries([entry])]));
    await expect(openAt(path)).rejects.toThrow('state.json:2: revision 3 where 2 is due');
  });
});

describe('a failing disk', () => {
  test('a write that takes a part and then fails leaves nothing behind, and the store works again', async () => {
    const store = await openAt(path);
    await put(store, 'a', 0, 1);
    const before = await store.load();
    const size = (await stat(path)).size;
    const seen: number[] = [];
    store.watch(({ revision }) => seen.push(revision));

    vi.spyOn(FILE_HANDLE, 'write')
      .mockImplementationOnce(async () => {
        await appendFile(path, 'half of a li');
        return { bytesWritten: 12, buffer: '' };
      })
      .mockRejectedValueOnce(new Error('ENOSPC: no space left on device, write'));
    const failed = await Promise.allSettled([put(store, 'a', 1, 2), put(store, 'b', 0, 2)]);
    expect(failed[0]).toMatchObject({ status: 'rejected', reason: { name: 'StoreUnavailable' } });
    expect(failed[1]?.status).toBe('fulfilled');
    expect(store.health()).toEqual({ up: true });
    expect(seen).toEqual([2]);
    const state = await store.load();
    expect(state.routes.get('a')).toEqual(before.routes.get('a'));
    expect((await stat(path)).size).toBeGreaterThan(size);
    await store.close();
    expect(await (await openAt(path)).load()).toEqual(state);
  });

  test('while it fails, health says since when and why; nothing is shown or kept of what failed', async () => {
    const store = await openAt(path);
    await put(store, 'a', 0, 1);
    const before = await store.load();
    const size = (await stat(path)).size;
    const full = vi.spyOn(FILE_HANDLE, 'write').mockRejectedValue(new Error('ENOSPC: no space left'));
    const change = changeOf(before.epoch, { route: 'a', expected: 1, next: at(2) });
    await expect(store.compareAndSet(change)).rejects.toThrow(StoreUnavailable);
    const health = store.health();
    expect(health).toEqual({ up: false, since: expect.any(Number), reason: `${path}: ENOSPC: no space left` });
    await expect(store.compareAndSet(change)).rejects.toThrow('ENOSPC');
    expect(store.health()).toEqual(health);
    expect(await store.load()).toBe(before);
    expect(await store.history({ limit: 9 })).toHaveLength(1);
    expect((await stat(path)).size).toBe(size);

    full.mockRestore();
    expect((await put(store, 'a', 1, 3)).revision).toBe(2);
    expect(store.health()).toEqual({ up: true });
  });

  test('after a failed sync the file is not trusted any more but made anew', async () => {
    const store = await openAt(path);
    await put(store, 'a', 0, 1);
    const { ino } = await stat(path);
    vi.spyOn(FILE_HANDLE, 'sync').mockRejectedValueOnce(new Error('EIO: i/o error, fsync'));
    await expect(put(store, 'a', 1, 2)).rejects.toThrow('EIO');
    expect((await readFile(path, 'utf8')).split('\n')).toHaveLength(3);
    await put(store, 'a', 1, 3);
    expect((await stat(path)).ino).not.toBe(ino);
    const state = await store.load();
    expect(state.routes.get('a')).toMatchObject({ revision: 2, weightPpm: 3 });
    const history = await store.history({ limit: 9 });
    await store.close();
    const reopened = await openAt(path);
    expect(await reopened.load()).toEqual(state);
    expect(await reopened.history({ limit: 9 })).toEqual(history);
  });

  test('when it cannot even be cut back, the file is made anew before the next change', async () => {
    const store = await openAt(path);
    await put(store, 'a', 0, 1);
    vi.spyOn(FILE_HANDLE, 'sync').mockRejectedValueOnce(new Error('EIO: i/o error, fsync'));
    vi.spyOn(FILE_HANDLE, 'truncate').mockRejectedValueOnce(new Error('EIO: i/o error, ftruncate'));
    await expect(put(store, 'a', 1, 2)).rejects.toThrow('EIO');
    await put(store, 'b', 0, 3);
    const state = await store.load();
    expect(state.routes.get('a')?.weightPpm).toBe(1);
    await store.close();
    expect(await (await openAt(path)).load()).toEqual(state);
  });
});

describe('the lock', () => {
  test('a second opening is refused and names the process; the first goes on', async () => {
    const store = await openAt(path);
    await expect(openAt(path)).rejects.toThrow(`${path}.lock: process ${process.pid} has the store open`);
    await put(store, 'a', 0, 1);
    await store.close();
    expect(await readdir(folder)).toEqual(['state.json']);
    expect((await (await openAt(path)).load()).revision).toBe(1);
  });

  test('another living process is respected, also when only its pid is known', async () => {
    await writeFile(`${path}.lock`, `${process.ppid}\n`);
    await expect(openAt(path)).rejects.toThrow(`process ${process.ppid} `);
    expect(await readFile(`${path}.lock`, 'utf8')).toBe(`${process.ppid}\n`);
  });

  test.each(['', 'nonsense', '0', '-1'])('a lock that names no process (%j) is taken over', async (content) => {
    await writeFile(`${path}.lock`, content);
    await openAt(path);
    expect(Number.parseInt(await readFile(`${path}.lock`, 'utf8'), 10)).toBe(process.pid);
  });

  test.skipIf(!existsSync('/proc/self/stat'))('a pid that by now is another process’s is taken over', async () => {
    await writeFile(`${path}.lock`, `${process.pid} 1\n`);
    await openAt(path);
    expect(await readFile(`${path}.lock`, 'utf8')).toMatch(new RegExp(`^${process.pid} \\d\\d+\n$`));
  });

  test('of many that find a dead holder’s lock exactly one gets it', async () => {
    const child = spawn(process.execPath, ['--eval', '']);
    await once(child, 'exit');
    for (let round = 0; round < 30; round++) {
      await writeFile(`${path}.lock`, `${child.pid} 5\n`);
      const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => openAt(path)));
      const [winner, ...others] = outcomes.filter((outcome) => outcome.status === 'fulfilled');
      expect(others).toEqual([]);
      expect((await readdir(folder)).sort()).toEqual(['state.json', 'state.json.lock']);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(String(outcome.reason)).toContain(`process ${process.pid} has`);
      }
      await winner?.value.close();
    }
  });

  test('a process that died while it took over a dead holder’s lock is no hindrance', async () => {
    const child = spawn(process.execPath, ['--eval', '']);
    await once(child, 'exit');
    const dead = `${child.pid} 5\n`;
    await writeFile(`${path}.lock`, dead);
    await writeFile(`${path}.lock.${crc32(dead).toString(16)}`, `${child.pid} 6\n`);
    await openAt(path);
    expect((await readdir(folder)).sort()).toEqual(['state.json', 'state.json.lock']);
  });
});

test('a place that cannot be written is refused with its name', async () => {
  await writeFile(join(folder, 'taken'), '');
  await expect(openAt(join(folder, 'taken', 'state.json'))).rejects.toThrow(join(folder, 'taken'));
  await mkdir(path);
  await expect(openAt(path)).rejects.toThrow(`${path}: EISDIR`);
});

describe('compaction', () => {
  const ROUTES = 100;

  /** One change of each route, all at once. */
  const round = async (store: Store): Promise<void> => {
    const { epoch, routes } = await store.load();
    const results = await Promise.all(
      Array.from({ length: ROUTES }, (_, i) => {
        const route = `route-${i}`;
        const expected = routes.get(route)?.revision ?? 0;
        const change = changeOf(epoch, { route, expected, next: at(i) });
        return store.compareAndSet({ ...change, reason: 'x'.repeat(1500) });
      }),
    );
    expect(results.every(({ kind }) => kind === 'applied')).toBe(true);
  };

  test('keeps the state and the last 1,000 entries, and the file small', async () => {
    const store = await openAt(path);
    const { ino } = await stat(path);
    let now = await stat(path);
    while (now.ino === ino && now.size < 4 * 1024 * 1024) {
      await round(store);
      now = await stat(path);
    }
    const state = await store.load();
    expect(state.revision).toBeGreaterThan(2000);
    const history = await store.history({ limit: 1000 });
    await store.close();
    expect((await stat(path)).ino).not.toBe(ino);
    expect((await stat(path)).size).toBeLessThan(2 * 1024 * 1024);
    expect(await readdir(folder)).toEqual(['state.json']);
    const reopened = await openAt(path);
    expect(await reopened.load()).toEqual(state);
    expect(await reopened.history({ limit: 2000 })).toEqual(history);
    await round(reopened);
    expect((await reopened.load()).revision).toBe(state.revision + ROUTES);
    expect(warnings).toEqual([]);
  });

  test('that fails is a warning; every change stays, and the next one is made when there is room', async () => {
    await mkdir(`${path}.data`);
    const store = await openAt(join(`${path}.data`, 'state.json'));
    await mkdir(join(`${path}.data`, 'state.json.tmp'));
    for (let i = 0; i < 30; i++) await round(store);
    await round(store);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('not compacted');
    expect(store.health()).toEqual({ up: true });
    const state = await store.load();
    await store.close();
    await rm(join(`${path}.data`, 'state.json.tmp'), { recursive: true });
    const reopened = await openAt(join(`${path}.data`, 'state.json'));
    expect(await reopened.load()).toEqual(state);
    await round(reopened);
    await round(reopened);
    await reopened.close();
    expect((await stat(join(`${path}.data`, 'state.json'))).size).toBeLessThan(4 * 1024 * 1024);
  });
});

describe('as a process of its own', () => {
  let built: string;
  let child: ChildProcess | undefined;
  let exited: Promise<unknown> = Promise.resolve();

  beforeAll(async () => {
    built = await mkdtemp(join(tmpdir(), 'crossfade-writer-'));
    const root = resolve(import.meta.dirname, '../..');
    const config = {
      extends: join(root, 'tsconfig.json'),
      compilerOptions: { rootDir: root, outDir: built, typeRoots: [join(root, 'node_modules/@types')] },
      include: [],
      files: [join(root, 'test/store/journal-writer.ts')],
    };
    await writeFile(join(built, 'tsconfig.json'), JSON.stringify(config));
    await writeFile(join(built, 'package.json'), '{"type":"module"}');
    await symlink(join(root, 'node_modules'), join(built, 'node_modules'));
    await run(join(root, 'node_modules/.bin/tsc'), ['-p', join(built, 'tsconfig.json')]);
  }, 60_000);
  afterEach(async () => {
    child?.kill('SIGKILL');
    await exited;
  });
  afterAll(() => rm(built, { recursive: true }));

  const start = (routes: string, under: readonly string[] = []): Interface => {
    const [command, ...args] = [...under, process.execPath, join(built, 'test/store/journal-writer.js'), path, routes];
    child = spawn(command ?? '', args, { stdio: ['pipe', 'pipe', 'inherit'] });
    exited = once(child, 'exit');
    return createInterface({ input: child.stdout as NonNullable<ChildProcess['stdout']> });
  };

  test('killed in the middle of writing, every acknowledged change is there', async () => {
    const acknowledged: AuditEntry[] = [];
    for (const enough of [1, 5, 40, 150, 400]) {
      const lines = start('a,b,c,d,e');
      let heard = 0;
      for await (const text of lines) {
        const line = JSON.parse(text) as WriterLine;
        if (line.kind !== 'acknowledged') throw new Error(text);
        acknowledged.push(line.entry);
        if (++heard === enough) child?.kill('SIGKILL');
      }
      // Its output ends a moment before it does.
      await exited;
      const store = await openAt(path);
      const { revision, routes } = await store.load();
      const history = await store.history({ limit: 1000 });
      const kept = new Map(history.map((entry) => [entry.revision, entry]));
      for (const entry of acknowledged.slice(-1000)) expect(kept.get(entry.revision)).toEqual(entry);
      // Beyond them at most what was under way: one change of each route.
      expect(revision).toBeLessThanOrEqual((acknowledged.at(-1)?.revision ?? 0) + 5);
      const weights = [...routes.values()].map(({ weightPpm }) => weightPpm);
      expect(weights.reduce((sum, weight) => sum + weight, 0)).toBe(revision);
      await store.close();
    }
  });

  test.skipIf(!existsSync('/usr/bin/prlimit'))(
    'out of room it refuses, keeps what it had, and works again when there is room',
    async () => {
      const lines = start('a', ['/usr/bin/prlimit', '--fsize=20000:unlimited']);
      const acknowledged: AuditEntry[] = [];
      let failed: Extract<WriterLine, { kind: 'failed' }> | undefined;
      for await (const text of lines) {
        const line = JSON.parse(text) as WriterLine;
        if (line.kind === 'acknowledged') acknowledged.push(line.entry);
        if (line.kind === 'failed') {
          failed = line;
          expect((await stat(path)).size).toBeLessThanOrEqual(20_000);
          await run('/usr/bin/prlimit', [`--pid=${child?.pid}`, '--fsize=unlimited']);
          child?.stdin?.write('go on\n');
        }
        if (line.kind === 'recovered') {
          expect(line.up).toBe(true);
          child?.kill('SIGKILL');
        }
      }
      if (failed === undefined) throw new Error('never out of room');
      expect(failed).toMatchObject({ name: 'StoreUnavailable', up: false });
      expect(failed.message).toContain('EFBIG');
      // Nothing of the refused change was shown, and the change after it took its revision.
      const atFailure = failed.state.revision;
      expect(acknowledged.slice(0, atFailure + 1).map(({ revision }) => revision)).toEqual(
        Array.from({ length: atFailure + 1 }, (_, i) => i + 1),
      );
      await exited;
      const store = await openAt(path);
      const history = await store.history({ limit: 1000 });
      expect(history.slice(-acknowledged.length)).toEqual(acknowledged.toReversed());
      expect(warnings.length).toBeLessThanOrEqual(1);
    },
  );
});

/** The journal of a few changes, and what the state was when it was `bytes` long. */
async function written(): Promise<{ journal: Buffer; states: Map<number, State>; headBytes: number }> {
  // Made with older history, as a compaction leaves it.
  const before: State = {
    epoch: 'e1',
    revision: 2,
    routes: new Map([['a', { revision: 2, ...at(2), reason: 'r', actor: 'ann', at: 1 }]]),
  };
  const history: AuditEntry[] = [1, 2].map((revision) => ({
    revision,
    at: 1,
    verb: 'set',
    actor: 'ann',
    reason: 'r',
    routes: [{ route: 'a', before: revision === 1 ? null : at(1), after: at(revision) }],
  }));
  const head = encodeHead(before, history);
  await writeFile(path, head);
  const store = await openAt(path);
  const states = new Map([[head.length, await store.load()]]);
  for (const [route, expected] of [
    ['a', 2],
    ['b', 0],
    ['a', 3],
  ] as const) {
    await put(store, route, expected, 9);
    states.set((await stat(path)).size, await store.load());
  }
  await store.close();
  return { journal: await readFile(path), states, headBytes: head.length };
}

const after = (route: string): AuditEntry['routes'][number] => ({ route, before: null, after: at(1) });

function flipped(bytes: Buffer, bit: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
  return copy;
}

/** `count` of the numbers below `end`, the same ones each time, and always the last eight. */
function sampled(end: number, count: number): number[] {
  let seed = 42;
  const next = (): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((seed / 2 ** 32) * end);
  };
  return [...Array.from({ length: count }, next), ...Array.from({ length: 8 }, (_, i) => end - 1 - i)];
}
