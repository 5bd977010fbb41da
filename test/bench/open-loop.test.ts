import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { OpenLoop } from '../../bench/open-loop.mjs';

const servers: net.Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) {
    if (server instanceof http.Server) server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
});

async function listen(server: net.Server): Promise<string> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no address');
  return `http://127.0.0.1:${address.port}/`;
}

/** Calls back with the number of the request, from 0. */
function serve(
  answer: (index: number, response: http.ServerResponse, request: http.IncomingMessage) => void,
): Promise<string> {
  let count = 0;
  return listen(
    http.createServer((request, response) => {
      request.resume();
      answer(count++, response, request);
    }),
  );
}

async function runOnce(options: ConstructorParameters<typeof OpenLoop>[0]) {
  const loop = new OpenLoop(options);
  const [tally] = await loop.run();
  if (tally === undefined) throw new Error('no tally');
  return tally;
}

describe('OpenLoop', () => {
  test('sends exactly what the schedule holds, and no latency is below what the server takes', async () => {
    const url = await serve((_index, response) => setTimeout(() => response.end('slow'), 20));
    const tally = await runOnce({ url, rate: 400, durationMs: 500 });
    expect(tally.toJSON()).toMatchObject({ due: 200, sent: 200, failed: 0, failures: {} });
    expect(tally.answers.statuses).toEqual(new Map([[200, 200]]));
    // A Node timer may fire a millisecond early.
    expect(tally.answers.latency.min).toBeGreaterThanOrEqual(19_000);
  });

  test('tallies the sides by the response header', async () => {
    const url = await serve((index, response) => {
      response.setHeader('X-Side', index % 4 === 0 ? 'new' : 'old');
      response.statusCode = index % 8 === 0 ? 503 : 200;
      response.end();
    });
    const { sides } = await runOnce({ url, rate: 1000, durationMs: 160 });
    expect(sides.get('new')?.toJSON()).toMatchObject({ total: 40, errors: 20, statuses: { 200: 20, 503: 20 } });
    expect(sides.get('old')?.toJSON()).toMatchObject({ total: 120, errors: 0 });
  });

  test('a stall is in the latency of every request that fell due in it, though only one was under way', async () => {
    const url = await serve((index, response) => {
      if (index === 10) setTimeout(() => response.end(), 300);
      else response.end();
    });
    const tally = await runOnce({ url, rate: 200, durationMs: 500, connections: 1 });
    expect(tally.failed()).toBe(0);
    // 60 requests fall due within the 300 ms; those of its first half wait at least 150 ms each.
    expect(tally.answers.latency.quantile(0.72)).toBeGreaterThanOrEqual(149_000);
  });

  test('counts each kind of failure exactly', async () => {
    const url = await serve((index, response) => {
      const socket = response.socket;
      if (index % 10 === 1) socket?.resetAndDestroy();
      else if (index % 10 === 2) socket?.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort');
      else if (index % 10 === 3) socket?.end();
      else if (index % 10 === 4) response.writeHead(500).end();
      else if (index % 10 === 5) socket?.write('SSH-2.0-OpenSSH_9.2\r\n\r\n');
      else if (index % 10 !== 6) response.end('fine');
    });
    const tally = await runOnce({ url, rate: 500, durationMs: 200, timeoutMs: 400 });
    expect(tally.failures).toEqual(
      new Map([
        ['ECONNRESET', 10],
        ['CLOSED', 20],
        ['MALFORMED', 10],
        ['TIMEOUT', 10],
      ]),
    );
    expect(tally.answers.statuses).toEqual(
      new Map([
        [200, 40],
        [500, 10],
      ]),
    );
    expect(tally.failed()).toBe(60);
  });

  test('every request to a port where nobody listens fails, by its code', async () => {
    const url = await serve(() => undefined);
    const server = servers.pop();
    server?.close();
    const tally = await runOnce({ url, rate: 1000, durationMs: 50 });
    expect(tally.failures).toEqual(new Map([['ECONNREFUSED', 50]]));
  });

  test('a request that finds no free connection in time fails and was never sent', async () => {
    const url = await serve(() => undefined);
    const tally = await runOnce({ url, rate: 100, durationMs: 100, connections: 1, timeoutMs: 200 });
    expect(tally.due).toBe(10);
    expect(tally.failed()).toBe(10);
    expect((tally.failures.get('NO_FREE_CONNECTION') ?? 0) + tally.sent).toBe(10);
    expect(tally.failures.get('TIMEOUT')).toBe(tally.sent);
  });

  test.each(['chunked', 'until close', 'HTTP/1.0', 'no content', 'interim response', 'byte by byte', 'long'])(
    'reads a response: %s',
    async (kind) => {
      const bytes = {
        chunked: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n1\r\n\n\r\n0\r\nT: 1\r\n\r\n',
        'until close': 'HTTP/1.1 200 OK\r\n\r\nall that comes',
        'HTTP/1.0': 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nab',
        'no content': 'HTTP/1.1 204 No Content\r\n\r\n',
        'interim response':
          'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\na',
        'byte by byte': 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc',
        long: `HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n${'x'.repeat(300_000)}`,
      }[kind];
      const closes = kind === 'until close' || kind === 'HTTP/1.0';
      const url = await listen(
        net.createServer((socket) => {
          socket.setNoDelay(true);
          socket.on('error', () => socket.destroy());
          socket.on('data', () => {
            for (const part of kind === 'byte by byte' ? (bytes ?? '') : [bytes ?? '']) socket.write(part);
            if (closes) socket.end();
          });
        }),
      );
      const tally = await runOnce({ url, rate: 500, durationMs: 100, connections: 4 });
      expect(tally.toJSON()).toMatchObject({ due: 50, failed: 0, answers: { total: 50 } });
    },
  );

  test('sends method, fields and body as told', async () => {
    const seen = new Set<string>();
    const url = await serve((_index, response, request) => {
      const { method, headers } = request;
      seen.add([method, request.url, headers.host, headers['x-user'], headers['content-length']].join(' '));
      response.end();
    });
    const target = new URL('/a?b=c', url);
    const settings = { method: 'POST', headers: { 'X-User': '7' }, body: 'hello' };
    const tally = await runOnce({ url: target, rate: 100, durationMs: 50, ...settings });
    expect(tally.failed()).toBe(0);
    expect(seen).toEqual(new Set([`POST /a?b=c ${target.host} 7 5`]));
  });

  test('counts by phase the requests that fell due in it; stop ends the schedule', async () => {
    const url = await serve((index, response) => {
      if (index === 49) loop.startPhase('later');
      if (index === 149) loop.stop();
      response.end();
    });
    const loop: OpenLoop = new OpenLoop({ url, rate: 500, durationMs: 60_000 });
    const [first, later] = await loop.run();
    expect([first?.name, later?.name]).toEqual(['warm-up', 'later']);
    expect(first?.due).toBeGreaterThanOrEqual(50);
    expect(later?.due).toBeGreaterThan(0);
    for (const tally of [first, later]) expect(tally?.answers.total()).toBe(tally?.due);
  });
});
