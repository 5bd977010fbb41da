/** Sessions to a backend that speaks HTTP/2 are replaced by their age and by the resets sent on them, under load and at nobody's cost. */
import { once } from 'node:events';
import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { AT_FAULTS } from '../../src/domain/counts.ts';
import { FAULT_KINDS } from '../../src/domain/errors.ts';
import { type Plane, until } from './harness.ts';
import { type Answer, Http2Client } from './http2-client.ts';
import { plane } from './scene.ts';

const MINUTE = 60_000;
/** Requests that are under way all the time. */
const AT_ONCE = 20;
const H2 = { backends: ['old', 'new'].map((name) => ({ name, connections: 0, protocol: 'h2' as const })) };
/** The clock jumps by half an hour: nothing but a session's age may come of that. */
const PATIENT = { connectMs: 0, requestHeadMs: 0, responseHeadMs: 0, idleMs: 0, totalMs: 0 };

interface Session {
  streams: number;
  /** Of these, those that are never answered. */
  hanging: number;
  resets: number;
  closed: boolean;
  /** Streams that were open when it ended. */
  cut: number;
}

/** Answers each request a little later; `/late` when it is let go on, `/hang` never. */
async function origin(): Promise<{ port: number; sessions: Session[]; late: ServerHttp2Stream[] }> {
  const sessions: Session[] = [];
  const late: ServerHttp2Stream[] = [];
  const bySession = new Map<ServerHttp2Session, Session>();
  const server: Http2Server = createServer({ settings: { maxConcurrentStreams: 1_000 } });
  server.on('session', (session) => {
    const seen = { streams: 0, hanging: 0, resets: 0, closed: false, cut: 0 };
    sessions.push(seen);
    bySession.set(session, seen);
    session.on('error', () => undefined);
    session.on('close', () => {
      seen.closed = true;
    });
  });
  server.on('stream', (stream, fields) => {
    const seen = bySession.get(stream.session as ServerHttp2Session) as Session;
    seen.streams++;
    if (fields[':path'] === '/hang') seen.hanging++;
    stream.on('error', () => undefined);
    stream.on('close', () => {
      if (stream.rstCode !== 0) seen.resets++;
      if (fields[':path'] !== '/hang' && stream.rstCode !== 0) seen.cut++;
    });
    if (fields[':path'] === '/late') late.push(stream);
    else if (fields[':path'] !== '/hang') answerSoon(stream);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    for (const session of bySession.keys()) session.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, sessions, late };
}

function answerSoon(stream: ServerHttp2Stream): void {
  setImmediate(() => {
    if (stream.destroyed) return;
    stream.respond({ ':status': 200 });
    stream.end('ok');
  });
}

/** Asks without a pause until it is stopped. */
class Load {
  readonly answers: Answer[] = [];
  #isOver = false;
  readonly #runs: Promise<void>[];

  constructor(client: Http2Client) {
    this.#runs = Array.from({ length: AT_ONCE }, () => this.#run(client));
  }

  async #run(client: Http2Client): Promise<void> {
    while (!this.#isOver) this.answers.push(await client.ask({ ':path': '/' }));
  }

  /** Another so many have been answered. */
  async goesOn(count: number): Promise<void> {
    const before = this.answers.length;
    await until(`${count} more answers`, () => this.answers.length >= before + count, 10_000);
  }

  /** All that was asked has been answered well. */
  async ends(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#runs);
    const bad = this.answers.filter(({ status, body, reset }) => status !== 200 || body !== 'ok' || reset !== 0);
    expect(bad).toEqual([]);
  }
}

function faults(proxy: Plane): number {
  return FAULT_KINDS.reduce((sum, _, kind) => sum + proxy.count(AT_FAULTS + kind), 0);
}

async function loaded(random: () => number) {
  const { port, sessions, late } = await origin();
  const proxy = await plane({ old: [port], random, timeouts: PATIENT, table: { ...H2, requestHeadMs: 0, idleMs: 0 } });
  const client = new Http2Client(`http://127.0.0.1:${proxy.port}`);
  const load = new Load(client);
  await load.goesOn(AT_ONCE);
  return { sessions, late, proxy, client, load };
}

test('a session of half an hour is replaced: what it carries ends well, and what comes goes to the next', async () => {
  const { sessions, late, proxy, client, load } = await loaded(() => 0);
  const slow = client.open({ ':path': '/late' });
  await until('its way', () => late.length === 1);
  proxy.skip(31 * MINUTE);
  await until('the next session', () => sessions.length === 2);
  await load.goesOn(200);
  expect(sessions.map(({ closed }) => closed)).toEqual([false, false]);
  answerSoon(late[0] as ServerHttp2Stream);
  expect(await slow.answer()).toMatchObject({ status: 200, body: 'ok', reset: 0 });
  await until('the end of the first', () => sessions[0]?.closed === true);
  await load.goesOn(200);
  expect(sessions[0]).toMatchObject({ resets: 0, cut: 0 });
  expect(sessions[1]?.closed).toBe(false);
  await load.ends();
  expect(faults(proxy)).toBe(0);
});

test('chance spreads the ages by ten minutes, so that the sessions of a fleet do not go together', async () => {
  const { sessions, late, proxy, client, load } = await loaded(() => 0.999);
  client.open({ ':path': '/late' });
  await until('its way', () => late.length === 1);
  // The request under way keeps the jump from looking like a long rest.
  proxy.skip(39 * MINUTE);
  await load.goesOn(500);
  expect(sessions).toHaveLength(1);
  answerSoon(late[0] as ServerHttp2Stream);
  await load.ends();
});

test('a long stream is not cut by the age of its session, and the session ends behind it', async () => {
  const { sessions, proxy, client, load } = await loaded(() => 0);
  const long = client.open({ ':path': '/hang' });
  await until('its way', () => total(sessions, 'hanging') === 1);
  proxy.skip(31 * MINUTE);
  await until('the next session', () => sessions.length === 2);
  await load.goesOn(200);
  expect([sessions[0]?.closed, long.reset]).toEqual([false, -1]);
  long.stream.close(8);
  await until('the end of the first', () => sessions[0]?.closed === true);
  expect(sessions[0]).toMatchObject({ resets: 1, cut: 0 });
  await load.ends();
});

test('a session with 400 resets is replaced before its server takes them for an attack', async () => {
  const { sessions, proxy, client, load } = await loaded(() => 0);
  for (let cancelled = 0; cancelled < 450; cancelled += 10) {
    const calls = Array.from({ length: 10 }, () => client.open({ ':path': '/hang' }));
    await until('their way', () => total(sessions, 'hanging') >= cancelled + 10);
    for (const { stream } of calls) stream.close(8);
    await until('their end', () => total(sessions, 'resets') >= cancelled + 10);
  }
  await until('the end of the first', () => sessions[0]?.closed === true);
  await load.goesOn(200);
  await load.ends();
  expect(sessions).toHaveLength(2);
  expect(sessions.map(({ cut }) => cut)).toEqual([0, 0]);
  // The 400th retires it; those that were on it then may be cancelled, too.
  expect(sessions[0]?.resets).toBeGreaterThanOrEqual(400);
  expect(sessions[0]?.resets).toBeLessThan(420);
  expect(total(sessions, 'resets')).toBe(450);
  expect(faults(proxy)).toBe(0);
});

function total(sessions: readonly Session[], what: 'hanging' | 'resets'): number {
  return sessions.reduce((sum, session) => sum + session[what], 0);
}
