/** Who may do what: every call against every kind of caller, and nothing of a token anywhere. */
import { createHash } from 'node:crypto';
import { get } from 'node:http';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Access } from '../../src/admin/access.ts';
import { createAdmin } from '../../src/admin/server.ts';
import { createLogger } from '../../src/telemetry/log.ts';
import { FakeControl } from './fake-control.ts';
import { type Admin, OPEN, startAdmin } from './harness.ts';

const TOKENS = { viewer: 'v-5f1c9a', operator: 'o-77ab02+/=', admin: 'a-9d40"!~' };
const sha256 = (token: string) => createHash('sha256').update(token, 'latin1').digest('hex');
const CLOSED: Access = {
  tokens: [
    { name: 'vera', role: 'viewer', sha256: sha256(TOKENS.viewer) },
    { name: 'otto', role: 'operator', sha256: sha256(TOKENS.operator) },
    { name: 'ada', role: 'admin', sha256: sha256(TOKENS.admin) },
  ],
  openMetrics: false,
};

const admins: Admin[] = [];
let control: FakeControl;
let logged: string;

beforeEach(() => {
  control = new FakeControl('search', 'cart');
  logged = '';
});
afterEach(async () => {
  for (const admin of admins.splice(0)) await admin.close();
});

async function start(access: Access | (() => Access), address = '0.0.0.0:9900'): Promise<Admin> {
  const sink = new Writable({
    write(chunk: Buffer, _encoding, callback) {
      logged += chunk.toString();
      callback();
    },
  });
  const logger = createLogger({ CROSSFADE_LOG: 'trace' }, sink);
  const current = typeof access === 'function' ? access : () => access;
  // Nobody listens there: whoever may ask is told so.
  const prometheus = { url: 'http://127.0.0.1:1' };
  const admin = await startAdmin(control, { access: current, address, logger, prometheus });
  admins.push(admin);
  return admin;
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

interface Call {
  readonly method: string;
  readonly path: string;
  readonly body?: object;
  readonly headers?: Record<string, string>;
}

const RAISE = { body: { weight: 5, reason: 'step' }, headers: { 'if-match': '*' } };
/** Every call of the API, with what a caller who may do it is answered, and the lowest role that may. */
const CALLS: readonly (Call & {
  readonly needs: 'nothing' | 'viewer' | 'operator' | 'admin';
  readonly done?: number;
})[] = [
  { method: 'GET', path: '/healthz', needs: 'nothing' },
  { method: 'GET', path: '/readyz', needs: 'nothing' },
  { method: 'GET', path: '/metrics', needs: 'viewer' },
  { method: 'GET', path: '/docs/json', needs: 'viewer' },
  { method: 'GET', path: '/docs', needs: 'viewer' },
  { method: 'GET', path: '/v1/status', needs: 'viewer' },
  { method: 'HEAD', path: '/v1/status', needs: 'viewer' },
  { method: 'GET', path: '/v1/routes', needs: 'viewer' },
  { method: 'GET', path: '/v1/routes/search', needs: 'viewer' },
  { method: 'GET', path: '/v1/history', needs: 'viewer' },
  { method: 'GET', path: '/v1/history?refused=true', needs: 'viewer' },
  { method: 'GET', path: '/v1/explain?route=search', needs: 'viewer' },
  { method: 'GET', path: '/v1/events', needs: 'viewer' },
  { method: 'GET', path: '/v1/live', needs: 'viewer' },
  { method: 'GET', path: '/v1/series?route=search', needs: 'viewer' },
  { method: 'GET', path: '/v1/routes/search/preview?weight=5', needs: 'viewer' },
  { method: 'GET', path: '/v1/prometheus/api/v1/query?query=up', needs: 'viewer', done: 502 },
  { method: 'GET', path: '/v1/prometheus/api/v1/query_range?query=up', needs: 'viewer', done: 502 },
  { method: 'HEAD', path: '/v1/prometheus/api/v1/query?query=up', needs: 'viewer', done: 502 },
  { method: 'HEAD', path: '/v1/prometheus/api/v1/query_range?query=up', needs: 'viewer', done: 502 },
  { method: 'GET', path: '/v1/session', needs: 'viewer' },
  { method: 'DELETE', path: '/v1/session', needs: 'viewer' },
  { method: 'POST', path: '/v1/session', body: { token: TOKENS.viewer }, needs: 'nothing' },
  { method: 'GET', path: '/v1/nowhere', needs: 'viewer', done: 404 },
  { method: 'PUT', path: '/v1/routes/search/weight', ...RAISE, needs: 'operator' },
  { method: 'POST', path: '/v1/routes/search/rollback', needs: 'operator' },
  { method: 'POST', path: '/v1/routes/search/rollback', body: { direct: true }, needs: 'operator' },
  { method: 'POST', path: '/v1/routes/search/ramp', body: { dryRun: true }, needs: 'operator' },
  { method: 'POST', path: '/v1/routes/search/step', needs: 'operator', done: 409 },
  { method: 'POST', path: '/v1/routes/search/pause', needs: 'operator', done: 409 },
  { method: 'POST', path: '/v1/routes/search/resume', body: { reason: 'mended' }, needs: 'operator', done: 428 },
  { method: 'POST', path: '/v1/routes/search/promote', needs: 'operator', done: 409 },
  { method: 'POST', path: '/v1/routes/search/freeze', needs: 'operator' },
  { method: 'POST', path: '/v1/routes/search/unfreeze', needs: 'operator' },
  { method: 'POST', path: '/v1/doctor', body: { route: 'search' }, needs: 'operator' },
  { method: 'POST', path: '/v1/rollback', needs: 'operator' },
  { method: 'POST', path: '/v1/rollback', body: { direct: true }, needs: 'operator' },
  { method: 'POST', path: '/v1/undo', body: { revision: 99 }, needs: 'operator', done: 404 },
  { method: 'POST', path: '/v1/adopt', body: { reason: 'lost' }, needs: 'admin' },
  // What no route takes tells a caller who may not even read nothing, and changes nothing.
  { method: 'DELETE', path: '/v1/routes/search', needs: 'admin', done: 405 },
  { method: 'POST', path: '/v1/status', needs: 'admin', done: 405 },
];

const ENDLESS = new Set(['/v1/events', '/v1/live']);

/** The status of the answer; the body of an endless one is not waited for. */
function statusOf(admin: Admin, { method, path, body, headers }: Call, more: Record<string, string>): Promise<number> {
  if (!ENDLESS.has(path))
    return admin.send(method, path, { body, headers: { ...headers, ...more } }).then(({ status }) => status);
  return new Promise((resolve, reject) => {
    const request = get({ host: '127.0.0.1', port: admin.port, path, headers: more, agent: false }, (response) => {
      resolve(response.statusCode ?? 0);
      request.destroy();
    });
    request.on('error', reject);
  });
}

const RANK = { nothing: 0, viewer: 1, operator: 2, admin: 3 };

/** What the call must be answered; `rank` is the caller's. */
function expected({ needs, done = 200 }: (typeof CALLS)[number], rank: number): number {
  if (RANK[needs] <= rank) return done;
  return rank === 0 ? 401 : 403;
}

const writes = (): number => control.writes.length;

describe('every call of the API', () => {
  const callers: [name: string, rank: number, headers: Record<string, string>][] = [
    ['no token', 0, {}],
    ['a wrong token', 0, bearer('v-5f1c9b')],
    ['a hash instead of its token', 0, bearer(sha256(TOKENS.admin))],
    ['a token by another scheme', 0, { authorization: `Basic ${TOKENS.admin}` }],
    ['two tokens in one', 0, bearer(`${TOKENS.admin} ${TOKENS.admin}`)],
    ['an empty token', 0, { authorization: 'Bearer ' }],
    ['a viewer', 1, bearer(TOKENS.viewer)],
    ['an operator', 2, bearer(TOKENS.operator)],
    ['an admin', 3, { authorization: `bearer   ${TOKENS.admin} ` }],
  ];

  test.each(callers)('with tokens, by %s', async (_name, rank, headers) => {
    const admin = await start(CLOSED);
    for (const call of CALLS) {
      const before = writes();
      const status = await statusOf(admin, call, { host: 'replica-1.example:9900', ...headers });
      expect(status, `${call.method} ${call.path}`).toBe(expected(call, rank));
      if (status === 401 || status === 403) expect(writes()).toBe(before);
    }
  });

  test('without tokens, from this machine: everything', async () => {
    const admin = await start(OPEN, '127.0.0.1:9900');
    for (const call of CALLS) {
      expect(await statusOf(admin, call, {}), `${call.method} ${call.path}`).toBe(expected(call, 3));
    }
    // A token that nothing asks for does no harm.
    expect(await statusOf(admin, CALLS[5] as Call, bearer('x'))).toBe(200);
    expect(control.writes.every(({ actor }) => actor === 'local')).toBe(true);
  });

  test('is in the table', async () => {
    const admin = await start(OPEN, '127.0.0.1:9900');
    const { paths } = (await admin.send('GET', '/docs/json')).json() as { paths: Record<string, object> };
    const described = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace('{route}', 'search')}`),
    );
    const tried = CALLS.map(({ method, path }) => `${method} ${path.replace(/\?.*/, '')}`);
    expect(described.filter((call) => !tried.includes(call))).toEqual([]);
  });
});

describe('an answer that says no', () => {
  test('401 tells how to call', async () => {
    const admin = await start(CLOSED);
    const without = await admin.send('GET', '/v1/status');
    expect(without.headers['www-authenticate']).toBe('Bearer realm="crossfade"');
    expect(without.json()).toMatchObject({ status: 401, code: 'unauthenticated', title: 'The call needs a token' });
    const wrong = await admin.send('GET', '/v1/status', { headers: bearer('wrong-one') });
    expect(wrong.headers['www-authenticate']).toBe('Bearer realm="crossfade", error="invalid_token"');
    expect(wrong.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(wrong.text).not.toContain('wrong-one');
  });

  test('403 names the role that it needs', async () => {
    const admin = await start(CLOSED);
    const answer = await admin.send('POST', '/v1/rollback', { headers: bearer(TOKENS.viewer) });
    expect(answer.json()).toMatchObject({
      status: 403,
      code: 'forbidden',
      detail: 'This needs the role operator; the token "vera" has viewer',
    });
  });
});

describe('Host and Origin', () => {
  const host = 'replica-1.example:9900';
  const matrix: [headers: Record<string, string>, token: boolean, read: number, write: number][] = [
    [{ host }, true, 200, 200],
    [{ host: '10.0.0.1:9900' }, true, 200, 200],
    [{ host: 'localhost:9900' }, true, 200, 200],
    [{ host, origin: `http://${host}` }, true, 200, 200],
    [{ host, origin: `https://${host}` }, true, 200, 200],
    [{ host, origin: 'http://evil.example' }, true, 200, 403],
    [{ host, origin: 'null' }, true, 200, 403],
    [{ host, origin: 'http://evil.example' }, false, 401, 401],
    [{ host: 'localhost:9900' }, false, 401, 401],
  ];

  test.each(matrix)('with tokens, %j, token %s: read %i, write %i', async (headers, token, read, write) => {
    const admin = await start(CLOSED);
    const all = token ? { ...headers, ...bearer(TOKENS.operator) } : headers;
    expect((await admin.send('GET', '/v1/status', { headers: all })).status).toBe(read);
    expect((await admin.send('POST', '/v1/rollback', { headers: all })).status).toBe(write);
    expect(control.writes).toHaveLength(write === 200 ? 1 : 0);
  });
});

describe('metrics', () => {
  test('are open when told so, under any name, and nothing else is', async () => {
    const admin = await start({ ...CLOSED, openMetrics: true });
    const headers = { host: 'replica-1.example' };
    expect((await admin.send('GET', '/metrics', { headers })).status).toBe(200);
    expect((await admin.send('GET', '/metrics', { headers: { ...headers, ...bearer('wrong') } })).status).toBe(200);
    expect((await admin.send('GET', '/v1/status', { headers })).status).toBe(401);
  });

  test('without tokens, only to this machine', async () => {
    const admin = await start({ ...OPEN, openMetrics: true }, '127.0.0.1:9900');
    expect((await admin.send('GET', '/metrics', { headers: { host: 'replica-1.example' } })).status).toBe(403);
  });
});

describe('who did it', () => {
  test('the token by its name, in the history and in the reason', async () => {
    const admin = await start(CLOSED);
    await admin.send('POST', '/v1/rollback', { headers: bearer(TOKENS.operator) });
    await admin.send('POST', '/v1/routes/cart/freeze', { headers: bearer(TOKENS.admin), body: { reason: 'holidays' } });
    expect(control.writes).toMatchObject([
      { actor: 'otto', reason: 'rollback by otto' },
      { actor: 'ada', reason: 'holidays' },
    ]);
  });
});

async function refusals(admin: Admin, query = ''): Promise<Record<string, unknown>[]> {
  const answer = await admin.send('GET', `/v1/history?refused=true${query}`, { headers: bearer(TOKENS.viewer) });
  return (answer.json() as { refusals: Record<string, unknown>[] }).refusals;
}

describe('a refused write', () => {
  test('is recorded with who, what, where and why; refused reads and bad requests are not', async () => {
    const admin = await start(CLOSED);
    const operator = { headers: bearer(TOKENS.operator) };
    await admin.send('POST', '/v1/rollback');
    await admin.send('POST', '/v1/routes/search/rollback', { headers: bearer('wrong') });
    await admin.send('POST', '/v1/routes/search/freeze', { headers: bearer(TOKENS.viewer) });
    await admin.send('POST', '/v1/adopt', { ...operator, body: { reason: 'x' } });
    await admin.send('POST', '/v1/rollback', { headers: { ...operator.headers, origin: 'http://evil.example' } });
    await admin.send('PUT', '/v1/routes/search/weight', { ...operator, body: { weight: 5, reason: 'x' } });
    await admin.send('PUT', '/v1/routes/search/weight', {
      body: { weight: 5, reason: 'x' },
      headers: { ...operator.headers, 'if-match': '"7"' },
    });
    await admin.send('POST', '/v1/undo', { ...operator, body: { revision: 1 } });
    await admin.send('GET', '/v1/status');
    await admin.send('POST', '/v1/undo', { ...operator, body: { revision: 99 } });
    await admin.send('POST', '/v1/undo', { ...operator, body: {} });
    const list = await refusals(admin);
    expect(list.map(({ actor, verb, route, code }) => [actor, verb, route, code]).toReversed()).toEqual([
      ['unknown', 'rollback', null, 'unauthenticated'],
      ['unknown', 'rollback', 'search', 'unauthenticated'],
      ['vera', 'freeze', 'search', 'forbidden'],
      ['otto', 'adopt', null, 'forbidden'],
      ['otto', 'rollback', null, 'foreignOrigin'],
      ['otto', 'set', 'search', 'preconditionRequired'],
      ['otto', 'set', 'search', 'stale'],
      ['otto', 'undo', null, 'conflict'],
    ]);
    expect(list[0]).toMatchObject({ reason: expect.stringContaining('cannot be undone'), omitted: 0 });
    expect(Math.abs(Date.now() - Number(list[0]?.['at']))).toBeLessThan(60_000);
    expect(await refusals(admin, '&limit=1')).toEqual([list[0]]);
    expect(await refusals(admin, '&route=search')).toHaveLength(4);
    expect(control.eventsSince(0).filter(({ type }) => type === 'refused')).toHaveLength(8);
    expect(control.writes.filter(({ actor }) => actor !== 'otto')).toEqual([]);
  });

  test('cannot flood: a caller is told 20 times a second, the rest is counted', async () => {
    const admin = await start(CLOSED);
    for (let i = 0; i < 60; i++) await admin.send('POST', '/v1/rollback');
    await admin.send('POST', '/v1/rollback', { headers: bearer(TOKENS.viewer) });
    const list = await refusals(admin);
    const untold = 60 - list.filter(({ actor }) => actor === 'unknown').length;
    expect(untold).toBeGreaterThan(0);
    expect(list.filter(({ actor }) => actor === 'vera')).toHaveLength(1);
    await vi.waitUntil(
      async () => {
        await admin.send('POST', '/v1/rollback');
        const [last] = await refusals(admin, '&limit=1');
        return Number(last?.['omitted']) > 0;
      },
      { timeout: 10_000, interval: 100 },
    );
  });

  test('of a name without end is cut', async () => {
    const admin = await start(CLOSED);
    await admin.send('POST', `/v1/routes/${'x'.repeat(5_000)}/rollback`);
    const [last] = await refusals(admin);
    expect(last?.['route']).toBe(`${'x'.repeat(300)}…`);
  });
});

describe('tokens that change while the server runs', () => {
  test('count from the next call on', async () => {
    let access = CLOSED;
    const admin = await start(() => access);
    const status = async () => (await admin.send('GET', '/v1/status', { headers: bearer(TOKENS.viewer) })).status;
    expect(await status()).toBe(200);
    access = { ...CLOSED, tokens: CLOSED.tokens.slice(1) };
    expect(await status()).toBe(401);
    access = CLOSED;
    expect(await status()).toBe(200);
  });

  test('a stream of events ends with its token', async () => {
    let access = CLOSED;
    const admin = await start(() => access);
    let received = '';
    let ended = false;
    const request = get(
      { host: '127.0.0.1', port: admin.port, path: '/v1/events', headers: bearer(TOKENS.viewer), agent: false },
      (response) => {
        response.on('data', (chunk: Buffer) => {
          received += chunk.toString();
        });
        response.on('close', () => {
          ended = true;
        });
      },
    );
    try {
      await vi.waitUntil(() => received.includes('connected'), { timeout: 10_000 });
      control.emit({ type: 'config', ok: true, detail: 'one' });
      await vi.waitUntil(() => received.includes('"one"'), { timeout: 10_000 });
      access = { ...CLOSED, tokens: CLOSED.tokens.slice(1) };
      control.emit({ type: 'config', ok: true, detail: 'two' });
      await vi.waitUntil(() => ended, { timeout: 10_000 });
      expect(received).not.toContain('"two"');
    } finally {
      request.destroy();
    }
  });
});

test('no token is ever in an answer, an event, the history or the log', async () => {
  const admin = await start(CLOSED);
  const wrong = 'wrong-0123456789';
  const answers: string[] = [];
  for (const token of [...Object.values(TOKENS), wrong]) {
    for (const { method, path, body, headers } of CALLS.filter(({ path: each }) => !ENDLESS.has(each))) {
      const all = { ...headers, ...bearer(token) };
      const answer = await admin.send(method, path, { body, headers: all });
      answers.push(answer.text, JSON.stringify(answer.headers));
    }
    // What is wrong with the request is no reason to repeat it.
    for (const body of ['{"x', '[]']) {
      answers.push((await admin.send('POST', '/v1/rollback', { body, headers: bearer(token) })).text);
    }
  }
  const told = [...answers, JSON.stringify(control.eventsSince(0)), JSON.stringify(control.writes), logged].join('\n');
  expect(told).toContain('unauthenticated');
  for (const token of [...Object.values(TOKENS), wrong]) expect(told).not.toContain(token);
  for (const { sha256: hash } of CLOSED.tokens) expect(told).not.toContain(hash);
});

test.each(['0.0.0.0:9900', '[::]:9900', 'admin.example:9900'])('opens on %s with tokens, not without', (address) => {
  const options = { version: '0.1.0', address };
  expect(() => createAdmin(control, { ...options, access: () => CLOSED })).not.toThrow();
  expect(() => createAdmin(control, { ...options, access: () => OPEN })).toThrow('is not on loopback');
});
