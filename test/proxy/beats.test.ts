/** When the supervisor is told what a worker has seen: it may share a core with the worker, and each message wakes it. */
import { expect, test } from 'vitest';
import { NEW, OLD } from '../../src/domain/route.ts';
import { TALLY_ROW, TALLY_SIDE_CELLS } from '../../src/domain/tally.ts';
import type { Plane } from './harness.ts';
import { answering, ask, backend, connect, GET, message, OK, plane } from './scene.ts';

const FAULT = 'HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n';

/** Responses that the judge has been told of, on a side. */
function told(proxy: Plane, side: typeof OLD | typeof NEW): number {
  let sum = 0;
  for (const message of proxy.messages) {
    if (message.kind !== 'evidence') continue;
    for (let at = 0; at < message.tallies.length; at += TALLY_ROW) {
      // Ok, client error and fault stand first in each side's block.
      const first = at + 2 + side * TALLY_SIDE_CELLS;
      for (const value of message.tallies.subarray(first, first + 3)) sum += value;
    }
  }
  return sum;
}

test('what goes well is told at one beat of five, all of it', async () => {
  const origin = await answering(OK);
  const proxy = await plane({ old: [origin] });
  const client = await connect(proxy);
  const beatsWithNews: number[] = [];
  for (let beat = 1; beat <= 12; beat++) {
    await ask(client, GET);
    const before = proxy.messages.length;
    proxy.service.beat();
    if (proxy.messages.length > before) beatsWithNews.push(beat);
  }
  expect(beatsWithNews).toEqual([5, 10]);
  expect(told(proxy, OLD)).toBe(10);
});

test.each([
  ['old', OLD, 0],
  ['new', NEW, 1_000_000],
] as const)(
  'a fault of %s is told at the next beat at the latest, with what went well before',
  async (_, side, weightPpm) => {
    const origin = await backend(async (wire) => {
      await message(wire);
      wire.say(OK);
      await message(wire);
      wire.say(FAULT);
    });
    const proxy = await plane({ old: [origin], new: [origin], weightPpm });
    const client = await connect(proxy);
    await ask(client, GET);
    proxy.service.beat();
    expect(told(proxy, side)).toBe(0);
    await ask(client, GET);
    proxy.service.beat();
    expect(told(proxy, side)).toBe(2);
  },
);

test('regression: what the judge had not been told yet of a table before was lost when counts were asked for', async () => {
  const origin = await answering(OK);
  const proxy = await plane({ old: [origin] });
  const client = await connect(proxy);
  await ask(client, GET);
  const generation = proxy.table.generation + 1;
  proxy.service.onMessage({ ...proxy.table, generation });
  proxy.service.onMessage({ kind: 'weights', generation, revision: 2, held: [], weights: [[0, 0, 0]] });
  proxy.service.onMessage({ kind: 'flush', flush: 1 });
  for (let beat = 0; beat < 3; beat++) proxy.service.beat();
  expect(told(proxy, OLD)).toBe(1);
});

test('a fault of new that a beat takes along is as urgent as by itself', async () => {
  const origin = await answering(FAULT);
  const proxy = await plane({ old: [origin], new: [origin], weightPpm: 1_000_000 });
  const client = await connect(proxy);
  await ask(client, GET);
  proxy.service.beat();
  proxy.messages.length = 0;
  // The pause behind the first is not over before the beat.
  proxy.skewMs = -60_000;
  await ask(client, GET);
  expect(told(proxy, NEW)).toBe(0);
  proxy.service.beat();
  const evidence = proxy.messages.flatMap((message) => (message.kind === 'evidence' ? [message.isUrgent] : []));
  expect(evidence).toEqual([true]);
});

test('what new answers with a client error is told at the next beat', async () => {
  const origin = await answering('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n');
  const proxy = await plane({ old: [origin], new: [origin], weightPpm: 1_000_000 });
  const client = await connect(proxy);
  await ask(client, GET);
  proxy.service.beat();
  expect(told(proxy, NEW)).toBe(1);
});
