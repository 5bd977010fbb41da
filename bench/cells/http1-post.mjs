// @ts-check
import { validateHttp1, wrkLoad } from '../http1.mjs';
import { eachTarget } from './variants.mjs';

const request = { method: 'POST', path: '/', bodyBytes: 10_000 };

/** @type {import('../types.ts').Cell} */
export const http1Post = {
  name: 'http1-post',
  question: 'What does a POST of 10 KB cost? HTTP/1.1, 64 keep-alive connections, 126-byte responses.',
  baselines: ['nginx', 'haproxy'],
  variants: eachTarget(),
  validate: validateHttp1(request, (side) => `hello, ${side}\n`),
  load: wrkLoad(request),
};
