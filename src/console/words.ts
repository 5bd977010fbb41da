/** What the types of events say, in words. */
import type { ControlEvent } from '../control/control.ts';
import { counted } from './format.ts';
import type { Happening } from './model.ts';

const SYSTEM = { who: 'crossfade', route: null, kind: 'system' } as const;

export const WORDS: Readonly<Record<string, (event: never) => Omit<Happening, 'at' | 'revision'>>> = {
  store: (event: Extract<ControlEvent, { type: 'store' }>) => ({
    ...SYSTEM,
    what: storeWords(event),
    why: event.reason ?? '',
  }),
  worker: ({ pid, what, detail }: { pid: number; what: string; detail: string | null }) => ({
    ...SYSTEM,
    what: `worker ${pid} ${what}`,
    why: detail ?? '',
  }),
  config: ({ ok, detail }: { ok: boolean; detail: string }) => ({
    ...SYSTEM,
    what: ok ? 'configuration in use' : 'configuration refused',
    why: detail,
  }),
  pinned: ({
    routes,
    pinned,
    actor,
    reason,
  }: {
    routes: string[];
    pinned: boolean;
    actor: string;
    reason: string;
  }) => ({
    who: actor,
    what: `${pinned ? 'rolled back here alone' : 'written to the store'}: ${routes.slice(0, 3).join(', ')}${routes.length > 3 ? ', …' : ''}`,
    why: reason,
    route: routes.length === 1 ? (routes[0] ?? null) : null,
    kind: 'rollback',
  }),
  refused: ({ actor, verb, route, reason }: { actor: string; verb: string; route: string | null; reason: string }) => ({
    who: actor,
    what: `refused: ${verb}${route === null ? '' : ` ${route}`}`,
    why: reason,
    route,
    kind: 'refused',
  }),
  verdict: ({ route, verdict, reason }: { route: string; verdict: string; reason: string }) => ({
    ...SYSTEM,
    what: `verdict on ${route}: ${verdict}`,
    why: reason,
    route,
  }),
  backend: ({ backend, ok, reason }: { backend: string; ok: boolean; reason: string | null }) => ({
    ...SYSTEM,
    what: ok ? `${backend} has healthy endpoints again` : `${backend} has no healthy endpoint`,
    why: reason ?? '',
  }),
  discovery: ({ backend, ok, reason, endpoints }: Extract<ControlEvent, { type: 'discovery' }>) => ({
    ...SYSTEM,
    what: `${backend}: ${ok ? `its source answers, ${counted(endpoints, 'endpoint')}` : `its source fails, ${counted(endpoints, 'endpoint')} kept`}`,
    why: reason ?? '',
  }),
  endpoint: ({ backend, endpoint, state, reason }: Extract<ControlEvent, { type: 'endpoint' }>) => ({
    ...SYSTEM,
    what: `${backend} ${endpoint}: ${state}`,
    why: reason ?? '',
  }),
  atRisk: ({ reason }: Extract<ControlEvent, { type: 'atRisk' }>) => ({
    ...SYSTEM,
    what: 'a change may be lost in a failover',
    why: reason,
  }),
  webhook: ({ url, detail }: { url: string; detail: string }) => ({
    ...SYSTEM,
    what: `webhook given up: ${url}`,
    why: detail,
  }),
};

function storeWords({ up, disputed, settled }: Extract<ControlEvent, { type: 'store' }>): string {
  if (up) return settled ? 'the dispute about what the store holds has ended' : 'the store answers again';
  return disputed ? 'the store contradicts what is served' : 'the store does not answer';
}
