// @ts-check
import { openLoopLatency, validateHttp1, wrkLoad } from '../http1.mjs';
import { eachTarget } from './variants.mjs';

const request = { method: 'GET', path: '/', bodyBytes: 0 };

/** @type {import('../types.ts').Cell} */
export const http1Get = {
  name: 'http1-get',
  question: 'What does a small GET cost? HTTP/1.1, 64 keep-alive connections, 126-byte responses.',
  baselines: ['nginx', 'haproxy'],
  variants: eachTarget(),
  validate: validateHttp1(request, (side) => `hello, ${side}\n`),
  load: wrkLoad(request),
  latency: openLoopLatency(request),
  flood: { origin: 'http1', load: openLoopLatency(request) },
};
