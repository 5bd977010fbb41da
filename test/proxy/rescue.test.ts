/** Requests that fail before any byte of an answer: who gets them again, and who must not. */
import { constants } from 'node:os';
import * as fc from 'fast-check';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { AT_ATTEMPTS, AT_FAULTS, AT_REQUESTS, AT_RESCUES, cellsOf } from '../../src/domain/counts.ts';
import { FAULT_KINDS } from '../../src/domain/errors.ts';
import { NEW, OLD, PPM, type RescuePolicy } from '../../src/domain/route.ts';
import { RescueBudget } from '../../src/proxy/rescue-budget.ts';
import { binding, type TcpHandle } from '../../src/proxy/stream-binding.ts';
import { freePort, type Plane, ScriptedBackend, type Wire } from './harness.ts';
import type { ReceivedMessage } from './message.ts';
import { answering, ask, backend, connect, GET, message, ok, plane } from './scene.ts';

const RESCUE: RescuePolicy = { budget: 0.2, toNew: false, bodyBytes: 65_536 };
const POST = 'POST / HTTP/1.1\r\nHost: a\r\ncontent-length: 4\r\n\r\nbody';
const PUT = POST.replace('POST', 'PUT');

/** Sum of a side's cells from one offset on. */
function count(proxy: Plane, side: number, offset: number, cells = 1): number {
  proxy.service.onMessage({ kind: 'flush', flush: 1 });
  const first = cellsOf(0, side) + offset;
  let sum = 0;
  for (const counts of proxy.messages) {
    if (counts.kind !== 'counts') continue;
    for (const [i, cell] of counts.cells.entries())
      if (cell >= first && cell < first + cells) sum += counts.values[i] as number;
  }
  return sum;
}

const fault = (kind: (typeof FAULT_KINDS)[number]): number => AT_FAULTS + FAULT_KINDS.indexOf(kind);

/** Takes each request whole and ends the connection without a word. @param seen gets the requests */
function mute(seen: string[]): Promise<ScriptedBackend> {
  return backend(async (wire: Wire) => {
    const { body, startLine } = await message(wire);
    seen.push(`${startLine.split(' ')[0]} ${body}`);
    wire.socket.destroy();
  });
}

/** The kernel has no address of ours, with a port, for connections to this port. */
function withoutAddress(port: number): void {
  const { prototype } = (binding as NonNullable<typeof binding>).TCP as { prototype: TcpHandle };
  const connects = Reflect.get<TcpHandle, 'connect'>(prototype, 'connect');
  const spy = vi.spyOn(prototype, 'connect').mockImplementation(function (this: TcpHandle, request, address, to) {
    return to === port ? -constants.errno.EADDRNOTAVAIL : connects.call(this, request, address, to);
  });
  onTestFinished(() => spy.mockRestore());
}

describe('from new to old', () => {
  test('regression: an endpoint whose kind of address the machine does not have was never blamed, and its requests got no other', async () => {
    const [old, fresh] = [await answering(ok('old')), await answering(ok('new'))];
    const proxy = await plane({ old: [old], new: [fresh], weightPpm: PPM });
    withoutAddress(fresh.port);
    const client = await connect(proxy);
    for (let i = 0; i < 3; i++) expect((await ask(client, GET)).body).toBe('old');
    expect(count(proxy, NEW, fault('connectFailed'))).toBe(3);
  });

  test('when ports towards an endpoint have run out it is not blamed', async () => {
    const [old, fresh] = [
      await answering(ok('old')),
      await answering(ok('new').replace('\r\n', '\r\nconnection: close\r\n')),
    ];
    const proxy = await plane({ old: [old], new: [fresh], weightPpm: PPM });
    const client = await connect(proxy);
    expect((await ask(client, GET)).body).toBe('new');
    withoutAddress(fresh.port);
    const refused = await ask(client, GET);
    expect([refused.status, refused.body.includes('socketsExhausted')]).toEqual([503, true]);
    expect(count(proxy, NEW, AT_FAULTS, FAULT_KINDS.length)).toBe(0);
  });

  test('a refused connection costs the client nothing and counts against new', async () => {
    const proxy = await plane({ old: [await answering(ok('old'))], new: [await freePort()], weightPpm: PPM });
    const client = await connect(proxy);
    expect((await ask(client, POST)).body).toBe('old');
    expect((await ask(client, GET)).body).toBe('old');
    expect(count(proxy, NEW, fault('connectRefused'))).toBe(2);
    expect(count(proxy, NEW, AT_RESCUES)).toBe(2);
    expect(count(proxy, OLD, AT_ATTEMPTS)).toBe(2);
    expect(count(proxy, OLD, AT_FAULTS, FAULT_KINDS.length)).toBe(0);
    // To the client's side of things the requests were new's.
    expect(count(proxy, NEW, AT_REQUESTS, 18)).toBe(2);
  });

  test('a side without an endpoint: the other serves', async () => {
    const proxy = await plane({ old: [await answering(ok('old'))], new: [], weightPpm: PPM });
    expect((await ask(await connect(proxy), POST)).body).toBe('old');
    expect(count(proxy, NEW, fault('noEndpoint'))).toBe(1);
  });

  test('a connection that ends without an answer: a GET goes to old, a PUT with its body too, a POST is a 502', async () => {
    const seen: string[] = [];
    const onOld: ReceivedMessage[] = [];
    const old = await answering(ok('old'), onOld);
    const proxy = await plane({ old: [old], new: [await mute(seen)], weightPpm: PPM });
    expect((await ask(await connect(proxy), GET)).body).toBe('old');
    expect((await ask(await connect(proxy), PUT)).body).toBe('old');
    expect((await ask(await connect(proxy), POST)).status).toBe(502);
    expect(seen).toEqual(['GET ', 'PUT body', 'POST body']);
    expect(onOld.map(({ body }) => body)).toEqual(['', 'body']);
  });

  test('a body longer than what is kept is not sent again', async () => {
    const seen: string[] = [];
    const proxy = await plane({
      old: [await answering(ok('old'))],
      new: [await mute(seen)],
      weightPpm: PPM,
      route: { rescue: { ...RESCUE, bodyBytes: 3 } },
    });
    expect((await ask(await connect(proxy), PUT)).status).toBe(502);
  });

  test('another endpoint of new comes first, then old, then nobody', async () => {
    const seen: string[] = [];
    const proxy = await plane({
      old: [await mute(seen)],
      new: [await mute(seen), await mute(seen)],
      weightPpm: PPM,
    });
    expect((await ask(await connect(proxy), GET)).status).toBe(502);
    expect(seen).toHaveLength(3);
    expect(count(proxy, NEW, AT_RESCUES)).toBe(2);
    expect(count(proxy, OLD, AT_RESCUES)).toBe(0);
    expect(count(proxy, OLD, fault('upstreamReset'))).toBe(1);
  });

  test('half an answer is cut or a 502, never asked for elsewhere', async () => {
    const onOld: ReceivedMessage[] = [];
    const broken = await backend(async (wire) => {
      await message(wire);
      wire.say('HTTP/1.1 200');
      wire.socket.end();
    });
    const proxy = await plane({ old: [await answering(ok('old'), onOld)], new: [broken], weightPpm: PPM });
    expect((await ask(await connect(proxy), GET)).status).toBe(502);
    expect(onOld).toEqual([]);
  });

  test('an answer of 503 is an answer', async () => {
    const unwell = await answering('HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n');
    const proxy = await plane({ old: [await answering(ok('old'))], new: [unwell], weightPpm: PPM });
    expect((await ask(await connect(proxy), GET)).status).toBe(503);
  });

  test('a budget of 0 rescues nothing', async () => {
    const rescue = { ...RESCUE, budget: 0 };
    const proxy = await plane({
      old: [await answering(ok('old'))],
      new: [await freePort()],
      weightPpm: PPM,
      route: { rescue },
    });
    expect((await ask(await connect(proxy), GET)).status).toBe(502);
  });

  test('an operator who asks for new gets new, or its fault', async () => {
    const proxy = await plane({
      old: [await answering(ok('old'))],
      new: [await freePort()],
      table: { override: { name: 'x-side', secret: 's' } },
    });
    const client = await connect(proxy);
    expect((await ask(client, GET.replace('\r\n\r\n', '\r\nx-side: new;s\r\n\r\n'))).status).toBe(502);
  });
});

/** The status that a request for a dead old side gets. */
async function statusAt(weightPpm: number, rescue: Partial<RescuePolicy>, isHeld = false): Promise<number> {
  const proxy = await plane({
    old: [await freePort()],
    new: [await answering(ok('new'))],
    route: { rescue: { ...RESCUE, ...rescue } },
    weightPpm,
    random: () => 0.99,
  });
  const { generation } = proxy.table;
  const held = isHeld ? [0] : [];
  proxy.service.onMessage({ kind: 'weights', generation, revision: 9, held, weights: [[0, weightPpm, 0]] });
  return (await ask(await connect(proxy), GET)).status;
}

describe('between endpoints of a side', () => {
  const FIRST = { random: () => 0 };

  test('regression: a request refused by one endpoint failed although another, refused a moment ago, was back', async () => {
    const port = await freePort();
    const other = await answering(ok('other').replace('\r\n', '\r\nconnection: close\r\n'));
    const proxy = await plane({ old: [port, other], weightPpm: 0, ...FIRST });
    const client = await connect(proxy);
    expect((await ask(client, POST)).body).toBe('other');
    const back = await ScriptedBackend.answering('back').listen(port);
    onTestFinished(() => back.close());
    other.close();
    expect((await ask(client, POST)).body).toBe('back');
  });

  test('regression: a request that new had refused failed by the first endpoint of old that refused it as well', async () => {
    const old = [await freePort(), await answering(ok('old'))];
    const proxy = await plane({ old, new: [await freePort()], weightPpm: PPM, ...FIRST });
    expect((await ask(await connect(proxy), POST)).body).toBe('old');
  });

  test('endpoints that refuse are asked one after the other, up to four', async () => {
    const dead = [await freePort(), await freePort(), await freePort()];
    const few = await plane({ old: [...dead, await answering(ok('fourth'))], weightPpm: 0, ...FIRST });
    expect((await ask(await connect(few), POST)).body).toBe('fourth');
    const none = await plane({ old: dead, weightPpm: 0, ...FIRST });
    expect((await ask(await connect(none), POST)).status).toBe(502);
  });
});

describe('from old to new', () => {
  test('only where it is wished for', async () => {
    expect(await statusAt(500_000, {})).toBe(502);
    expect(await statusAt(500_000, { toNew: true })).toBe(200);
  });

  test('never at weight 0, never on a route that is held or rolled back', async () => {
    expect(await statusAt(0, { toNew: true })).toBe(502);
    expect(await statusAt(500_000, { toNew: true }, true)).toBe(502);
  });
});

test('the budget is a share of the traffic and a few', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 100 }), fc.array(fc.nat(3_000), { maxLength: 300 }), (percent, pauses) => {
      const budget = new RescueBudget(percent / 100);
      let nowMs = 0;
      let rescued = 0;
      for (const pauseMs of pauses) {
        nowMs += pauseMs;
        budget.requests++;
        if (budget.take(nowMs)) rescued++;
      }
      const windows = 1 + nowMs / 10_000;
      expect(rescued).toBeLessThanOrEqual((percent === 0 ? 0 : 20 * windows) + (2 * percent * pauses.length) / 100);
    }),
  );
});
