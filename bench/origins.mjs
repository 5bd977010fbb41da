// @ts-check
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('origin.mjs', import.meta.url));

/**
 * Starts the backends, an old and a new one of each protocol, in a process of their own.
 * @param {string | null} cores as for `taskset -c`; null: wherever there is room
 * @returns {Promise<{ ports: Record<import('./types.ts').Back, import('./types.ts').Origins>, stop: () => Promise<void> }>}
 */
export async function startOrigins(cores) {
  const node = [process.execPath, program];
  const child = spawn('env', cores === null ? node : ['taskset', '-c', cores, ...node], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface(child.stdout), 'line');
  const stop = async () => {
    const ended = once(child, 'exit');
    if (child.kill()) await ended;
  };
  return { ports: JSON.parse(line), stop };
}
