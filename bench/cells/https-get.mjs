// @ts-check
import { openLoopLatency, validateHttp1, wrkLoad } from '../http1.mjs';
import { eachTarget } from './variants.mjs';

const request = /** @type {const} */ ({ scheme: 'https', method: 'GET', path: '/', bodyBytes: 0 });

/** @type {import('../types.ts').Cell} */
export const httpsGet = {
  name: 'https-get',
  question:
    'What does a small GET cost over TLS? HTTP/1.1, 64 keep-alive connections, 126-byte responses; origins without TLS.',
  baselines: ['nginx', 'haproxy'],
  variants: eachTarget({ front: 'https' }),
  validate: validateHttp1(request, (side) => `hello, ${side}\n`),
  load: wrkLoad(request),
  latency: openLoopLatency(request),
  flood: { origin: 'http1', load: openLoopLatency({ ...request, scheme: 'http' }) },
};
