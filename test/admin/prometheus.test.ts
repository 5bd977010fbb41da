/** Asking Prometheus through the admin port: what goes there, what comes back, and what does neither. */
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeControl } from './fake-control.ts';
import { type Admin, startAdmin } from './harness.ts';

const CALL = '/v1/prometheus/api/v1/query_range?query=up&start=1&end=2&step=1';
const DONE = '{"status":"success","data":{"resultType":"matrix","result":[]}}';

let asked: IncomingMessage[];
const fixture = (name: string): string => readFileSync(new URL(`../fixtures/tls/${name}`, import.meta.url), 'utf8');
const servers: Server[] = [];
const admins: Admin[] = [];
beforeEach(() => {
  asked = [];
});
afterEach(async () => {
  for (const admin of admins.splice(0)) await admin.close();
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const json =
  (status: number, body: string): Answer =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', 'set-cookie': 'a=b', 'x-inner': '10.0.0.7' });
    response.end(body);
  };

const away: Answer = (_request, response) => {
  response.writeHead(302, { location: 'http://10.0.0.7/login' }).end();
};

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function behind(answer: Answer, path = ''): Promise<Admin> {
  const server = createServer((request, response) => {
    asked.push(request);
    answer(request, response);
  });
  return start({ url: `http://127.0.0.1:${await listen(server)}${path}`, token: 's3cret' });
}

async function start(prometheus: { url: string; token?: string; ca?: string }): Promise<Admin> {
  const admin = await startAdmin(new FakeControl('search'), { prometheus });
  admins.push(admin);
  return admin;
}

describe('a query', () => {
  test.each(['', '/', '/prometheus', '/prometheus/'])(
    'goes below the path %j of the URL, with its query',
    async (path) => {
      const admin = await behind(json(200, DONE), path);
      const answer = await admin.send('GET', CALL);
      expect([answer.status, answer.text]).toEqual([200, DONE]);
      const below = path.replace(/\/$/, '');
      expect(asked.map(({ method, url }) => `${method} ${url}`)).toEqual([
        `GET ${below}/api/v1/query_range?query=up&start=1&end=2&step=1`,
      ]);
    },
  );

  test('takes nothing of the caller along, and brings no field back but of the body', async () => {
    const admin = await behind(json(200, DONE));
    const headers = {
      authorization: 'Bearer mine',
      cookie: 'crossfade_session=mine',
      'x-forwarded-for': '10.0.0.9',
      'x-other': 'mine',
    };
    const answer = await admin.send('GET', CALL, { headers });
    const [request] = asked;
    expect(request?.headers.authorization).toBe('Bearer s3cret');
    expect(JSON.stringify(request?.rawHeaders)).not.toContain('mine');
    expect(JSON.stringify(request?.rawHeaders)).not.toContain('10.0.0.9');
    expect(answer.headers).not.toHaveProperty('set-cookie');
    expect(answer.headers).not.toHaveProperty('x-inner');
    expect(answer.headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
  });

  test('that Prometheus refuses is refused in its own words', async () => {
    const body = '{"status":"error","errorType":"bad_data","error":"parse error"}';
    const answer = await (await behind(json(400, body))).send('GET', CALL);
    expect([answer.status, answer.text]).toEqual([400, body]);
  });
});

describe('nothing else is asked', () => {
  test.each([
    ['POST', CALL, 405],
    ['DELETE', CALL, 405],
    ['GET', '/v1/prometheus/api/v1/series?match[]=up', 404],
    ['GET', '/v1/prometheus/api/v1/admin/tsdb/snapshot', 404],
    ['GET', '/v1/prometheus/api/v1/query/../admin/tsdb/snapshot?query=up', 404],
    ['GET', '/v1/prometheus/api/v1/query/%2e%2e/status/config?query=up', 404],
    ['GET', '/v1/prometheus/api/v1/query%2f..%2fstatus%2fconfig?query=up', 404],
    ['GET', '/v1/prometheus/-/reload', 404],
    ['GET', '/v1/prometheus/api/v1/query', 400],
    ['GET', `${CALL}&query=down`, 400],
    ['GET', `${CALL}&other=1`, 400],
  ])('%s %s: %i', async (method, path, status) => {
    const admin = await behind(json(200, DONE));
    const answer = await admin.send(method, path);
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(asked).toEqual([]);
  });

  test('without Prometheus in the configuration nothing is there', async () => {
    const admin = await startAdmin(new FakeControl('search'));
    admins.push(admin);
    expect((await admin.send('GET', CALL)).status).toBe(404);
  });
});

describe('is 502, and tells nothing of what is inside', () => {
  const page = '<html>10.0.0.7</html>';
  const html: Answer = (_request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end(page);
  test.each<[string, Answer]>([
    ['a page', html],
    ['a redirect', away],
    ['a token that it does not take', json(401, '{"error":"10.0.0.7"}')],
    ['a failure of its own', json(500, '{"error":"10.0.0.7"}')],
    ['a connection that breaks, asked once', ({ socket }) => socket.destroy()],
  ])('%s', async (_name, answer) => {
    const admin = await behind(answer);
    const told = await admin.send('GET', CALL);
    const { status, text, headers } = told;
    expect(status).toBe(502);
    expect(headers['content-type']).toContain('application/problem+json');
    expect(headers).not.toHaveProperty('location');
    expect(told.json()).toMatchObject({ code: 'prometheusAway' });
    expect(text).not.toMatch(/10\.0\.0\.7|127\.0\.0\.1|s3cret/);
    expect(asked).toHaveLength(1);
  });
});

test('its certificate is verified: by the authority that is configured, and by no other', async () => {
  const server = createTlsServer({ cert: fixture('localhost.crt'), key: fixture('localhost.key') }, json(200, DONE));
  const url = `https://localhost:${await listen(server)}`;
  expect((await (await start({ url, ca: fixture('localhost.crt') })).send('GET', CALL)).status).toBe(200);
  expect((await (await start({ url, ca: fixture('renewed.crt') })).send('GET', CALL)).status).toBe(502);
  expect((await (await start({ url })).send('GET', CALL)).status).toBe(502);
});
