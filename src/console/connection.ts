/** The stream of `GET /v1/live`, opened again whenever it breaks, and closed while nobody looks at the page or younger pages need theirs. */

import type { HistoryEntry } from '../admin/history-schemas.ts';
import type { LiveRoutes, LiveStats, LiveStatus } from '../admin/live.ts';
import type { Happening } from './model.ts';
import { happeningOf } from './model.ts';
import { Turns } from './turns.ts';
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
  /** It is the turn of younger pages of this browser; using this one makes it the youngest. */
  gaveWay(): void;
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
  /** Whether there is a stream, or one is being tried. */
  let isOpen = false;

  const open = (): void => {
    close();
    isOpen = true;
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
    isOpen = false;
    source?.close();
    clearTimeout(retry);
    clearTimeout(silence);
  };
  const again = (): void => {
    close();
    isOpen = true;
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
  const turns = new Turns((isOurs) => {
    if (isOurs === isOpen) return;
    if (isOurs) return open();
    close();
    listener.gaveWay();
  });
  const look = (): void => {
    if (!document.hidden) return turns.ask();
    close();
    turns.leave();
  };
  const use = (): void => {
    if (!document.hidden && !isOpen) turns.ask();
  };
  const leave = (): void => turns.leave();

  document.addEventListener('visibilitychange', look);
  addEventListener('focus', use);
  addEventListener('pointerdown', use);
  addEventListener('pagehide', leave);
  look();
  return () => {
    document.removeEventListener('visibilitychange', look);
    removeEventListener('focus', use);
    removeEventListener('pointerdown', use);
    removeEventListener('pagehide', leave);
    close();
    turns.close();
  };
}
