// @ts-check
import { validateHttp1, wrkLoad } from '../http1.mjs';
import { eachTarget } from './variants.mjs';

const BYTES = 100_000_000;
const down = { method: 'GET', path: `/bytes/${BYTES}`, bodyBytes: 0, connections: 4 };
const up = { method: 'POST', path: '/', bodyBytes: BYTES, connections: 4 };

/** @type {import('../types.ts').Cell} */
export const http1Download = {
  name: 'http1-100mb-down',
  question: 'What does a download of 100 MB cost? HTTP/1.1, 4 keep-alive connections.',
  baselines: ['haproxy'],
  variants: eachTarget(),
  validate: validateHttp1({ ...down, path: '/bytes/1000000' }, () => 'x'.repeat(1_000_000)),
  load: wrkLoad(down),
};

/** @type {import('../types.ts').Cell} */
export const http1Upload = {
  name: 'http1-100mb-up',
  question: 'What does an upload of 100 MB cost? HTTP/1.1, 4 keep-alive connections. Bytes are those of the requests.',
  baselines: ['haproxy'],
  variants: eachTarget(),
  validate: validateHttp1({ ...up, bodyBytes: 1_000_000 }, (side) => `hello, ${side}\n`),
  load: async (port, seconds, cores) => {
    const result = await wrkLoad(up)(port, seconds, cores);
    return { ...result, bytes: result.requests * BYTES };
  },
};
