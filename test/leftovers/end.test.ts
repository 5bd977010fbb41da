/** What a file leaves running is ended with it. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const VITEST = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));
const CONFIG = fileURLToPath(new URL('left/vitest.config.ts', import.meta.url));

test('processes of a test that timed out, at both of its tries, are gone when its file has ended', async () => {
  const printed = await new Promise<string>((resolve) => {
    const env = { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined };
    execFile(process.execPath, [VITEST, 'run', '--config', CONFIG], { env }, (_error, stdout) => resolve(stdout));
  });
  expect(printed).toContain('1 failed | 1 passed');
  const left = [...printed.matchAll(/^left (\d+)$/gm)].map(([, pid]) => pid);
  expect(left).toHaveLength(2);
  expect(left.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
});
