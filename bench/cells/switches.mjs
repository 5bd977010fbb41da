// @ts-check
import { validateHttp1, wrkLoad } from '../http1.mjs';

const request = { method: 'GET', path: '/', bodyBytes: 0, users: 1_000 };
const sticky = { route: { sticky: [{ header: 'x-user' }] } };

/** @type {import('../types.ts').Cell} */
export const switches = {
  name: 'switches',
  question:
    'What do metrics, evidence and stickiness cost, alone and together? Small GET of 1,000 users in turn; without them no request is counted.',
  baselines: ['crossfade, none of them'],
  variants: () => [
    { label: 'crossfade, none of them', target: 'crossfade', options: { isBare: true } },
    { label: 'crossfade, metrics and evidence', target: 'crossfade', options: {} },
    { label: 'crossfade, sticky', target: 'crossfade', options: { isBare: true, ...sticky } },
    { label: 'crossfade, all of them', target: 'crossfade', options: sticky },
  ],
  // All come from one address, which stays on one side.
  validate: validateHttp1(request, (side) => `hello, ${side}\n`),
  load: wrkLoad(request),
};
