// @ts-check
import { validateHttp1, wrkLoad } from '../http1.mjs';

const request = { method: 'GET', path: '/', bodyBytes: 0 };

/** @type {import('../types.ts').Cell} */
export const routes = {
  name: 'routes',
  question: 'What do 10,000 routes cost beside 10? Small GET that falls to the route with path /.',
  baselines: ['crossfade, 10 routes'],
  variants: () => [
    { label: 'crossfade, 10 routes', target: 'crossfade', options: { routes: 10 } },
    { label: 'crossfade, 10,000 routes', target: 'crossfade', options: { routes: 10_000 } },
  ],
  validate: validateHttp1(request, (side) => `hello, ${side}\n`),
  load: wrkLoad(request),
};
