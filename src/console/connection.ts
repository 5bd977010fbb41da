/** The stream of `GET /v1/live`, opened again whenever it breaks, and closed while nobody looks at the page. */

import type { HistoryEntry } from '../admin/history-schemas.ts';
import type { LiveRoutes, LiveStats, LiveStatus } from '../admin/live.ts';
import type { ControlEvent } from '../control/control.ts';
import { counted } from './format.ts';
import type { Happening } from './model.ts';
import { happeningOf } from './model.ts';

export interface Listener {
  status(status: LiveStatus): void;
  routes(routes: LiveRoutes): void;
  stats(stats: LiveStats): void;
  happened(happening: Happening): void;
  /** The stream broke, or could not be opened; it is being tried again. */
  lost(): void;
}

const RETRY_MS = 1_000;
/** Each second something is sent: this long without means that nothing comes any more. Doubled while nothing has come at all. */
const SILENCE_MS = 5_000;
const LONGEST_SILENCE_MS = 40_000;

interface Told {
  readonly at: number;
}

/** What the types of events say, in words. */
const WORDS: Readonly<Record<string, (event: never) => Omit<Happening, 'at' | 'revision'>>> = {
  store: ({ up, reason }: { up: boolean; reason: string | null }) => ({
    ...SYSTEM,
    what: up ? 'the store answers again' : 'the store does not answer',
    why: reason ?? '',
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

const SYSTEM = { who: 'crossfade', route: null, kind: 'system' } as const;

/** @returns closes it for good */
export function connect(listener: Listener): () => void {
  let source: EventSource | undefined;
  let retry: number | undefined;
  let silence: number | undefined;
  let patienceMs = SILENCE_MS;

  const open = (): void => {
    close();
    source = new EventSource('/v1/live');
    const on = (type: string, tell: (data: never) => void): void => {
      source?.addEventListener(type, (event) => {
        patienceMs = SILENCE_MS;
        watch();
        tell(JSON.parse((event as MessageEvent<string>).data) as never);
      });
    };
    on('status', (status: LiveStatus) => listener.status(status));
    on('routes', (routes: LiveRoutes) => listener.routes(routes));
    on('stats', (stats: LiveStats) => listener.stats(stats));
    on('change', ({ entry }: { entry: HistoryEntry }) => listener.happened(happeningOf(entry)));
    for (const [type, words] of Object.entries(WORDS)) {
      on(type, (event: Told) => listener.happened({ at: event.at, revision: null, ...words(event as never) }));
    }
    source.addEventListener('error', again);
    watch();
  };
  const close = (): void => {
    source?.close();
    clearTimeout(retry);
    clearTimeout(silence);
  };
  const again = (): void => {
    close();
    listener.lost();
    retry = window.setTimeout(open, RETRY_MS);
  };
  const watch = (): void => {
    clearTimeout(silence);
    silence = window.setTimeout(() => {
      // A replica that needs longer for its first word is not helped by starting over.
      patienceMs = Math.min(2 * patienceMs, LONGEST_SILENCE_MS);
      again();
    }, patienceMs);
  };
  const look = (): void => (document.hidden ? close() : open());

  document.addEventListener('visibilitychange', look);
  look();
  return () => {
    document.removeEventListener('visibilitychange', look);
    close();
  };
}
