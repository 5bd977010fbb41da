/** Clients and backends that break off, stall and misbehave at random: nobody ever gets another's answer, and every request ends once. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Plane, type ScriptedBackend, until, type Wire } from './harness.ts';
import { backend, connect, gone, head, inflight, message, plane } from './scene.ts';

const BACKEND_WAYS = [
  'answer',
  'chunked',
  'early',
  'cut',
  'reset',
  'silent',
  'garbage',
  'extra',
  'close',
  'interim',
] as const;
const CLIENT_WAYS = ['wait', 'half-close', 'leave', 'reset', 'stop in the body'] as const;

interface Turn {
  readonly way: (typeof BACKEND_WAYS)[number];
  readonly body: number;
}

interface Visit {
  readonly way: (typeof CLIENT_WAYS)[number];
  readonly turns: readonly Turn[];
}

/** What a backend says to a request that carries its own instructions; each answer names the request that it belongs to. */
async function play(wire: Wire): Promise<void> {
  for (;;) {
    const asked = await head(wire);
    const [, id = '', way = '', size = '0'] = /^\S+ \/(\d+)\/([a-z]+)\/(\d+) /.exec(asked) ?? [];
    const body = `<${id}>`.padEnd(Number(size), '.');
    const ok = `HTTP/1.1 200 OK\r\nx-id: ${id}\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
    if (way !== 'early' && way !== 'silent') await rest(wire, asked);
    switch (way) {
      case 'chunked':
        wire.say(
          `HTTP/1.1 200 OK\r\nx-id: ${id}\r\ntransfer-encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
        );
        break;
      case 'cut':
        wire.say(ok.slice(0, -1));
        wire.socket.end();
        return;
      case 'reset':
        wire.socket.resetAndDestroy();
        return;
      case 'garbage':
        wire.say('SSH-2.0-OpenSSH_9.2\r\n\r\n');
        break;
      case 'extra':
        wire.say(`${ok}HTTP/1.1 200 OK\r\nx-id: stray\r\ncontent-length: 0\r\n\r\n`);
        break;
      case 'close':
        wire.say(ok);
        wire.socket.end();
        return;
      case 'interim':
        wire.say(`HTTP/1.1 103 Early Hints\r\nx-id: ${id}\r\n\r\n${ok}`);
        break;
      case 'silent':
        return;
      default:
        wire.say(ok);
    }
  }
}

/** Takes the request's body off the wire. */
async function rest(wire: Wire, asked: string): Promise<void> {
  const length = Number(/^content-length: (\d+)/im.exec(asked)?.[1] ?? '0');
  await until('the body', () => wire.received.length >= length || wire.ended || wire.closed);
  wire.received = wire.received.slice(length);
}

let lastId = 0;

async function visit(proxy: Plane, { way, turns }: Visit): Promise<void> {
  const client = await connect(proxy);
  const ids: number[] = [];
  let text = '';
  for (const turn of turns) {
    const id = ++lastId;
    ids.push(id);
    const target = `/${id}/${turn.way}/${turn.body}`;
    const body = 'b'.repeat(turn.body);
    const method = turn.body % 2 === 0 ? 'POST' : 'PUT';
    text += `${method} ${target} HTTP/1.1\r\nHost: a\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  }
  if (way === 'stop in the body') text = text.slice(0, -1);
  client.say(text);
  if (way === 'half-close') client.socket.end();
  if (way === 'leave') client.socket.destroy();
  if (way === 'reset') client.socket.resetAndDestroy();
  if (way === 'leave' || way === 'reset') return;
  for (const id of ids) {
    let answer: Awaited<ReturnType<typeof message>>;
    try {
      do answer = await message(client);
      while (answer.status === 103);
    } catch {
      // Cut: nothing of a later answer may stand behind it.
      expect(client.received.match(/x-id: (\d+)/)?.[1] ?? String(id)).toBe(String(id));
      break;
    }
    if (answer.status !== 200) {
      expect([408, 502, 504]).toContain(answer.status);
      continue;
    }
    expect(answer.get('x-id')).toBe(String(id));
    expect(answer.body.startsWith(`<${id}>`)).toBe(true);
  }
  client.socket.end();
  if (way !== 'stop in the body') await gone(client);
}

const turns = fc.array(fc.record({ way: fc.constantFrom(...BACKEND_WAYS), body: fc.nat({ max: 20_000 }) }), {
  minLength: 1,
  maxLength: 4,
});
const visits = fc.array(fc.record({ way: fc.constantFrom(...CLIENT_WAYS), turns }), { minLength: 1, maxLength: 12 });

test('whatever clients and backends do, answers go where they belong and every request ends', async () => {
  const origins: ScriptedBackend[] = [await backend(play), await backend(play)];
  const timeouts = { responseHeadMs: 5_000, idleMs: 5_000 };
  const proxy = await plane({ old: origins, timeouts });
  // Silent backends and clients that stop are ended by the clock, which runs ahead.
  const clock = setInterval(() => proxy.skip(200), 20);
  try {
    await fc.assert(
      fc.asyncProperty(visits, async (crowd) => {
        await Promise.all(crowd.map((each) => visit(proxy, each)));
        await until('all requests to have ended', () => inflight(proxy) === 0);
      }),
      { numRuns: 8, seed: 20_251, endOnFailure: true },
    );
  } finally {
    clearInterval(clock);
  }
});
