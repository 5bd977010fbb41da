// @ts-check
import { caddy } from './caddy.mjs';
import { crossfade, crossfadeLts } from './crossfade.mjs';
import { direct } from './direct.mjs';
import { haproxy } from './haproxy.mjs';
import { httpProxy } from './http-proxy.mjs';
import { nghttpx } from './nghttpx.mjs';
import { nginx } from './nginx.mjs';

/** In the order of the tables. @type {ReadonlyMap<string, import('../types.ts').Target>} */
export const targets = new Map(
  [crossfade, crossfadeLts, nginx, haproxy, httpProxy, caddy, nghttpx, direct].map((target) => [target.name, target]),
);
