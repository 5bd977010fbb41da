// @ts-check
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/**
 * @typedef {object} ClosedLoopSettings
 * @property {string} url
 * @property {number} connections each asks again as soon as it is answered
 * @property {number | null} rate at most so many requests a second, all together; null: no limit
 * @property {Record<string, string>} headers
 * @property {string} sideHeader
 */

const program = fileURLToPath(new URL('closed-loop-process.mjs', import.meta.url));

/** Resolves once it asks: its process takes a while to start. @param {ClosedLoopSettings} settings */
export async function startClosedLoop(settings) {
  const child = fork(program, [JSON.stringify(settings)]);
  await once(child, 'message');
  return {
    /** @param {string} phase requests that are answered or fail from now on are counted under this name */
    startPhase: (phase) => void child.send({ phase }),
    /** @returns {Promise<ReturnType<import('../tally.mjs').Tally['toJSON']>[]>} */
    stop: async () => {
      const answered = once(child, 'message');
      child.send({ stop: true });
      const [tallies] = await answered;
      return tallies;
    },
  };
}
