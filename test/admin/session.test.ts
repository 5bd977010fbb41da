/** A browser's way in: a token shown once, a cookie from then on, and no other site that could use it. */
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Access } from '../../src/admin/access.ts';
import { Sessions } from '../../src/admin/sessions.ts';
import { FakeControl } from './fake-control.ts';
import { type Admin, startAdmin } from './harness.ts';

const TOKEN = 'o-77ab02';
const sha256 = (token: string) => createHash('sha256').update(token).digest('hex');
const OTTO = { name: 'otto', role: 'operator', sha256: sha256(TOKEN) } as const;
const HOST = 'edge.example:9900';
const HERE = { host: HOST, origin: `http://${HOST}` };

let access: Access;
let admin: Admin;

beforeEach(async () => {
  access = { tokens: [OTTO], openMetrics: false };
  admin = await startAdmin(new FakeControl('search'), { access: () => access, address: '0.0.0.0:9900' });
});
afterEach(() => admin.close());

async function login(headers: Record<string, string> = HERE): Promise<string> {
  const answer = await admin.send('POST', '/v1/session', { body: { token: TOKEN }, headers });
  expect(answer.status).toBe(200);
  expect(answer.json()).toEqual({ name: 'otto', role: 'operator', canLeave: true });
  return String(answer.headers['set-cookie']);
}

const cookieOf = (setCookie: string) => ({ cookie: `theme=dark; ${setCookie.split(';')[0]}` });

describe('a session', () => {
  test('keeps its secret from scripts and from other sites', async () => {
    const cookie = await login();
    expect(cookie).toMatch(/^crossfade_session=[\w-]{32}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200$/);
    expect(await login({ host: HOST, origin: `https://${HOST}` })).toMatch(/; Secure$/);
  });

  test('reads and writes in the name of its token', async () => {
    const cookie = cookieOf(await login());
    expect((await admin.send('GET', '/v1/session', { headers: { ...cookie, host: HOST } })).json()).toMatchObject({
      name: 'otto',
    });
    const answer = await admin.send('POST', '/v1/rollback', { body: {}, headers: { ...HERE, ...cookie } });
    expect(answer.status).toBe(200);
  });

  test.each([
    ['no Origin', { host: HOST }],
    ['the Origin of another site', { host: HOST, origin: 'https://evil.example' }],
    ['an opaque Origin', { host: HOST, origin: 'null' }],
  ])('writes nothing with %s', async (_name, headers) => {
    const cookie = cookieOf(await login());
    const answer = await admin.send('POST', '/v1/rollback', { body: {}, headers: { ...headers, ...cookie } });
    expect([answer.status, answer.json()]).toEqual([403, expect.objectContaining({ code: 'foreignOrigin' })]);
  });

  test('is not opened from another site', async () => {
    const headers = { host: HOST, origin: 'https://evil.example' };
    expect((await admin.send('POST', '/v1/session', { body: { token: TOKEN }, headers })).status).toBe(403);
  });

  test('is not opened with a wrong token, and that is recorded', async () => {
    const answer = await admin.send('POST', '/v1/session', { body: { token: 'o-77ab03' }, headers: HERE });
    expect([answer.status, answer.headers['set-cookie']]).toEqual([401, undefined]);
    const refused = await admin.send('GET', '/v1/history?refused=true', {
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    expect(refused.json()).toMatchObject({ refusals: [{ actor: 'unknown', verb: 'login', code: 'unauthenticated' }] });
  });

  test('ends when its user leaves', async () => {
    const cookie = cookieOf(await login());
    const left = await admin.send('DELETE', '/v1/session', { headers: { ...HERE, ...cookie } });
    expect(String(left.headers['set-cookie'])).toContain('Max-Age=0');
    expect((await admin.send('GET', '/v1/status', { headers: { ...cookie, host: HOST } })).status).toBe(401);
  });

  test('ends when its token is taken away', async () => {
    const cookie = cookieOf(await login());
    access = { tokens: [{ ...OTTO, sha256: sha256('another') }], openMetrics: false };
    expect((await admin.send('GET', '/v1/status', { headers: { ...cookie, host: HOST } })).status).toBe(401);
  });

  test('ends after twelve hours, and the oldest gives way to the thousandth', () => {
    let now = 0;
    const sessions = new Sessions(() => now);
    const first = `crossfade_session=${sessions.open(TOKEN)}`;
    now = 12 * 3_600_000;
    expect(sessions.caller(first, access)?.name).toBe('otto');
    now += 1;
    expect(sessions.caller(first, access)).toBeUndefined();
    const second = `crossfade_session=${sessions.open(TOKEN)}`;
    for (let i = 0; i < 999; i++) sessions.open(TOKEN);
    expect(sessions.caller(second, access)?.name).toBe('otto');
    sessions.open(TOKEN);
    expect(sessions.caller(second, access)).toBeUndefined();
  });
});

test('where no tokens are configured nothing has to be shown', async () => {
  access = { tokens: [], openMetrics: false };
  const answer = await admin.send('GET', '/v1/session', { headers: { host: 'localhost' } });
  expect(answer.json()).toEqual({ name: 'local', role: 'admin', canLeave: false });
});
