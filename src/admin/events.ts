/** What happens, as it happens: server-sent events (WHATWG HTML section 9.2). */
import type { ServerResponse } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Control, ControlEvent } from '../control/control.ts';
import type { AdminApp } from './app.ts';
import { problems } from './docs.ts';
import { openEventStream } from './event-stream.ts';
import { eventData } from './history-entry.ts';

/** @param isAdmitted whether a caller who was let in may still read: asked before each event, since tokens can be taken away */
export function registerEvents(
  app: AdminApp,
  control: Control,
  isAdmitted: (request: FastifyRequest) => boolean,
): void {
  const open = new Set<ServerResponse>();
  app.addHook('preClose', async () => {
    for (const response of open) response.end();
  });
  app.route({
    method: 'GET',
    url: '/v1/events',
    exposeHeadRoute: false,
    schema: {
      operationId: 'streamEvents',
      summary: 'Events from now on, or after Last-Event-ID',
      description:
        'Each event is one JSON object with `id`, `at` and `type` (change, refused, pinned, verdict, store, discovery, endpoint, backend, worker, config), which is also its name.',
      tags: ['history'],
      headers: z.looseObject({
        'last-event-id': z.string().optional().describe('The last event received; sent by browsers themselves.'),
      }),
      response: {
        200: { description: 'Events', content: { 'text/event-stream': { schema: z.string() } } },
        ...problems(401, 403),
      },
    },
    handler: (request, reply) => {
      reply.hijack();
      const missed = eventsAfter(control, request.headers['last-event-id']);
      open.add(reply.raw);
      reply.raw.on('close', () => open.delete(reply.raw));
      stream(control, reply.raw, missed, () => isAdmitted(request));
    },
  });
}

/**
 * Remembered events that the client has not seen. Ids begin anew with the supervisor: a client that is ahead of all ids comes from before,
 * and is sent everything.
 */
function eventsAfter(control: Control, lastEventId: string | undefined): ControlEvent[] {
  if (lastEventId === undefined || !/^\d{1,15}$/.test(lastEventId)) return [];
  const last = Number(lastEventId);
  const newest = control.eventsSince(0).at(-1)?.id ?? 0;
  return control.eventsSince(last > newest ? 0 : last);
}

function stream(
  control: Control,
  response: ServerResponse,
  missed: readonly ControlEvent[],
  isAdmitted: () => boolean,
): void {
  const client = openEventStream(response, isAdmitted, () => unsubscribe());
  // Bounded by what control remembers.
  if (missed.length > 0) client.send(missed.map(formatEvent).join(''));
  const unsubscribe = control.subscribe((event) => client.send(formatEvent(event)));
}

function formatEvent(event: ControlEvent): string {
  return `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(eventData(event))}\n\n`;
}
