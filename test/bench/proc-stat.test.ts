import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { cpuOf, familyOf, peakRssOf } from '../../bench/proc-stat.mjs';

const children: ChildProcess[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) {
    const ended = once(child, 'exit');
    if (child.kill('SIGKILL')) await ended;
  }
});

/** Runs the script in a Node of its own and resolves with the first line that it prints. */
async function start(script: string): Promise<{ pid: number; line: string }> {
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const [bytes] = await once(child.stdout, 'data');
  return { pid: child.pid ?? 0, line: String(bytes).trim() };
}

describe('what /proc says of a process', () => {
  test('CPU time is what the process itself measures, to a few ticks, even when its name is misleading', async () => {
    const script = `
      process.title = 'a) R 1 (b';
      while (process.cpuUsage().user < 200_000);
      const { user, system } = process.cpuUsage();
      console.log(user + system);
      setInterval(() => undefined, 60_000);`;
    const { pid, line } = await start(script);
    const { userUs, systemUs } = cpuOf([pid]);
    // What Node does after it has measured, and two counters that each round down to 10 ms.
    expect(userUs + systemUs).toBeGreaterThan(Number(line) - 40_000);
    expect(userUs + systemUs).toBeLessThan(5 * Number(line));
    expect(userUs).toBeGreaterThan(0);
    expect(cpuOf([pid, pid]).userUs).toBeGreaterThanOrEqual(2 * userUs);
  });

  test('peak memory holds what was once allocated', async () => {
    const { pid } = await start(
      `Buffer.alloc(64 * 2 ** 20, 1); console.log('there'); setInterval(() => undefined, 60_000);`,
    );
    expect(peakRssOf([pid])).toBeGreaterThan(64 * 2 ** 20);
    expect(peakRssOf([pid])).toBeLessThan(1024 * 2 ** 20);
  });

  test('a family is the process and its descendants', async () => {
    const script = `
      const child = require('node:child_process').spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: 'pipe' });
      console.log(child.pid);`;
    const { pid, line } = await start(script);
    expect(familyOf(pid)).toEqual([pid, Number(line)].sort((a, b) => a - b));
    expect(familyOf(process.pid)).toContain(pid);
  });

  test('a process that is gone is an error, not zero', async () => {
    const { pid } = await start(`console.log('short'); process.stdin.destroy();`);
    const child = children.pop();
    if (child?.exitCode === null) await once(child, 'exit');
    expect(() => cpuOf([pid])).toThrow(/ENOENT/);
  });
});
