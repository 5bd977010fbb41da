/** Weights, endpoints and tables that change, and a drain, while requests are under way. */
import { createServer, connect as dial, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { AT_ATTEMPTS, AT_INFLIGHT, AT_REQUESTS, codeClass } from '../../src/domain/counts.ts';
import { NEW, OLD } from '../../src/domain/route.ts';
import { freePort, type Plane, type ScriptedBackend, until, Wire } from './harness.ts';
import { answering, ask, backend, connect, GET, gone, head, inflight, message, OK, ok, plane } from './scene.ts';

const OKS = AT_REQUESTS + codeClass(200);

/** A table of another generation in place of the one that the plane started with. */
function serve(
  proxy: Plane,
  generation: number,
  old: readonly ScriptedBackend[],
  change: Partial<Plane['table']> = {},
): void {
  proxy.service.onMessage({ ...proxy.table, generation, ...change });
  const added = old.map(({ port }) => ({ host: '127.0.0.1', port }));
  proxy.service.onMessage({ kind: 'endpoints', generation, backend: 0, removed: [], added });
  proxy.service.onMessage({ kind: 'weights', generation, revision: generation, held: [], weights: [[0, 0, 0]] });
}

/** Cell of old under a table of any generation. */
function countOf(proxy: Plane, generation: number, cell: number): number {
  // What went well is told at one of five.
  for (let i = 0; i < 5; i++) proxy.service.beat();
  let sum = 0;
  for (const counts of proxy.messages) {
    if (counts.kind !== 'counts' || counts.generation !== generation) continue;
    for (const [i, index] of counts.cells.entries()) if (index === cell) sum += counts.values[i] as number;
  }
  return sum;
}

async function listeningOf(proxy: Plane, generation: number): Promise<{ address: string; message: string } | null> {
  const found = await until('listening', () =>
    proxy.messages.find((m) => m.kind === 'listening' && m.generation === generation),
  );
  return found.kind === 'listening' ? found.failure : null;
}

async function isRefused(port: number): Promise<boolean> {
  const socket: Socket = dial({ port, host: '127.0.0.1' });
  const refused = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(false)).once('error', () => resolve(true));
  });
  socket.destroy();
  return refused;
}

describe('weights', () => {
  test('apply from the next request on; what is under way stays where it is', async () => {
    const oldSide = await backend();
    const newSide = await answering(ok('new'));
    const proxy = await plane({ old: [oldSide], new: [newSide], random: () => 0.5 });
    const client = await connect(proxy, GET);
    const wire = await oldSide.asked();
    proxy.weight(1_000_000, 2);
    expect((await ask(await connect(proxy), GET)).body).toBe('new');
    wire.say(ok('old'));
    expect((await message(client)).body).toBe('old');
    expect((await ask(client, GET)).body).toBe('new');
    expect([proxy.count(OKS, OLD), proxy.count(OKS, NEW)]).toEqual([1, 2]);
  });

  test('that change between the requests of busy connections lose none', async () => {
    const proxy = await plane({ old: [await answering(ok('old'))], new: [await answering(ok('new'))] });
    let answered = 0;
    const busy = async (): Promise<void> => {
      const client = await connect(proxy);
      for (let i = 0; i < 20; i++) {
        expect((await ask(client, GET.repeat(3))).status).toBe(200);
        for (let rest = 0; rest < 2; rest++) expect((await message(client)).status).toBe(200);
        answered += 3;
        proxy.weight((answered * 7919) % 1_000_001, 2 + answered);
      }
    };
    await Promise.all(Array.from({ length: 8 }, busy));
    expect(answered).toBe(480);
    expect(proxy.count(OKS, OLD) + proxy.count(OKS, NEW)).toBe(480);
    expect(inflight(proxy)).toBe(0);
  });

  test('each patch is acknowledged with its revision, and one of another generation is dropped', async () => {
    const proxy = await plane({ old: [await answering(ok('old'))], new: [await answering(ok('new'))] });
    proxy.weight(1_000_000, 7);
    proxy.service.onMessage({ kind: 'weights', generation: 99, revision: 8, held: [], weights: [[0, 0, 0]] });
    expect((await ask(await connect(proxy), GET)).body).toBe('new');
    const applied = proxy.messages.filter((m) => m.kind === 'applied');
    expect(applied).toEqual([
      { kind: 'applied', generation: 1, revision: 1 },
      { kind: 'applied', generation: 1, revision: 7 },
    ]);
  });
});

describe('endpoints', () => {
  test('that are taken away finish what they have begun, close idle connections and get nothing new', async () => {
    const leaving = await backend(async (wire) => {
      await head(wire);
      wire.say(OK);
    });
    const staying = await answering(ok('staying'));
    const proxy = await plane({ old: [leaving] });
    const idle = await connect(proxy);
    await ask(idle, GET);
    const running = await connect(proxy, GET);
    const second = await connect(proxy, GET);
    await until('two more requests', () => leaving.wires.filter((wire) => wire.received !== '').length === 1);
    proxy.endpoints(0, [staying.port]);
    const held = leaving.wires.find((wire) => wire.received !== '') as Wire;
    expect((await message(second)).status).toBe(200);
    held.say(ok('the last'));
    expect((await message(running)).body).toBe('the last');
    await until('all connections to be closed', () => leaving.wires.every((wire) => wire.ended || wire.closed));
    expect((await ask(running, GET)).body).toBe('staying');
  });

  test('that stay keep their connections when others come and go', async () => {
    const staying = await answering(OK);
    const other = await answering(OK);
    const proxy = await plane({ old: [staying] });
    const client = await connect(proxy);
    await ask(client, GET);
    proxy.endpoints(0, [staying.port, other.port]);
    proxy.endpoints(0, [staying.port]);
    await ask(client, GET);
    expect(staying.wires).toHaveLength(1);
    expect(staying.wires[0]?.ended).toBe(false);
  });

  test('regression: a request whose only endpoint died was not sent to the one that had taken its place meanwhile', async () => {
    const dying = await backend();
    const proxy = await plane({ old: [dying] });
    const client = await connect(proxy, GET);
    const wire = await dying.asked();
    proxy.endpoints(0, [(await answering(ok('the next'))).port]);
    wire.socket.resetAndDestroy();
    expect((await message(client)).body).toBe('the next');
  });

  test('regression: a request of old went to new although its route had been taken back meanwhile', async () => {
    const dying = await backend();
    const rescue = { budget: 0.2, toNew: true, bodyBytes: 0 };
    const proxy = await plane({
      old: [dying],
      new: [await answering(OK)],
      weightPpm: 500_000,
      route: { rescue },
      random: () => 0.99,
    });
    const client = await connect(proxy, GET);
    const wire = await dying.asked();
    const { generation } = proxy.table;
    proxy.service.onMessage({ kind: 'weights', generation, revision: 9, held: [0], weights: [[0, 0, 0]] });
    dying.close();
    wire.socket.resetAndDestroy();
    expect((await message(client)).status).toBe(502);
  });

  test('that are taken away while requests wait for a connection leave them waiting for those that come', async () => {
    const busy = await backend();
    const backends = ['old', 'new'].map((name) => ({
      name,
      connections: 1,
      pending: { requests: 10, waitMs: 10_000 },
    }));
    const proxy = await plane({ old: [busy], table: { backends } });
    const running = await connect(proxy, GET);
    const wire = await busy.asked();
    const waiting = await connect(proxy, GET);
    await until('both requests', () => inflight(proxy) === 2);
    proxy.endpoints(0, []);
    wire.say(ok('the last'));
    expect((await message(running)).body).toBe('the last');
    proxy.endpoints(0, [(await answering(ok('the next'))).port]);
    expect((await message(waiting)).body).toBe('the next');
  });

  test('that are all taken away leave a 503 that says when to come back', async () => {
    const proxy = await plane({ old: [await answering(OK)] });
    proxy.endpoints(0, []);
    const answer = await ask(await connect(proxy), GET);
    expect([answer.status, answer.get('retry-after')]).toEqual([503, '1']);
  });
});

describe('a new table', () => {
  test('keeps requests and their counts with the table that they began under, and connections to backends that stay', async () => {
    const origin = await backend();
    const proxy = await plane({ old: [origin] });
    const client = await connect(proxy, GET);
    const wire = await origin.asked();
    await head(wire);
    serve(proxy, 2, [origin]);
    wire.say(OK);
    expect((await message(client)).body).toBe('ok');
    client.say(GET);
    await head(wire);
    wire.say(OK);
    await message(client);
    expect(origin.wires).toHaveLength(1);
    expect([countOf(proxy, 1, OKS), countOf(proxy, 2, OKS)]).toEqual([1, 1]);
    expect([countOf(proxy, 1, AT_INFLIGHT), countOf(proxy, 2, AT_INFLIGHT)]).toEqual([0, 0]);
  });

  test('does not take effect before its weights', async () => {
    const proxy = await plane({ old: [await answering(ok('before'))] });
    const after = await answering(ok('after'));
    const client = await connect(proxy);
    proxy.service.onMessage({ ...proxy.table, generation: 2 });
    const added = [{ host: '127.0.0.1', port: after.port }];
    proxy.service.onMessage({ kind: 'endpoints', generation: 2, backend: 0, removed: [], added });
    expect((await ask(client, GET)).body).toBe('before');
    proxy.service.onMessage({ kind: 'weights', generation: 2, revision: 2, held: [], weights: [[0, 0, 0]] });
    expect((await ask(client, GET)).body).toBe('after');
  });

  test('closes listeners that it does not have and opens those that are new; connections go on', async () => {
    const origin = await answering(OK);
    const proxy = await plane({ old: [origin] });
    const client = await connect(proxy);
    await ask(client, GET);
    const port = await freePort();
    serve(proxy, 2, [origin], { listeners: [{ address: 'moved', host: '127.0.0.1', port }] });
    expect(await listeningOf(proxy, 2)).toBeNull();
    expect(await isRefused(proxy.port)).toBe(true);
    expect((await ask(client, GET)).status).toBe(200);
    const moved = new Wire(dial({ port, host: '127.0.0.1' }));
    onTestFinished(() => void moved.socket.destroy());
    expect((await ask(moved, GET)).status).toBe(200);
  });

  test('whose listener cannot be had says so and serves by the others', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void taken.close());
    const { port } = taken.address() as { port: number };
    const origin = await answering(OK);
    const proxy = await plane({ old: [origin] });
    serve(proxy, 2, [origin], {
      listeners: [{ address: 'taken', host: '127.0.0.1', port }, ...proxy.table.listeners],
    });
    const failure = await listeningOf(proxy, 2);
    expect(failure?.address).toBe('taken');
    expect(failure?.message).toContain('EADDRINUSE');
    expect((await ask(await connect(proxy), GET)).status).toBe(200);
  });
});

describe('draining', () => {
  test('accepts nothing more, closes clients with their next answers, and is over when the last has gone', async () => {
    const origin = await backend();
    const proxy = await plane({ old: [origin] });
    const running = await connect(proxy, GET);
    const idle = await connect(proxy);
    const wire = await origin.asked();
    proxy.service.drain(0);
    await until('a refusal', () => isRefused(proxy.port));
    await head(wire);
    wire.say(OK);
    expect((await message(running)).get('connection')).toBe('close');
    await running.isClosed();
    running.socket.end();
    await gone(running);
    // One that was idle is served once more.
    idle.say(GET);
    await head(wire);
    wire.say(OK);
    expect((await message(idle)).get('connection')).toBe('close');
    expect(proxy.exited).toBe(false);
    await idle.isClosed();
    idle.socket.end();
    await until('the exit', () => proxy.exited);
    expect(proxy.count(AT_ATTEMPTS)).toBe(2);
  });

  test('ends what is left when its time is over', async () => {
    const origin = await backend();
    const table = { drainMs: 5_000, requestHeadMs: 3_000 };
    const proxy = await plane({ old: [origin], table, timeouts: { responseHeadMs: 0 } });
    const slow = await connect(proxy, 'GET');
    const running = await connect(proxy, GET);
    const idle = await connect(proxy);
    const wire = await origin.asked();
    proxy.service.drain(0);
    proxy.skip(4_000);
    // By this the sweep has seen the time that passed.
    expect((await message(slow)).status).toBe(408);
    // One on which nothing came for 2 s is ended before.
    await until('the end of the idle one', () => idle.ended);
    expect([proxy.exited, running.ended]).toEqual([false, false]);
    proxy.skip(2_000);
    await until('the exit', () => proxy.exited);
    await Promise.all([running.isClosed(), idle.isClosed(), wire.isClosed()]);
    expect(inflight(proxy)).toBe(0);
  });

  test('without clients is over at once', async () => {
    const proxy = await plane();
    proxy.service.drain(0);
    await until('the exit', () => proxy.exited);
  });
});
