/** Where a request's key comes from: the first of the route's sticky sources that the request has. */
import type { StickySource } from '../domain/route.ts';
import { AddedFields, NOTHING_ADDED } from './added-fields.ts';
import { clientAddress, type TrustedProxies } from './forwarding.ts';
import type { Peer, RequestView } from './halves.ts';

/** Name of the generated cookie. */
const COOKIE = 'crossfade';

export interface StickyKey {
  /** Bytes, one character each; undefined: the request has no key, its side is drawn. */
  readonly key: string | undefined;
  /** For the response: the cookie that was made. */
  readonly added: AddedFields;
}

const NO_KEY: StickyKey = { key: undefined, added: NOTHING_ADDED };

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
        if (key !== undefined && key !== '') return { key, added: NOTHING_ADDED };
        break;
      }
      case 'cookie': {
        const key = cookie(request, source.name);
        if (key !== undefined && key !== '') return { key, added: NOTHING_ADDED };
        break;
      }
      case 'address':
        return { key: clientAddress(peer, request, trusted), added: NOTHING_ADDED };
      case 'generate': {
        const known = cookie(request, COOKIE);
        if (known !== undefined && known !== '') return { key: known, added: NOTHING_ADDED };
        const key = randomId();
        const secure = peer.scheme === 'https' ? '; Secure' : '';
        return {
          key,
          added: new AddedFields(['set-cookie', `${COOKIE}=${key}; Path=/; HttpOnly; SameSite=Lax${secure}`]),
        };
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
