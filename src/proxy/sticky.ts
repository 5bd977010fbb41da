/** Where a request's key comes from: the first of the route's sticky sources that the request has. */
import type { StickySource } from '../domain/route.ts';
import { clientAddress, type TrustedProxies } from './forwarding.ts';
import type { Peer, RequestView } from './halves.ts';

/** Name of the generated cookie. */
const COOKIE = 'crossfade';

export interface StickyKey {
  /** Bytes, one character each; undefined: the request has no key, its side is drawn. */
  readonly key: string | undefined;
  /** A `Set-Cookie` line for the response, or ''. */
  readonly setCookie: string;
}

const NO_KEY: StickyKey = { key: undefined, setCookie: '' };

/** @param randomId 128 random bits as text, for a generated cookie */
export function stickyKey(
  sources: readonly StickySource[],
  request: RequestView,
  peer: Peer,
  trusted: TrustedProxies,
  randomId: () => string,
): StickyKey {
  for (const source of sources) {
    switch (source.kind) {
      case 'header': {
        const key = request.fields.get(source.name);
        if (key !== undefined && key !== '') return { key, setCookie: '' };
        break;
      }
      case 'cookie': {
        const key = cookie(request, source.name);
        if (key !== undefined && key !== '') return { key, setCookie: '' };
        break;
      }
      case 'address':
        return { key: clientAddress(peer, request, trusted), setCookie: '' };
      case 'generate': {
        const known = cookie(request, COOKIE);
        if (known !== undefined && known !== '') return { key: known, setCookie: '' };
        const key = randomId();
        const secure = peer.scheme === 'https' ? '; Secure' : '';
        return { key, setCookie: `set-cookie: ${COOKIE}=${key}; Path=/; HttpOnly; SameSite=Lax${secure}\r\n` };
      }
    }
  }
  return NO_KEY;
}

/** The first cookie of a name (RFC 6265 section 5.4), quotes kept as they are part of the value. */
function cookie(request: RequestView, name: string): string | undefined {
  let found: string | undefined;
  request.fields.visit((field, value) => {
    if (found !== undefined || field.length !== 6 || field.toLowerCase() !== 'cookie') return;
    for (const pair of value.split(';')) {
      const equals = pair.indexOf('=');
      if (equals > 0 && pair.slice(0, equals).trim() === name) {
        found = pair.slice(equals + 1).trim();
        return;
      }
    }
  });
  return found;
}
