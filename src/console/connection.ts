/** The stream of `GET /v1/live`, opened again whenever it breaks, and closed while nobody looks at the page. */

import type { HistoryEntry } from '../admin/history-schemas.ts';
import type { LiveRoutes, LiveStats, LiveStatus } from '../admin/live.ts';
import type { Happening } from './model.ts';
import { happeningOf } from './model.ts';
import { WORDS } from './words.ts';

export interface Listener {
  status(status: LiveStatus): void;
  routes(routes: LiveRoutes): void;
  stats(stats: LiveStats): void;
  happened(happening: Happening): void;
  /** The stream has been opened, for the first time or again: it tells nothing of what happened before. */
  opened(): void;
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
    source.addEventListener('open', () => listener.opened());
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
