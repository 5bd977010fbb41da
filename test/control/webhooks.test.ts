import { createHmac } from 'node:crypto';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { NewEvent } from '../../src/control/events.ts';
import { type Webhook, Webhooks } from '../../src/control/webhooks.ts';
import type { AuditEntry, Verb } from '../../src/domain/state.ts';
import { until } from '../supervisor/until.ts';

interface Got {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let server: Server;
let url: string;
/** Answers in turn; the last one stays. */
let answers: number[];
const got: Got[] = [];
const events: NewEvent[] = [];
let webhooks: Webhooks;

beforeEach(async () => {
  got.length = events.length = 0;
  answers = [204];
  server = createServer((request, response) => {
    void answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/secret-path`;
});

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  got.push({ headers: request.headers, body: await text(request) });
  response.writeHead((answers.length > 1 ? answers.shift() : answers[0]) ?? 500).end();
}

afterEach(async () => {
  await webhooks.close();
  server.close();
  server.closeAllConnections();
});

function open(hook: Partial<Webhook> = {}): void {
  const hooks = [{ url, events: ['rollback', 'held'] as const, ...hook }];
  webhooks = new Webhooks({ fleet: 'f', hooks: () => hooks, emit: (event) => events.push(event), pausesMs: [5, 5] });
}

const EVIDENCE = {
  verdict: 'breach',
  value: 2_400,
  threshold: 1_000,
  reason: 'new 14 of 212 failed, old 9 of 20,431; evidence 2,400 against 1,000',
  newRequests: 212,
  counts: { oldRequests: 20_431, oldFaults: 9, newRequests: 212, newFaults: 14 },
} as const;

function entry(verb: Verb): AuditEntry {
  const before = { weightPpm: 100, cutover: 'steady', frozen: false } as const;
  const after = { weightPpm: 0, cutover: 'rolledBack', frozen: false } as const;
  return {
    revision: 9,
    at: 1,
    verb,
    actor: 'crossfade/judge',
    reason: EVIDENCE.reason,
    evidence: EVIDENCE,
    routes: [{ route: 'a', before, after }],
  };
}

test('what was asked for is told, signed, and nothing else is', async () => {
  open({ secret: 'key' });
  webhooks.tell(entry('set'));
  webhooks.tell(entry('rollback'));
  await until('the call', () => got.length > 0);
  const [{ headers, body }] = got as [Got];
  // As the history has it, whatever the state holds beside.
  expect(JSON.parse(body)).toEqual({
    event: 'rollback',
    fleet: 'f',
    revision: 9,
    at: 1,
    verb: 'rollback',
    actor: 'crossfade/judge',
    reason: 'new 14 of 212 failed, old 9 of 20,431; evidence 2,400 against 1,000',
    evidence: EVIDENCE,
    routes: [
      {
        route: 'a',
        before: { weight: 0.01, state: 'steady', frozen: false },
        after: { weight: 0, state: 'rolledBack', frozen: false },
      },
    ],
  });
  expect(headers).toMatchObject({
    'content-type': 'application/json',
    'x-crossfade-event': 'rollback',
    'x-crossfade-signature': `sha256=${createHmac('sha256', 'key').update(body).digest('hex')}`,
  });
  expect(got).toHaveLength(1);
});

test('is tried again until it is taken', async () => {
  open();
  answers = [500, 503, 200];
  webhooks.tell(entry('hold'));
  await until('the third call', () => got.length === 3);
  expect(new Set(got.map(({ body }) => body)).size).toBe(1);
  expect(got[0]?.headers['x-crossfade-signature']).toBeUndefined();
  expect(events).toEqual([]);
});

test('is given up in the end, which is told without the path of its URL', async () => {
  open();
  answers = [500];
  webhooks.tell(entry('rollback'));
  await until('the end', () => events.length > 0);
  expect(events).toEqual([{ type: 'webhook', url: new URL(url).origin, ok: false, detail: 'it answered 500' }]);
  expect(got).toHaveLength(3);
});
