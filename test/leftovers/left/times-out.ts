/** A file as none should be: each try of its test leaves a process behind, and hangs. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';

test('hangs', { retry: 1, timeout: 1_000 }, async () => {
  const script = 'process.on("SIGTERM", () => {}); setTimeout(() => {}, 60_000); console.log("up")';
  const child = spawn(process.execPath, ['-e', script]);
  await once(child.stdout, 'data');
  console.log(`left ${child.pid}`);
  await new Promise(() => undefined);
});

test('ends what it starts', async () => {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  expect(child.exitCode).toBe(0);
});
