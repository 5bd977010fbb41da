import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { run } from './harness.ts';

/** Servers that are not quite an admin API. */
const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const answering = (status: number, type: string, body: string) =>
  serve((_request, response) => response.writeHead(status, { 'content-type': type }).end(body));

test.each([
  [401, 2],
  [403, 2],
  [404, 2],
  [409, 2],
  [412, 3],
  [428, 2],
  [400, 64],
  [415, 64],
  [500, 1],
  [503, 4],
])('a problem of status %i exits with %i', async (status, exit) => {
  const body = JSON.stringify({ title: 'No', detail: 'because', status });
  const url = await answering(status, 'application/problem+json; charset=utf-8', body);
  expect(await run(['status', '--admin', url])).toEqual({ code: exit, out: '', err: 'crossfade: No: because' });
});

test('another server than Crossfade: 4', async () => {
  const url = await answering(200, 'text/html', '<h1>Welcome to nginx!</h1>');
  const { code, err } = await run(['history', '--admin', url]);
  expect({ code, err }).toEqual({
    code: 4,
    err: `crossfade: ${url} is not a Crossfade admin API: it answered 200 with text/html`,
  });
});

test.each([
  ['status', 200, '{}'],
  ['status', 200, '[]'],
  ['status', 200, '{"replicas": 3, "routes": {}}'],
  ['set search 5', 200, '{"name": "search"}'],
  ['ramp search --dry-run', 200, '{"routes": []}'],
  ['rollback --all', 200, '{"routes": 7}'],
  ['watch', 200, '{"replicas": []}'],
  ['doctor', 200, '{"status": "ok"}'],
  ['explain search', 200, 'null'],
  ['history', 200, '{"entries": null}'],
  ['status', 404, '{"kind": "Status", "code": 404}'],
  ['wait --timeout 1ms', 500, '"no"'],
])('%s at a server that speaks JSON but is no Crossfade (%i %s): 4, in a sentence', async (line, status, body) => {
  const url = await answering(status, 'application/json', body);
  const { code, out, err } = await run([...line.split(' '), '--admin', url]);
  expect({ code, out }).toEqual({ code: 4, out: '' });
  expect(err).toMatch(/^crossfade: http:\S+ is not a Crossfade admin API: it answered [^\n]+$/);
});

test('an answer broken off: 4', async () => {
  const url = await serve((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 });
    response.write('{"entries": [', () => response.destroy());
  });
  const { code, err } = await run(['history', '--admin', url]);
  expect(code).toBe(4);
  expect(err).toContain('broke off its answer');
});

test('a redirect is not followed, so that a token goes nowhere else', async () => {
  const asked: IncomingMessage[] = [];
  const other = await serve((request, response) => {
    asked.push(request);
    response.end();
  });
  const url = await serve((_request, response) => response.writeHead(307, { location: other }).end());
  expect((await run(['history', '--admin', url, '--token', 'secret'])).code).toBe(4);
  expect(asked).toEqual([]);
});

test('the token goes along, from --token or CROSSFADE_TOKEN', async () => {
  const seen: (string | undefined)[] = [];
  const url = await serve((request, response) => {
    seen.push(request.headers.authorization);
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"entries": []}');
  });
  await run(['history', '--admin', url]);
  await run(['history', '--admin', url], { CROSSFADE_TOKEN: 'from-env' });
  await run(['history', '--admin', url, '--token', 'given'], { CROSSFADE_TOKEN: 'from-env' });
  expect(seen).toEqual([undefined, 'Bearer from-env', 'Bearer given']);
});

test('a route name that needs escaping stays one path segment', async () => {
  let path: string | undefined;
  const url = await serve((request, response) => {
    path = request.url;
    response.writeHead(404, { 'content-type': 'application/problem+json' }).end('{"title": "No"}');
  });
  await run(['set', '../status?x', '1', '--admin', url]);
  expect(path).toBe('/v1/routes/..%2Fstatus%3Fx');
});
