import type * as promises from 'node:fs/promises';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';

/** What others do just before a link is made. */
const meanwhile = vi.hoisted(() => ({ before: async (_to: string): Promise<void> => undefined }));
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof promises>();
  return {
    ...real,
    link: async (from: string, to: string): Promise<void> => {
      await meanwhile.before(to);
      await real.link(from, to);
    },
  };
});

test('who was slow to claim a dead holder’s lock does not take that of the quicker one', async () => {
  // Anew: a file before this one may have loaded it with the real one.
  vi.resetModules();
  const { lockFile } = await import('../../src/store/lock-file.ts');
  const folder = await mkdtemp(join(tmpdir(), 'crossfade-lock-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'state.json.lock');
  const quicker = `${process.ppid}\n`;
  await writeFile(path, 'of a process long gone');
  meanwhile.before = async (to) => {
    if (to.startsWith(`${path}.`)) await writeFile(path, quicker);
  };
  await expect(lockFile(path)).rejects.toThrow(`process ${process.ppid} has the store open`);
  expect(await readFile(path, 'utf8')).toBe(quicker);
  expect(await readdir(folder)).toEqual(['state.json.lock']);
});
