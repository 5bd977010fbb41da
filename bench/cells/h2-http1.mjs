// @ts-check
import { h2load, validateHttp2 } from '../h2load.mjs';
import { eachTarget } from './variants.mjs';

const request = { path: '/', message: null, connections: 8, streams: 16 };

/** @param {string} side */
const bodyOf = (side) => Buffer.from(`hello, ${side}\n`);

/** @type {import('../types.ts').Cell} */
export const h2Http1 = {
  name: 'h2-http1',
  question:
    'What does a small GET cost when clients speak HTTP/2 and origins HTTP/1.1? TLS in front, 8 connections with 16 requests each at a time.',
  tool: 'h2load',
  baselines: ['haproxy', 'nginx'],
  variants: eachTarget({ front: 'h2' }),
  validate: validateHttp2({ ...request, scheme: 'https' }, bodyOf),
  load: h2load({ ...request, scheme: 'https' }),
};

/** @type {import('../types.ts').Cell} */
export const h2cHttp1 = {
  name: 'h2c-http1',
  question: 'The same without TLS.',
  tool: 'h2load',
  baselines: ['haproxy', 'nginx'],
  variants: eachTarget({ front: 'h2c' }),
  validate: validateHttp2(request, bodyOf),
  load: h2load(request),
};
