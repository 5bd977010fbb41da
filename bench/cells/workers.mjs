// @ts-check
import { validateHttp1, wrkLoad } from '../http1.mjs';

const request = { method: 'GET', path: '/', bodyBytes: 0 };

/**
 * Both share the proxy's one core: what is asked is what a second process adds to a request, not how fast two cores are.
 * @type {import('../types.ts').Cell}
 */
export const workers = {
  name: 'workers',
  question: 'What do two workers cost beside one? Small GET, both on the same core.',
  baselines: ['crossfade, 1 worker'],
  variants: () => [
    { label: 'crossfade, 1 worker', target: 'crossfade', options: { workers: 1 } },
    { label: 'crossfade, 2 workers', target: 'crossfade', options: { workers: 2 } },
  ],
  validate: validateHttp1(request, (side) => `hello, ${side}\n`),
  load: wrkLoad(request),
};
