/** Backends and clients that fail at every point of a request: what may not be repeated is not, and who waits is answered once. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { PPM } from '../../src/domain/route.ts';
import { freePort, type Plane, type ScriptedBackend, until, type Wire } from './harness.ts';
import { backend, connect, inflight, plane } from './scene.ts';

/** What a backend does with the next request on any of its connections. */
const WAYS = [
  'answer',
  'close',
  'reset at once',
  'reset in the body',
  'end after it',
  'one byte',
  'half an answer',
] as const;
type Way = (typeof WAYS)[number];
const METHODS = ['GET', 'PUT', 'POST'] as const;

interface Asked {
  readonly method: (typeof METHODS)[number];
  readonly bodyBytes: number;
  /** The client leaves in the middle of its body, or right behind it. */
  readonly leaves: 'never' | 'midway' | 'at the end';
}

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

/** Of one run: what backends do next, and which requests they have begun to see. */
class Script {
  ways: Way[] = [];
  readonly seen = new Map<string, number>();

  async play(wire: Wire): Promise<void> {
    for (;;) {
      await until('a head', () => wire.received.includes('\r\n\r\n') || wire.ended || wire.closed);
      const [, id, length = '0'] = /x-id: (\S+)\r\n(?:.*\r\n)*?content-length: (\d+)/i.exec(wire.received) ?? [];
      if (id === undefined) return;
      this.seen.set(id, (this.seen.get(id) ?? 0) + 1);
      const way = this.ways.shift() ?? 'answer';
      if (way === 'reset at once') return void wire.socket.resetAndDestroy();
      const end = wire.received.indexOf('\r\n\r\n') + 4;
      const half = Math.ceil(Number(length) / 2);
      await until('half of the body', () => wire.received.length - end >= half || wire.ended || wire.closed);
      if (way === 'reset in the body') return void wire.socket.resetAndDestroy();
      await until('the body', () => wire.received.length - end >= Number(length) || wire.ended || wire.closed);
      wire.received = wire.received.slice(end + Number(length));
      if (way === 'end after it') return void wire.socket.end();
      if (way === 'one byte' || way === 'half an answer') {
        wire.socket.write(way === 'one byte' ? 'H' : OK.slice(0, -1));
        return void setImmediate(() => wire.socket.resetAndDestroy());
      }
      wire.say(OK);
      if (way === 'close') return void wire.socket.end();
    }
  }
}

let lastId = 0;

/** Its id, and what came back until the end. */
async function go(proxy: Plane, { method, bodyBytes, leaves }: Asked): Promise<{ id: string; answer: string }> {
  const id = String(++lastId);
  const client = await connect(proxy);
  const text = `${method} / HTTP/1.1\r\nHost: a\r\nX-Id: ${id}\r\nContent-Length: ${bodyBytes}\r\nConnection: close\r\n\r\n${'b'.repeat(bodyBytes)}`;
  client.say(leaves === 'midway' ? text.slice(0, text.length - Math.ceil(bodyBytes / 2)) : text);
  if (leaves === 'never') await until('the end of the connection', () => client.closed || client.ended);
  client.socket.destroy();
  return { id, answer: client.received };
}

const asked = fc.record({
  method: fc.constantFrom(...METHODS),
  bodyBytes: fc.constantFrom(0, 10, 70_000),
  leaves: fc.constantFrom('never', 'never', 'never', 'midway', 'at the end'),
}) as fc.Arbitrary<Asked>;

test('no request that may not be repeated reaches two backends, and every client that stays gets one answer', async () => {
  const script = new Script();
  const origins: ScriptedBackend[] = [];
  for (let i = 0; i < 4; i++) origins.push(await backend((wire) => script.play(wire)));
  const [a, b, c, d] = origins as [ScriptedBackend, ScriptedBackend, ScriptedBackend, ScriptedBackend];
  const rescue = { budget: 1, toNew: true, bodyBytes: 65_536 };
  // One of new's endpoints takes no connection.
  const proxy = await plane({ old: [a, b], new: [c, d, await freePort()], weightPpm: PPM / 2, route: { rescue } });
  const runs = fc.tuple(
    fc.array(asked, { minLength: 1, maxLength: 8 }),
    fc.array(fc.constantFrom(...WAYS), { maxLength: 24 }),
  );
  await fc.assert(
    fc.asyncProperty(runs, async ([crowd, ways]) => {
      script.ways = [...ways];
      const gone = await Promise.all(crowd.map((one) => go(proxy, one)));
      await until('all requests to have ended', () => inflight(proxy) === 0);
      for (const [i, { id, answer }] of gone.entries()) {
        const { method, leaves } = crowd[i] as Asked;
        const times = script.seen.get(id) ?? 0;
        if (method === 'POST') expect(times, `POST ${id}`).toBeLessThanOrEqual(1);
        // Each side twice at most, and again after a connection that had been kept.
        expect(times).toBeLessThanOrEqual(6);
        if (leaves === 'never')
          expect(answer.match(/HTTP\/1\.1 [25]\d\d /g), `${method} ${id}: ${answer}`).toHaveLength(1);
      }
    }),
    { numRuns: 60, seed: 20_261, endOnFailure: true },
  );
});
