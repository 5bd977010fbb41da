/** The seam between the halves knows no protocol: every pairing of HTTP/1 and a second implementation in memory is one exchange. */

import { connect as dial } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { AT_ATTEMPTS, AT_REQUESTS, CODE_CLASSES, cellsOf, codeClass } from '../../src/domain/counts.ts';
import { OLD } from '../../src/domain/route.ts';
import { createSnapshot, withWeights } from '../../src/domain/snapshot.ts';
import { FlatFields } from '../../src/fields.ts';
import { CHUNKED, NO_BODY } from '../../src/http1/framing.ts';
import { Counts } from '../../src/proxy/counts.ts';
import { TrustedProxies } from '../../src/proxy/forwarding.ts';
import { ConnectionCensus, Listener } from '../../src/proxy/listener.ts';
import { type Connect, Pool } from '../../src/proxy/pool.ts';
import { RescueBudget } from '../../src/proxy/rescue-budget.ts';
import { Runtime } from '../../src/proxy/runtime.ts';
import { freePort, LIMITS, TIMEOUTS, until, Wire } from './harness.ts';
import { MemoryInbound, MemoryOutbound, request, response } from './memory-halves.ts';
import { backend, GET, head, message } from './scene.ts';

interface Stage {
  readonly runtime: Runtime;
  readonly pool: Pool;
  readonly outbounds: MemoryOutbound[];
  /** Sums of a cell on old since the stage was set. */
  readonly count: (offset: number) => number;
}

/** A runtime with one route to one endpoint. @param port of a backend over HTTP/1; undefined: in memory */
function stage(port?: number): Stage {
  let nowMs = 0;
  const outbounds: MemoryOutbound[] = [];
  const route = {
    name: 'r',
    match: {},
    old: 0,
    new: 0,
    sticky: [],
    salt: 'r',
    timeouts: TIMEOUTS,
    rescue: { budget: 0.2, toNew: false, bodyBytes: 65_536 },
  };
  const counts = new Counts(1, [route]);
  const runtime = new Runtime(
    {
      snapshot: withWeights(createSnapshot(1, [route], 1), 1, [[0, 0, 0]]),
      pools: [[]],
      usable: [[]],
      budgets: [new RescueBudget(0.2)],
      counts,
      trusted: new TrustedProxies([]),
      override: null,
      limits: LIMITS,
      requestHeadMs: 10_000,
      idleMs: 60_000,
    },
    { clock: () => nowMs++, random: () => 0.5, randomId: () => 'id' },
  );
  const inMemory: Connect = (pool, exchange) => {
    const outbound = new MemoryOutbound(pool, exchange);
    outbounds.push(outbound);
    return outbound;
  };
  const target = { key: '', host: '127.0.0.1', port: port ?? 1, tls: null, protocol: 'http1', connections: 0 } as const;
  const pool = port === undefined ? new Pool(target, runtime, null, inMemory) : new Pool(target, runtime);
  runtime.serving = { ...runtime.serving, pools: [[pool]], usable: [[pool]] };
  onTestFinished(() => pool.retire());
  const sums = new Map<number, number>();
  const count = (offset: number): number => {
    const { cells, values } = counts.take();
    cells.forEach((cell, i) => sums.set(cell, (sums.get(cell) ?? 0) + (values[i] as number)));
    return sums.get(cellsOf(0, OLD) + offset) ?? 0;
  };
  return { runtime, pool, outbounds, count };
}

async function http1Client(runtime: Runtime): Promise<Wire> {
  const port = await freePort();
  const listener = new Listener(
    runtime,
    new ConnectionCensus(),
    { address: 'test', host: '127.0.0.1', port },
    new Uint8Array(48),
  );
  await listener.listen();
  const wire = new Wire(dial({ port, host: '127.0.0.1' }));
  onTestFinished(() => {
    wire.socket.destroy();
    listener.stopAccepting();
    listener.destroyConnections();
  });
  return wire;
}

const H2_2XX = AT_REQUESTS + CODE_CLASSES.length + codeClass(200);

describe('from memory to memory', () => {
  test('head, body and trailers pass both ways, and the response counts under its own protocol', () => {
    const { runtime, pool, outbounds, count } = stage();
    const client = new MemoryInbound(runtime);
    client.exchange.begin(request('POST', '/a?b', ['x', '1'], CHUNKED));
    client.send('ping');
    client.end(new FlatFields(['sum', '7']));
    const [served] = outbounds as [MemoryOutbound];
    expect([served.requests, served.body, served.trailers, served.hasEnded]).toEqual([
      ['POST /a?b'],
      'ping',
      ['sum', '7'],
      true,
    ]);
    expect(served.lines).toContain('forwarded: for=192.0.2.1;proto=https;host="shop.example"\r\n');
    expect(pool.inflight).toBe(1);

    served.exchange.onInterim(response(103, []));
    served.exchange.onResponseHead(response(200, ['y', '2']));
    expect(served.give('pong')).toBe(true);
    served.finish(new FlatFields(['grpc-status', '0']));
    expect(client.told).toEqual(['interim 103', 'head 200', 'end']);
    expect([client.body, client.fields, client.trailers]).toEqual([
      'pong',
      [':status', '200', 'y', '2'],
      ['grpc-status', '0'],
    ]);
    expect([count(H2_2XX), count(AT_ATTEMPTS), pool.inflight]).toEqual([1, 1, 0]);
    expect(client.exchange.isOpen).toBe(false);
  });

  test('either end that is full holds the other back until it has drained', () => {
    const { runtime, outbounds } = stage();
    const client = new MemoryInbound(runtime);
    client.exchange.begin(request('POST', '/', [], CHUNKED));
    const [served] = outbounds as [MemoryOutbound];
    served.isFull = true;
    client.send('more than it takes');
    expect(client.isPaused).toBe(true);
    client.exchange.onBackendDrained();
    expect(client.isPaused).toBe(false);

    served.exchange.onResponseHead(response(200, []));
    client.isFull = true;
    expect(served.give('more than it takes')).toBe(false);
    served.pauseResponse();
    client.exchange.onClientDrained();
    expect(served.isPaused).toBe(false);
  });

  test('an idle stream of the pool serves the next request, and is not opened anew', () => {
    const { runtime, outbounds } = stage();
    for (const path of ['/1', '/2']) {
      const client = new MemoryInbound(runtime);
      client.exchange.begin(request('GET', path, [], NO_BODY));
      client.end(null);
      const [served] = outbounds as [MemoryOutbound];
      served.exchange.onResponseHead(response(200, [], NO_BODY));
      served.finish(null);
      expect(client.told).toEqual(['head 200', 'end']);
    }
    expect(outbounds.map((outbound) => outbound.requests)).toEqual([['GET /1', 'GET /2']]);
  });

  test('a stream that was reused and broke without an answer is tried once more on a fresh one; a fresh one is not', () => {
    const { runtime, pool, outbounds, count } = stage();
    const client = new MemoryInbound(runtime);
    const get = (): void => {
      client.exchange.begin(request('GET', '/', [], NO_BODY));
      client.end(null);
    };
    get();
    const first = outbounds[0] as MemoryOutbound;
    first.exchange.onResponseHead(response(200, [], NO_BODY));
    first.finish(null);
    get();
    first.exchange.onUpstreamFailed(first, 'upstreamReset');
    const second = outbounds[1] as MemoryOutbound;
    expect(second.requests).toEqual(['GET /']);
    expect(count(AT_ATTEMPTS + 1)).toBe(0);
    second.exchange.onUpstreamFailed(second, 'upstreamReset');
    expect(client.told.at(-1)).toBe('error upstreamReset');
    expect([outbounds.length, count(AT_ATTEMPTS + 1), pool.inflight]).toEqual([2, 1, 0]);
  });

  test('a client that leaves has its stream to the backend abandoned, and counts against nobody', () => {
    const { runtime, pool, outbounds, count } = stage();
    const client = new MemoryInbound(runtime);
    client.exchange.begin(request('GET', '/', [], NO_BODY));
    client.end(null);
    client.exchange.onClientGone();
    client.exchange.onClientGone();
    const [served] = outbounds as [MemoryOutbound];
    expect([served.isAbandoned, served.closes, pool.inflight]).toEqual([true, 1, 0]);
    expect([count(AT_ATTEMPTS + 1), count(AT_ATTEMPTS + 3)]).toEqual([0, 1]);
  });

  test('an answer that breaks off is cut, never ended', () => {
    const { runtime, outbounds } = stage();
    const client = new MemoryInbound(runtime);
    client.exchange.begin(request('GET', '/', [], NO_BODY));
    client.end(null);
    const [served] = outbounds as [MemoryOutbound];
    served.exchange.onResponseHead(response(200, []));
    served.give('half');
    served.exchange.onUpstreamFailed(served, 'upstreamReset');
    expect(client.told).toEqual(['head 200', 'cut']);
  });
});

describe('from memory to HTTP/1', () => {
  test('pseudo fields stay behind, Host is the authority, a body of unknown length goes chunked with its trailers', async () => {
    const origin = await backend();
    const { runtime } = stage(origin.port);
    const client = new MemoryInbound(runtime);
    client.exchange.begin(request('POST', '/a?b', ['x', '1', 'te', 'trailers'], CHUNKED));
    // Until the connection is made the client is asked to wait.
    expect(client.isPaused).toBe(true);
    await until('the connection', () => !client.isPaused);
    client.send('ping');
    client.end(new FlatFields(['sum', '7']));
    const wire = await origin.asked();
    const seen = await message(wire);
    expect(seen.head).toBe(
      'POST /a?b HTTP/1.1\r\nhost: shop.example\r\nx: 1\r\n' +
        'x-forwarded-for: 192.0.2.1\r\nx-forwarded-proto: https\r\nvia: 2.0 crossfade\r\n' +
        'forwarded: for=192.0.2.1;proto=https;host="shop.example"\r\nx-forwarded-host: shop.example\r\n' +
        'transfer-encoding: chunked\r\nconnection: te\r\nte: trailers\r\n\r\n',
    );
    expect([seen.body, seen.trailers]).toEqual(['ping', 'sum: 7\r\n']);

    wire.say('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ny: 2\r\n\r\n4\r\npong\r\n0\r\ngrpc-status: 0\r\n\r\n');
    await until('the end', () => client.told.includes('end'));
    expect([client.body, client.trailers]).toEqual(['pong', ['grpc-status', '0']]);
    expect(client.exchange.isOpen).toBe(false);
  });

  test('a client that takes no more holds the backend back', async () => {
    const origin = await backend();
    const { runtime } = stage(origin.port);
    const client = new MemoryInbound(runtime);
    client.exchange.begin(request('GET', '/', [], NO_BODY));
    client.end(null);
    const wire = await origin.asked();
    await head(wire);
    client.isFull = true;
    const total = 64 << 20;
    wire.say(`HTTP/1.1 200 OK\r\ncontent-length: ${total}\r\n\r\n${'x'.repeat(total)}`);
    await until('the first of it', () => client.body !== '');
    const held = client.body.length;
    expect(held).toBeLessThan(1 << 20);
    client.exchange.onClientDrained();
    await until('a little more', () => client.body.length > held);
    client.isFull = false;
    client.exchange.onClientDrained();
    await until('the end', () => client.told.includes('end'));
    expect(client.body).toHaveLength(total);
  });
});

describe('from HTTP/1 to memory', () => {
  test('fields that are not HTTP/1’s own are serialised, pseudo fields and those of another hop left out', async () => {
    const { runtime, outbounds } = stage();
    const client = await http1Client(runtime);
    client.say(
      'POST /a HTTP/1.1\r\nHost: shop.example\r\ntransfer-encoding: chunked\r\n\r\n4\r\nping\r\n0\r\nsum: 7\r\n\r\n',
    );
    const served = await until('the request', () => outbounds[0]?.hasEnded === true && outbounds[0]);
    expect([served.requests, served.body, served.trailers]).toEqual([['POST /a'], 'ping', ['sum', '7']]);

    served.exchange.onResponseHead(response(200, ['y', '2', 'connection', 'close', 'transfer-encoding', 'chunked']));
    served.give('pong');
    served.finish(new FlatFields(['grpc-status', '0']));
    const answer = await message(client);
    expect(answer.head).toBe('HTTP/1.1 200 \r\ny: 2\r\ntransfer-encoding: chunked\r\n\r\n');
    expect([answer.body, answer.trailers]).toEqual(['pong', 'grpc-status: 0\r\n']);
  });

  test('the next request on the connection is a new exchange on the same pool', async () => {
    const { runtime, outbounds } = stage();
    const client = await http1Client(runtime);
    for (let i = 1; i <= 2; i++) {
      client.say(GET);
      const served = await until('the request', () => outbounds[0]?.requests.length === i && outbounds[0]);
      await until('its end', () => served.hasEnded);
      served.exchange.onResponseHead(response(204, [], NO_BODY));
      served.finish(null);
      expect((await message(client)).status).toBe(204);
    }
    expect(outbounds).toHaveLength(1);
  });
});
