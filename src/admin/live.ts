/**
 * All that the console shows, as it changes: once a second, and at once after a change. Whatever is sent is made once, for all clients, and
 * only while there are any. Routes are sent whole when something about them has changed but their counts; those go as rows of
 * numbers.
 */
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Control, RouteView, StatsRow, StatusView } from '../control/control.ts';
import type { AdminApp } from './app.ts';
import { problems } from './docs.ts';
import { type EventStream, openEventStream } from './event-stream.ts';
import { eventData } from './history-entry.ts';
import { type Apart, Told } from './told.ts';

const BEAT_MS = 1_000;
/** What a change brings with it at once is told with it. */
const HASTE_MS = 10;
/** Changes that come closer together than this are told together, after the first. */
const HASTE_GAP_MS = 200;
/** A client this far behind is spared the next numbers: the ones after them say more. */
const BEHIND_BYTES = 1024 * 1024;

/** What `routes` carries: routes that are new or changed, with their place in the order of the configuration. */
export interface LiveRoutes {
  /** How many there are now; greater places are no more. */
  count: number;
  changed: [place: number, route: RouteView][];
}

/** What `stats` carries: rows that changed, by place, and the newest evidence of routes where it changed. */
export interface LiveStats {
  at: number;
  rows: [place: number, ...row: StatsRow][];
  evidence: [place: number, evidence: RouteView['evidence']][];
}

export type LiveStatus = StatusView & {
  at: number;
  /** Whether longer ranges can be asked for. */
  hasPrometheus: boolean;
};

/** Of a route, what is sent by itself or left out. */
const APART: Apart = {
  old: ['requests', 'faults'],
  new: ['requests', 'faults'],
  evidence: ['value', 'reason'],
  applied: ['ms'],
};

export interface LiveOptions {
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Milliseconds, only ever compared with each other. */
  readonly monotonic: () => number;
  /** Whether longer ranges can be asked for. */
  readonly hasPrometheus: boolean;
}

/** One message of what changed since the last; undefined: nothing did. */
type Message = string | undefined;

export class Live {
  readonly #control: Control;
  readonly #clock: () => number;
  readonly #monotonic: () => number;
  readonly #hasPrometheus: boolean;
  readonly #clients = new Set<EventStream>();
  readonly #routes = new Told<RouteView>((route, place) => `[${place},${JSON.stringify(withoutCounts(route))}]`, APART);
  readonly #rows = new Told<StatsRow>((row, place) => `[${place},${JSON.stringify(row).slice(1)}`);
  readonly #evidence = new Told<RouteView['evidence']>((value, place) => `[${place},${JSON.stringify(value)}]`);
  /** Evidence that has changed and goes with the next numbers. */
  #pending: string[] = [];
  #beat: NodeJS.Timeout | undefined;
  #hurried: NodeJS.Timeout | undefined;
  #hurriedAt = Number.NEGATIVE_INFINITY;
  #unsubscribe: (() => void) | undefined;

  constructor(control: Control, { clock, monotonic, hasPrometheus }: LiveOptions) {
    this.#control = control;
    this.#clock = clock;
    this.#monotonic = monotonic;
    this.#hasPrometheus = hasPrometheus;
  }

  /** The client is told everything once, then what changes. */
  join(client: EventStream): void {
    if (this.#clients.size === 0) this.#start();
    else this.#tell();
    client.send(this.#status() + this.#all());
    this.#clients.add(client);
  }

  leave(client: EventStream): void {
    this.#clients.delete(client);
    if (this.#clients.size === 0) this.#stop();
  }

  #start(): void {
    this.#changedRoutes();
    this.#stats();
    this.#beat = setInterval(() => this.#tell(), BEAT_MS);
    this.#unsubscribe = this.#control.subscribe((event) => {
      for (const client of this.#clients)
        client.send(`event: ${event.type}\ndata: ${JSON.stringify(eventData(event))}\n\n`);
      this.#hurry();
    });
  }

  #hurry(): void {
    if (this.#hurried !== undefined) return;
    const waitMs = Math.max(HASTE_MS, this.#hurriedAt + HASTE_GAP_MS - this.#monotonic());
    this.#hurried = setTimeout(() => {
      this.#hurriedAt = this.#monotonic();
      this.#tell();
    }, waitMs);
  }

  #stop(): void {
    clearInterval(this.#beat);
    clearTimeout(this.#hurried);
    this.#hurried = undefined;
    this.#unsubscribe?.();
  }

  #tell(): void {
    clearTimeout(this.#hurried);
    this.#hurried = undefined;
    const urgent = (this.#changedRoutes() ?? '') + this.#status();
    const stats = this.#stats() ?? '';
    for (const client of this.#clients) client.send(client.unread > BEHIND_BYTES ? urgent : urgent + stats);
  }

  #status(): string {
    const status: LiveStatus = {
      at: this.#clock(),
      hasPrometheus: this.#hasPrometheus,
      ...this.#control.status(),
    };
    return message('status', JSON.stringify(status));
  }

  #all(): string {
    return this.#routesMessage(this.#routes.all()) + this.#statsMessage(this.#rows.all(), this.#evidence.all());
  }

  #changedRoutes(): Message {
    const routes = this.#control.routes();
    const isCount = this.#routes.count === routes.length;
    // Of a route at another place than before nothing is known.
    if (!isCount) this.#rows.forget();
    const changed = this.#routes.take(routes);
    this.#pending = this.#evidence.take(routes.map(({ evidence }) => evidence));
    return changed.length === 0 && isCount ? undefined : this.#routesMessage(changed);
  }

  #stats(): Message {
    const changed = this.#rows.take(this.#control.stats());
    const evidence = this.#pending;
    this.#pending = [];
    return this.#statsMessage(changed, evidence);
  }

  #routesMessage(changed: readonly string[]): string {
    return message('routes', `{"count":${this.#routes.count},"changed":[${changed.join(',')}]}`);
  }

  #statsMessage(rows: readonly string[], evidence: readonly string[]): string {
    return message('stats', `{"at":${this.#clock()},"rows":[${rows.join(',')}],"evidence":[${evidence.join(',')}]}`);
  }
}

/** What is sent by itself is left at nothing. */
function withoutCounts(route: RouteView): RouteView {
  return {
    ...route,
    old: { ...route.old, requests: 0, faults: 0 },
    new: { ...route.new, requests: 0, faults: 0 },
    evidence: { ...route.evidence, value: 0, reason: '' },
    applied: { ...route.applied, ms: null },
  };
}

function message(event: string, json: string): string {
  return `event: ${event}\ndata: ${json}\n\n`;
}

/** @param isAdmitted whether a caller who was let in may still read */
export function registerLive(
  app: AdminApp,
  control: Control,
  isAdmitted: (request: FastifyRequest) => boolean,
  hasPrometheus: boolean,
): void {
  const live = new Live(control, { clock: Date.now, monotonic: () => performance.now(), hasPrometheus });
  app.addHook('preClose', async () => {
    for (const response of open) response.end();
  });
  const open = new Set<{ end(): void }>();
  app.route({
    method: 'GET',
    url: '/v1/live',
    exposeHeadRoute: false,
    schema: {
      operationId: 'streamLive',
      summary: 'All that the console shows, as it changes',
      description:
        'Server-sent events: `status` (as GET /v1/status, each second, with `hasPrometheus`), `routes` (`count`, and in `changed` pairs of place and route, without counts), `stats` (rows of place and numbers of the last ten seconds: requests, faults, p50 and p99 in milliseconds, requests under way, of old and of new; and `evidence` by place), and those of GET /v1/events. First everything, then what changes.',
      tags: ['operation'],
      response: {
        200: { description: 'Events', content: { 'text/event-stream': { schema: z.string() } } },
        ...problems(401, 403),
      },
    },
    handler: (request, reply) => {
      reply.hijack();
      open.add(reply.raw);
      const client = openEventStream(
        reply.raw,
        () => isAdmitted(request),
        () => {
          open.delete(reply.raw);
          live.leave(client);
        },
      );
      live.join(client);
    },
  });
}
