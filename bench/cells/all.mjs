// @ts-check
import { http11Mb } from './http1-1mb.mjs';
import { http1Get } from './http1-get.mjs';
import { http1Post } from './http1-post.mjs';
import { routes } from './routes.mjs';
import { workers } from './workers.mjs';

/** In the order in which they run. @type {ReadonlyMap<string, import('../types.ts').Cell>} */
export const cells = new Map([http1Get, http1Post, http11Mb, routes, workers].map((cell) => [cell.name, cell]));
