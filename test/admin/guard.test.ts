import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createAdmin } from '../../src/admin/server.ts';
import { FakeControl } from './fake-control.ts';
import { type Admin, OPEN, startAdmin } from './harness.ts';

let control: FakeControl;
let admin: Admin;

beforeEach(async () => {
  control = new FakeControl('search');
  admin = await startAdmin(control);
});
afterEach(() => admin.close());

const raw = async (bytes: string): Promise<string> => {
  const socket = connect(admin.port, '127.0.0.1');
  socket.write(bytes);
  return text(socket);
};

describe('the Host must be loopback', () => {
  test.each(['localhost', 'LOCALHOST:1', '127.0.0.1', '127.9.8.7:9900', '[::1]', '[::1]:9900'])(
    '%s may',
    async (host) => {
      expect((await admin.send('GET', '/v1/status', { headers: { host } })).status).toBe(200);
    },
  );

  test.each([
    'evil.example',
    'evil.example:9900',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '10.0.0.1:9900',
    '0.0.0.0:9900',
    '[::2]:9900',
    'localhost:x',
    'localhost:1:2',
  ])('"%s" may not', async (host) => {
    for (const path of ['/v1/status', '/metrics', '/docs', '/docs/json', '/nowhere']) {
      const answer = await admin.send('GET', path, { headers: { host } });
      expect(answer.status).toBe(403);
      expect(answer.json()).toMatchObject({ code: 'foreignHost' });
    }
    const write = await admin.send('POST', '/v1/rollback', { headers: { host } });
    expect(write.status).toBe(403);
    expect(control.writes).toEqual([]);
  });

  test('also to ask for health: whoever keeps processes running here says localhost', async () => {
    for (const path of ['/healthz', '/readyz']) {
      expect((await admin.send('GET', path, { headers: { host: 'replica-1.example' } })).status).toBe(403);
      expect((await admin.send('GET', path)).status).toBe(200);
    }
  });
});

describe('Fetch Metadata', () => {
  test.each(['cross-site', 'same-site'])('a write of a page that is %s is refused, a read is not', async (site) => {
    const headers = { 'sec-fetch-site': site };
    const answer = await admin.send('POST', '/v1/rollback', { headers });
    expect(answer.json()).toMatchObject({ status: 403, code: 'foreignOrigin' });
    expect((await admin.send('GET', '/v1/status', { headers })).status).toBe(200);
  });

  test.each(['same-origin', 'none'])('a write that is %s is let through', async (site) => {
    expect((await admin.send('POST', '/v1/rollback', { headers: { 'sec-fetch-site': site } })).status).toBe(200);
  });
});

describe('a foreign Origin is refused', () => {
  test.each([
    'http://evil.example',
    'null',
    'http://localhost',
    'http://localhost:1',
    'https://evil.example:9900',
    'x',
  ])('%s may not', async (origin) => {
    const headers = { host: 'localhost:9900', origin };
    const answer = await admin.send('POST', '/v1/rollback', { headers });
    expect(answer.status).toBe(403);
    expect(answer.json()).toMatchObject({ code: 'foreignOrigin' });
    expect((await admin.send('GET', '/v1/status', { headers })).status).toBe(403);
    expect(control.writes).toEqual([]);
  });

  test('its own page may', async () => {
    const headers = { host: 'localhost:9900', origin: 'http://localhost:9900' };
    expect((await admin.send('POST', '/v1/rollback', { headers })).status).toBe(200);
    const standard = { host: 'localhost:80', origin: 'http://localhost' };
    expect((await admin.send('POST', '/v1/rollback', { headers: standard })).status).toBe(200);
  });

  test('a Host with an impossible port matches no Origin', async () => {
    const headers = { host: 'localhost:99999', origin: 'http://localhost:9900' };
    expect((await admin.send('GET', '/v1/status', { headers })).status).toBe(403);
  });
});

test.each(['0.0.0.0:9900', '10.0.0.1:9900', '[::]:9900', 'admin.example:9900'])(
  'does not open on %s without tokens',
  (address) => {
    expect(() => createAdmin(control, { version: '0.1.0', address, access: () => OPEN })).toThrow(
      `admin.address ${address} is not on loopback`,
    );
  },
);

describe('bytes on the wire', () => {
  test('what is not HTTP is answered with a problem and closed', async () => {
    const answer = await raw('GET /v1/status HTTP/1.1\r\nhost localhost\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('content-type: application/problem+json\r\n');
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({ status: 400, code: 'malformed' });
  });

  test.each(['GET /v1/status HTTP/1.1\r\nhost: \r\n', 'GET /v1/status HTTP/1.0\r\n'])(
    '%j names no Host: refused',
    async (head) => {
      const answer = await raw(`${head}connection: close\r\n\r\n`);
      expect(answer).toMatch(/^HTTP\/1\.1 403 /);
      expect(answer).toContain('"code":"foreignHost"');
    },
  );

  test('a head beyond all measure', async () => {
    const answer = await raw(`GET /v1/status HTTP/1.1\r\nhost: localhost\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({
      status: 431,
      code: 'headersTooLarge',
    });
  });
});
