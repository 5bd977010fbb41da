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
import { Told } from './told.ts';

const BEAT_MS = 1_000;
/** What a change brings with it at once is told with it. */
const HASTE_MS = 10;
/** Changes that come closer together than this are told together, after the first. */
const HASTE_GAP_MS = 200;
/** A client this far behind is spared the next numbers: the ones after them say more. */
const BEHIND_BYTES = 1024 * 1024;

type Evidence = RouteView['evidence'];

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
  evidence: [place: number, evidence: Evidence][];
}

export type LiveStatus = StatusView & {
  at: number;
  /** Whether longer ranges can be asked for. */
  hasPrometheus: boolean;
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
  readonly #routes = new Told<RouteView>((one, other) => one === other);
  readonly #rows = new Told<StatsRow>(isSameRow);
  readonly #evidence = new Told<Evidence>(isSameEvidence);
  /** Evidence that has changed and goes with the next numbers. */
  #pending: LiveStats['evidence'] = [];
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
      const told = message(event.type, eventData(event));
      for (const client of this.#clients) client.send(told);
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
    return message('status', status);
  }

  #all(): string {
    return this.#routesMessage(this.#routes.all()) + this.#statsMessage(this.#rows.all(), this.#evidence.all());
  }

  #changedRoutes(): Message {
    const glances = this.#control.glances();
    const isCount = this.#routes.count === glances.length;
    // Of a route at another place than before nothing is known.
    if (!isCount) this.#rows.forget();
    const changed = this.#routes.take(glances.map(({ standing }) => standing));
    this.#pending = this.#evidence.take(glances.map(({ evidence }) => evidence));
    return changed.length === 0 && isCount ? undefined : this.#routesMessage(changed);
  }

  #stats(): Message {
    const changed = this.#rows.take(this.#control.stats());
    const evidence = this.#pending;
    this.#pending = [];
    return this.#statsMessage(changed, evidence);
  }

  #routesMessage(changed: LiveRoutes['changed']): string {
    return message('routes', { count: this.#routes.count, changed } satisfies LiveRoutes);
  }

  /** In one piece: a text for each route by itself takes a third longer. */
  #statsMessage(rows: readonly [place: number, row: StatsRow][], evidence: LiveStats['evidence']): string {
    const placed = rows.map(([place, row]): LiveStats['rows'][number] => [place, ...row]);
    return message('stats', { at: this.#clock(), rows: placed, evidence } satisfies LiveStats);
  }
}

function isSameRow(one: StatsRow, other: StatsRow): boolean {
  for (let i = 0; i < other.length; i++) if (one[i] !== other[i]) return false;
  return true;
}

function isSameEvidence(one: Evidence, other: Evidence): boolean {
  return (
    one.value === other.value &&
    one.reason === other.reason &&
    one.verdict === other.verdict &&
    one.threshold === other.threshold
  );
}

function message(event: string, data: object): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
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
