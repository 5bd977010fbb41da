// @ts-check
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { validateHttp1, wrkLoad } from '../http1.mjs';
import { LOAD_CORES } from '../machine.mjs';
import { rssOf } from '../proc-stat.mjs';

const program = fileURLToPath(new URL('../idle-clients.mjs', import.meta.url));
const COUNT = 10_000;
const request = { method: 'GET', path: '/', bodyBytes: 0 };

/** @type {import('../types.ts').Cell} */
export const idle = {
  name: 'idle',
  question: `What do ${COUNT.toLocaleString('en-US')} idle keep-alive connections cost beside traffic? Small GET.`,
  baselines: ['crossfade, none idle'],
  variants: () => {
    const config = { defaults: { timeouts: { idle: '1h' } } };
    return [
      { label: 'crossfade, none idle', target: 'crossfade', options: { config }, isBesides: false },
      { label: 'crossfade, 10,000 idle', target: 'crossfade', options: { config } },
    ];
  },
  validate: validateHttp1(request, (side) => `hello, ${side}\n`),
  load: wrkLoad(request),
  beside: async (running) => {
    const { port } = running;
    // What is compiled and allocated at first use is not the idle connections'.
    await wrkLoad(request)(port, 2, LOAD_CORES);
    const before = rssOf(running.pids());
    const args = ['-c', LOAD_CORES, process.execPath, program, String(port), String(COUNT)];
    const clients = spawn('taskset', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const [word] = await Promise.race([once(clients.stdout, 'data'), once(clients, 'exit')]);
    if (String(word) !== 'ready\n') throw new Error('the idle connections did not come about');
    const each = (rssOf(running.pids()) - before) / COUNT / 1024;
    const end = async () => {
      const ended = once(clients, 'exit');
      if (clients.kill()) await ended;
    };
    return { end, note: `an idle connection takes ${each.toFixed(1)} KiB of resident memory, all processes together` };
  },
};
