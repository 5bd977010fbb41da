import { afterEach, describe, expect, test } from 'vitest';
import { AT_INFLIGHT } from '../../src/domain/counts.ts';
import { Plane, type PlaneOptions, ScriptedBackend, until, type Wire } from './harness.ts';

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

async function backend(): Promise<ScriptedBackend> {
  const made = new ScriptedBackend();
  stops.push(() => made.close());
  return made.listen();
}

async function plane(options: PlaneOptions): Promise<Plane> {
  const started = await Plane.start(options);
  stops.push(() => started.stop());
  return started;
}

/** A client that has sent this, and the connection on which the backend has got its head. */
async function asking(text: string): Promise<{ client: Wire; origin: Wire; proxy: Plane; server: ScriptedBackend }> {
  const server = await backend();
  const proxy = await plane({ old: [server.port] });
  const client = await proxy.connect();
  client.say(text);
  return { client, origin: await server.asked(), proxy, server };
}

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const EXPECTING = 'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n';

describe('Expect: 100-continue', () => {
  test('is the backend’s to answer, and the body follows its word', async () => {
    const { client, origin, proxy } = await asking(EXPECTING);
    expect(origin.received).toContain('\r\nExpect: 100-continue\r\n');
    expect(client.received).toBe('');
    origin.say('HTTP/1.1 100 Continue\r\n\r\n');
    expect(await client.sees('\r\n\r\n')).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    client.take();
    client.say('hello');
    expect(await origin.sees('hello')).toMatch(/\r\n\r\nhello$/);
    origin.say(OK);
    expect(await client.sees('ok')).toBe(OK);
    expect(proxy.count(AT_INFLIGHT)).toBe(0);
  });

  test('is refused by the backend, and what the client sends all the same is no request', async () => {
    const { client, origin, server } = await asking(EXPECTING);
    origin.say('HTTP/1.1 417 Expectation Failed\r\nContent-Length: 2\r\n\r\nno');
    // Whether the five bytes still come is the client's choice: the connection is good for nothing more.
    expect(await client.sees('no')).toMatch(/^HTTP\/1\.1 417 [^]*\r\nconnection: close\r\n/);
    client.say(`GET /${GET}`);
    await client.isClosed();
    expect([server.wires.length, origin.received.split('HTTP/1.1').length - 1]).toEqual([1, 1]);
  });

  test('need not be waited for', async () => {
    const { client, origin } = await asking(`${EXPECTING}hello`);
    expect(await origin.sees('hello')).toMatch(/\r\n\r\nhello$/);
    origin.say(OK);
    expect(await client.sees('ok')).toBe(OK);
  });

  test('gets no interim answer in HTTP/1.0, which has none', async () => {
    const { client, origin } = await asking(EXPECTING.replace('HTTP/1.1', 'HTTP/1.0'));
    origin.say(`HTTP/1.1 100 Continue\r\n\r\n${OK}`);
    client.say('hello');
    expect(await client.sees('ok')).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  test('reaches a backend before the body when the connection is kept already', async () => {
    const { client, origin } = await asking(GET);
    origin.say(OK);
    await client.sees('ok');
    origin.take();
    client.say(EXPECTING);
    expect(await origin.sees('\r\n\r\n')).toMatch(/100-continue/);
  });
});

describe('interim responses', () => {
  test('are passed on at once and in order, fields and all, before the answer', async () => {
    const { client, origin } = await asking(GET);
    const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nLink: </b.js>; rel=preload\r\n\r\n';
    origin.say(hints);
    expect(await client.sees('b.js>; rel=preload\r\n\r\n')).toBe(hints);
    origin.say(`HTTP/1.1 102 Processing\r\n\r\n${hints}HTTP/1.1 199 Own\r\n\r\n`);
    await client.sees('199 Own');
    origin.say(OK);
    expect(await client.sees('ok')).toBe(
      `${hints}HTTP/1.1 102 Processing\r\n\r\n${hints}HTTP/1.1 199 Own\r\n\r\n${OK}`,
    );
  });

  test('lose what belongs to the hop, and a length that they must not have', async () => {
    const { client, origin } = await asking(GET);
    origin.say(
      'HTTP/1.1 103 Early Hints\r\nConnection: x-inner\r\nX-Inner: 1\r\nContent-Length: 5\r\nKeep-Alive: timeout=1\r\nX-A: b\r\n\r\n' +
        OK,
    );
    expect(await client.sees('ok')).toBe(`HTTP/1.1 103 Early Hints\r\nX-A: b\r\n\r\n${OK}`);
  });

  test('stay with their request when several are sent ahead', async () => {
    const { client, server } = await asking(GET + GET.replace('/', '/second'));
    (server.wires[0] as Wire).say(`HTTP/1.1 103 Early Hints\r\nX-N: 1\r\n\r\n${OK}`);
    const second = await until('the second request', () =>
      server.wires.find((wire) => wire.received.includes('GET /second')),
    );
    second.say(`HTTP/1.1 103 Early Hints\r\nX-N: 2\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nend`);
    expect(await client.sees('end')).toMatch(/X-N: 1[^]*ok[^]*X-N: 2[^]*end$/);
  });

  test('without an answer behind them are a broken backend, not an answer', async () => {
    const { client, origin } = await asking(GET);
    origin.say('HTTP/1.1 103 Early Hints\r\n\r\n');
    await client.sees('103');
    origin.socket.destroy();
    expect(await client.sees('upstreamReset')).toMatch(/^HTTP\/1\.1 103 Early Hints\r\n\r\nHTTP\/1\.1 502 /);
  });

  test('that flood a client which does not read are not piled up', async () => {
    const { client, origin, proxy } = await asking(GET);
    client.socket.pause();
    const hint = `HTTP/1.1 103 Early Hints\r\nX-Fill: ${'x'.repeat(32_000)}\r\n\r\n`;
    // The kernel's buffers hold a few megabytes on the way.
    const hints = 1500;
    for (let i = 0; i < hints; i++) origin.say(hint);
    await until('the proxy to have read them', () => origin.socket.writableLength === 0);
    origin.say(OK);
    client.socket.resume();
    await client.sees('\r\n\r\nok');
    expect(client.received.length).toBeLessThan((hints * hint.length) / 2);
    expect(client.received.replaceAll(hint, '')).toBe(OK);
    expect(proxy.count(AT_INFLIGHT)).toBe(0);
  });
});

const CHUNKED = 'Transfer-Encoding: chunked\r\n';

describe('trailers', () => {
  test('of a request reach the backend', async () => {
    const { client, origin } = await asking(`POST / HTTP/1.1\r\nHost: a\r\nTrailer: X-Sum\r\n${CHUNKED}\r\n`);
    client.say('3\r\nabc\r\n0\r\nX-Sum: 1\r\nx-sum: 2\r\nX-Empty:\r\n\r\n');
    expect(await origin.sees('X-Empty')).toMatch(/\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\nx-sum: 2\r\nX-Empty: \r\n\r\n$/);
    expect(origin.received).toContain('\r\nTrailer: X-Sum\r\n');
  });

  test('of a response reach the client', async () => {
    const { client, origin } = await asking('GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\n\r\n');
    expect(origin.received).toContain('connection: te\r\nte: trailers\r\n');
    origin.say(`HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\n${CHUNKED}\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n`);
    expect(await client.sees('X-Sum: 1')).toMatch(/\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n$/);
  });

  test('that Connection names end at the proxy, both ways', async () => {
    const { client, origin } = await asking(
      `POST / HTTP/1.1\r\nHost: a\r\nConnection: X-Hop\r\n${CHUNKED}\r\n3\r\nabc\r\n0\r\nx-hop: 1\r\nX-End: 2\r\n\r\n`,
    );
    expect(await origin.sees('X-End')).toMatch(/0\r\nX-End: 2\r\n\r\n$/);
    origin.say(
      `HTTP/1.1 200 OK\r\nConnection: X-Inner\r\n${CHUNKED}\r\n3\r\nabc\r\n0\r\nX-INNER: 1\r\nX-End: 2\r\n\r\n`,
    );
    expect(await client.sees('X-End')).toMatch(/0\r\nX-End: 2\r\n\r\n$/);
    expect(origin.received + client.received).not.toMatch(/hop|inner/i);
  });

  test('that Connection named in one response are passed on in the next', async () => {
    const { client, origin } = await asking(GET);
    origin.say(`HTTP/1.1 200 OK\r\nConnection: X-Sum\r\n${CHUNKED}\r\n1\r\na\r\n0\r\nX-Sum: 1\r\n\r\n`);
    await client.sees('0\r\n\r\n');
    client.take();
    origin.take();
    client.say(GET);
    await origin.sees('\r\n\r\n');
    origin.say(`HTTP/1.1 200 OK\r\n${CHUNKED}\r\n1\r\na\r\n0\r\nX-Sum: 1\r\n\r\n`);
    expect(await client.sees('\r\n\r\n1\r\na\r\n0\r\n')).toMatch(/0\r\nX-Sum: 1\r\n\r\n$/);
  });

  test.each([
    'Host: b',
    'X-Forwarded-For: 10.0.0.1',
    'Forwarded: for=10.0.0.1',
    'Via: 1.1 x',
    'Connection: close',
    'Keep-Alive: timeout=1',
    'TE: gzip',
    'Upgrade: h2c',
    'Expect: 100-continue',
    'Proxy-Authorization: x',
  ])('may not be "%s"', async (field) => {
    const { client, origin } = await asking(
      `POST / HTTP/1.1\r\nHost: a\r\n${CHUNKED}\r\n3\r\nabc\r\n0\r\n${field}\r\nX-End: 2\r\n\r\n`,
    );
    expect(await origin.sees('X-End')).toMatch(/\r\n\r\n3\r\nabc\r\n0\r\nX-End: 2\r\n\r\n$/);
    origin.say(`HTTP/1.1 200 OK\r\n${CHUNKED}\r\n3\r\nabc\r\n0\r\n${field}\r\nX-End: 3\r\n\r\n`);
    expect(await client.sees('X-End: 3')).toMatch(/\r\n\r\n3\r\nabc\r\n0\r\nX-End: 3\r\n\r\n$/);
  });

  test.each(['Content-Length: 3', 'Transfer-Encoding: chunked'])('with "%s" break the message', async (field) => {
    const { client, origin } = await asking(`POST / HTTP/1.1\r\nHost: a\r\n${CHUNKED}\r\n3\r\nabc\r\n`);
    client.say(`0\r\n${field}\r\n\r\n`);
    expect(await client.isClosed()).toMatch(/^HTTP\/1\.1 400 /);
    await origin.isClosed();
    expect(origin.received).not.toContain('0\r\n');
  });

  test('of a response do not reach a client of HTTP/1.0', async () => {
    const { client, origin } = await asking('GET / HTTP/1.0\r\nHost: a\r\n\r\n');
    origin.say(`HTTP/1.1 200 OK\r\n${CHUNKED}\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n`);
    expect(await client.isClosed()).toMatch(/\r\n\r\nabc$/);
  });
});
