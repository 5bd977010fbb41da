/** The access log as whoever reads it sees it: one line a request, nothing that is secret, and nobody held up by it. */
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { AT_LOG_DROPPED } from '../../src/domain/counts.ts';
import { PPM } from '../../src/domain/route.ts';
import type { AccessLogSpec } from '../../src/seam.ts';
import { freePort, type Plane, until } from './harness.ts';
import { Http2Client } from './http2-client.ts';
import type { ReceivedMessage } from './message.ts';
import { answering, ask, backend, connect, GET, head, message, OK, ok, plane } from './scene.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const TRACEPARENT = `00-${TRACE}-00f067aa0ba902b7-01`;

type Line = Readonly<Record<string, unknown>>;

function logFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'crossfade-access-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, 'access.log');
}

function specOf(file: string, more: Partial<AccessLogSpec> = {}): AccessLogSpec {
  return { samplePpm: PPM, slowMs: null, allFaults: true, file, ...more };
}

/** The file's lines once there are so many. */
async function lines(file: string, count: number): Promise<Line[]> {
  const text = await until(`${count} lines`, () => {
    const present = existsSync(file) ? readFileSync(file, 'utf8') : '';
    return present.split('\n').length > count && present;
  });
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}

/** A plane that logs. */
async function logging(
  file: string,
  { log = {}, ...options }: Parameters<typeof plane>[0] & { log?: Partial<AccessLogSpec> },
): Promise<Plane> {
  return plane({ ...options, table: { ...options.table, accessLog: specOf(file, log) } });
}

function get(path: string, fields = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
}

test('a side whose endpoints all refuse is asked four times, and not for ever', async () => {
  const file = logFile();
  const proxy = await logging(file, { old: [await freePort(), await freePort()], weightPpm: 0 });
  const client = await connect(proxy);
  for (let i = 0; i < 3; i++) expect((await ask(client, GET)).status).toBe(502);
  expect((await lines(file, 3)).map(({ attempts }) => attempts)).toEqual([4, 4, 4]);
});

describe('what a line tells', () => {
  test('a request from its arrival to its end', async () => {
    const file = logFile();
    const origin = await answering(ok('hello'));
    const proxy = await logging(file, { old: [origin] });
    const before = Date.now();
    await ask(await connect(proxy), get('/search/x?q=1', `traceparent: ${TRACEPARENT}\r\n`));
    const [line] = (await lines(file, 1)) as [Line];
    expect(line).toMatchObject({
      route: 'r',
      side: 'old',
      reason: 'weight',
      revision: 1,
      method: 'GET',
      path: '/search/x',
      status: 200,
      attempts: 1,
      upstream: `127.0.0.1:${origin.port}`,
      bytes: 5,
      protocol: 'http1',
      client: '127.0.0.1',
      traceId: TRACE,
    });
    expect(Object.keys(line)).not.toContain('fault');
    const { time, totalMs, headMs } = line as { time: string; totalMs: number; headMs: number };
    expect(headMs).toBeGreaterThan(0);
    expect(totalMs).toBeGreaterThanOrEqual(headMs);
    expect(Date.parse(time)).toBeGreaterThanOrEqual(before - 1);
    expect(Date.parse(time)).toBeLessThanOrEqual(Date.now());
  });

  test('why a request went to its side', async () => {
    const file = logFile();
    const proxy = await logging(file, {
      old: [await answering(OK)],
      new: [await answering(OK)],
      route: { sticky: [{ kind: 'header', name: 'x-user' }] },
      table: { override: { name: 'x-side', secret: 'open sesame' } },
    });
    const client = await connect(proxy);
    await ask(client, GET);
    await ask(client, get('/', 'X-User: ann\r\n'));
    await ask(client, get('/', 'X-User: ann\r\nX-Side: new;open sesame\r\n'));
    const told = await lines(file, 3);
    expect(told.map(({ reason }) => reason)).toEqual(['weight', 'key', 'override']);
  });

  test('that the other side rescued it, and from what', async () => {
    const file = logFile();
    const origin = await answering(OK);
    const proxy = await logging(file, { old: [origin], new: [await freePort()], weightPpm: PPM });
    expect((await ask(await connect(proxy), GET)).status).toBe(200);
    expect(await lines(file, 1)).toMatchObject([
      { side: 'old', reason: 'rescue', attempts: 2, status: 200, fault: 'connectRefused' },
    ]);
  });

  test('no secret: neither query, nor field, nor a trace that is none', async () => {
    const file = logFile();
    const proxy = await logging(file, {
      old: [await answering(`HTTP/1.1 200 OK\r\nset-cookie: s=s3cret\r\ncontent-length: 2\r\n\r\nok`)],
      table: { override: { name: 'x-side', secret: 's3cret' } },
    });
    const fields = [
      'Authorization: Bearer s3cret',
      'Cookie: session=s3cret',
      'X-Side: old;s3cret',
      'Referer: http://a/?s3cret',
      'User-Agent: s3cret',
      'X-Forwarded-For: s3cret',
      'Traceparent: 00-s3cret',
      'Tracestate: vendor=s3cret',
    ];
    await ask(await connect(proxy), get('/a?token=s3cret', `${fields.join('\r\n')}\r\n`));
    await lines(file, 1);
    expect(readFileSync(file, 'utf8')).toContain('"path":"/a"');
    expect(readFileSync(file, 'utf8')).not.toContain('s3cret');
  });

  test('a request without a route, one that no backend took, and one whose client left', async () => {
    const file = logFile();
    const silent = await backend();
    const proxy = await logging(file, {
      old: [silent],
      new: [await freePort()],
      route: { match: { path: '/r/' }, rescue: { budget: 0, toNew: false, bodyBytes: 0 } },
    });
    await ask(await connect(proxy), get('/elsewhere'));
    const leaver = await connect(proxy, get('/r/'));
    await silent.asked();
    leaver.socket.resetAndDestroy();
    await lines(file, 2);
    proxy.weight(PPM, 2);
    await ask(await connect(proxy), get('/r/'));
    expect(await lines(file, 3)).toMatchObject([
      { route: null, side: null, reason: null, status: 404, attempts: 0, upstream: null, error: 'noRoute' },
      { route: 'r', side: 'old', status: null, attempts: 1, headMs: null, error: 'clientGone' },
      { route: 'r', side: 'new', revision: 2, status: 502, attempts: 1, fault: 'connectRefused' },
    ]);
  });

  test('a tunnel when it is over', async () => {
    const file = logFile();
    const origin = await backend(async (wire) => {
      await head(wire);
      wire.say('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
    });
    const proxy = await logging(file, { old: [origin] });
    const client = await connect(proxy, get('/ws', 'Connection: upgrade\r\nUpgrade: websocket\r\n'));
    await head(client);
    client.socket.end();
    origin.wires[0]?.socket.end();
    expect(await lines(file, 1)).toMatchObject([{ status: 101, path: '/ws', upstream: `127.0.0.1:${origin.port}` }]);
  });
});

/** Paths that are written of a hundred requests, by a source of chance that always says the same. */
async function sampled(): Promise<unknown[]> {
  const file = logFile();
  let state = 7;
  const random = (): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  const proxy = await logging(file, { old: [await answering(OK)], random, log: { samplePpm: PPM / 4 } });
  const client = await connect(proxy);
  client.say(Array.from({ length: 100 }, (_, i) => get(`/${i}`)).join(''));
  for (let i = 0; i < 100; i++) await message(client);
  await proxy.stop();
  return (await lines(file, 10)).map(({ path }) => path);
}

describe('which requests are written', () => {
  test('a sample that follows from the source of chance alone', async () => {
    const first = await sampled();
    expect(first.length).toBeLessThan(45);
    expect(await sampled()).toEqual(first);
  });

  test.each([
    [true, ['/fault', '/slow']],
    [false, ['/slow']],
  ])('of a sample of none, slow ones, and faults unless they are sampled too (%s)', async (allFaults, expected) => {
    const file = logFile();
    let isHeld = false;
    const origin = await backend(async (wire) => {
      for (;;) {
        const asked = await head(wire);
        isHeld = asked.includes('/slow');
        if (isHeld) await until('time to pass', () => proxy.skewMs > 0);
        wire.say(asked.includes('/fault') ? OK.replace('200', '500') : OK);
      }
    });
    const proxy = await logging(file, { old: [origin], log: { samplePpm: 0, slowMs: 3000, allFaults } });
    const client = await connect(proxy);
    await ask(client, get('/quick'));
    await ask(client, get('/fault'));
    client.say(get('/slow'));
    await until('the slow one', () => isHeld);
    proxy.skip(3000);
    await client.sees('200 OK');
    expect((await lines(file, expected.length)).map(({ path }) => path)).toEqual(expected);
  });
});

describe('the file', () => {
  test('a rotated one is left for the one that has its name after a reload', async () => {
    const file = logFile();
    const proxy = await logging(file, { old: [await answering(OK)] });
    const client = await connect(proxy);
    await ask(client, get('/first'));
    await lines(file, 1);
    renameSync(file, `${file}.1`);
    proxy.service.onMessage({ ...proxy.table, generation: 2 });
    await until('the new file', () => existsSync(file));
    await ask(client, get('/second'));
    expect((await lines(file, 1)).map(({ path }) => path)).toEqual(['/second']);
    expect((await lines(`${file}.1`, 1)).map(({ path }) => path)).toEqual(['/first']);
  });

  test('one that cannot be written costs lines, which are counted, and no request', async () => {
    const proxy = await logging('/dev/full', { old: [await answering(OK)] });
    const client = await connect(proxy);
    for (let i = 0; i < 5; i++) expect((await ask(client, GET)).status).toBe(200);
    await until('five lines', () => proxy.count(AT_LOG_DROPPED, 0, 1) === 5);
  });

  test('what waits at the end of a drain is written', async () => {
    const file = logFile();
    const origin = await answering(OK);
    const proxy = await logging(file, { old: [origin] });
    const client = await connect(proxy);
    for (let i = 0; i < 50; i++) await ask(client, get(`/${i}`));
    await proxy.stop();
    expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(51);
  });
});

describe('W3C trace context', () => {
  const STATE = 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE';

  test('several fields of tracestate stay several and in order, from HTTP/1.1 and HTTP/2', async () => {
    const seen: ReceivedMessage[] = [];
    const proxy = await plane({ old: [await answering(OK, seen)] });
    const states = ['rojo=1', 'congo=2,blue=3', '', 'z=4'];
    const fields = states.map((state) => `Tracestate: ${state}\r\n`).join('');
    await ask(await connect(proxy), get('/', `Traceparent: ${TRACEPARENT}\r\n${fields}`));
    const h2 = new Http2Client(`http://127.0.0.1:${proxy.port}`);
    await h2.ask({ ':path': '/', traceparent: TRACEPARENT, tracestate: states });
    expect(seen.map((request) => request.all('tracestate'))).toEqual([states, states]);
    expect(seen.map((request) => request.all('traceparent'))).toEqual([[TRACEPARENT], [TRACEPARENT]]);
  });

  test.each([
    [`00-${TRACE}-00f067aa0ba902b7-01`, TRACE],
    [`cc-${TRACE}-00f067aa0ba902b7-01`, TRACE],
    [`cc-${TRACE}-00f067aa0ba902b7-01-what-the-future-holds`, TRACE],
    [`00-${TRACE}-00f067aa0ba902b7-01-what-the-future-holds`, undefined],
    [`cc-${TRACE}-00f067aa0ba902b7-01.what`, undefined],
    [`ff-${TRACE}-00f067aa0ba902b7-01`, undefined],
    [`00-${'0'.repeat(32)}-00f067aa0ba902b7-01`, undefined],
    [`00-${TRACE}-${'0'.repeat(16)}-01`, undefined],
    [`00-${TRACE.toUpperCase()}-00f067aa0ba902b7-01`, undefined],
  ])('an id that is told is one of a valid traceparent: %s', async (traceparent, expected) => {
    const file = logFile();
    const seen: ReceivedMessage[] = [];
    const proxy = await logging(file, { old: [await answering(OK, seen)] });
    await ask(await connect(proxy), get('/', `Traceparent: ${traceparent}\r\n`));
    expect((await lines(file, 1))[0]?.['traceId']).toBe(expected);
    // Whatever it is, it passes.
    expect(seen[0]?.all('traceparent')).toEqual([traceparent]);
  });

  test('passes untouched, from HTTP/1.1 and HTTP/2', async () => {
    const seen: ReceivedMessage[] = [];
    const file = logFile();
    const proxy = await logging(file, { old: [await answering(OK, seen)] });
    await ask(await connect(proxy), get('/', `Traceparent: ${TRACEPARENT}\r\nTracestate: ${STATE}\r\n`));
    const h2 = new Http2Client(`http://127.0.0.1:${proxy.port}`);
    await h2.ask({ ':path': '/', traceparent: TRACEPARENT, tracestate: STATE });
    for (const request of seen) {
      expect(request.all('traceparent')).toEqual([TRACEPARENT]);
      expect(request.all('tracestate')).toEqual([STATE]);
    }
    const told = await lines(file, 2);
    expect(told).toMatchObject([
      { protocol: 'http1', traceId: TRACE },
      { protocol: 'h2', traceId: TRACE },
    ]);
  });
});
