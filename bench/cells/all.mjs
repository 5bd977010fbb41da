// @ts-check
import { grpcStream } from './grpc-stream.mjs';
import { grpcUnary } from './grpc-unary.mjs';
import { h2cHttp1, h2Http1 } from './h2-http1.mjs';
import { http11Mb } from './http1-1mb.mjs';
import { http1Download, http1Upload } from './http1-100mb.mjs';
import { http1Get } from './http1-get.mjs';
import { http1Post } from './http1-post.mjs';
import { httpsGet } from './https-get.mjs';
import { idle } from './idle.mjs';
import { routes } from './routes.mjs';
import { switches } from './switches.mjs';
import { workers } from './workers.mjs';

const ALL = [
  http1Get,
  httpsGet,
  http1Post,
  http11Mb,
  http1Download,
  http1Upload,
  ...grpcUnary,
  grpcStream,
  h2Http1,
  h2cHttp1,
  idle,
  routes,
  switches,
  workers,
];

/** In the order in which they run. @type {ReadonlyMap<string, import('../types.ts').Cell>} */
export const cells = new Map(ALL.map((cell) => [cell.name, cell]));
