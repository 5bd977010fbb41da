// @ts-check
import { validateHttp1, wrkLoad } from '../http1.mjs';
import { eachTarget } from './variants.mjs';

const BYTES = 1_000_000;
const request = { method: 'GET', path: `/bytes/${BYTES}`, bodyBytes: 0 };

/** @type {import('../types.ts').Cell} */
export const http11Mb = {
  name: 'http1-1mb',
  question: 'What does a download of 1 MB cost? HTTP/1.1, 64 keep-alive connections.',
  baselines: ['nginx', 'haproxy'],
  variants: eachTarget(),
  validate: validateHttp1(request, () => 'x'.repeat(BYTES)),
  load: wrkLoad(request),
};
