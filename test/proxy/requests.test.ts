/** Request lines: every method, every form of a target, matched in one form and forwarded in the one that came. */
import { expect, test } from 'vitest';
import type { ReceivedMessage } from './message.ts';
import { answering, ask, connect, OK, ok, plane } from './scene.ts';

test.each(['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND', 'M-SEARCH', 'get', "!#$%&'*+-.^_`|~1"])(
  'the method %s reaches the backend as it is',
  async (method) => {
    const seen: ReceivedMessage[] = [];
    const proxy = await plane({ old: [await answering(OK, seen)] });
    expect((await ask(await connect(proxy), `${method} /a HTTP/1.1\r\nHost: a\r\n\r\n`)).status).toBe(200);
    expect(seen[0]?.startLine).toBe(`${method} /a HTTP/1.1`);
  },
);

test.each([
  ['/', '/'],
  ['/a?b=c&d', '/a?b=c&d'],
  ['/a/../b', '/a/../b'],
  ['//a//b', '//a//b'],
  ['/%41%2f%zz', '/%41%2f%zz'],
  ['/?', '/?'],
  ['http://a/x?y', '/x?y'],
  ['HTTPS://A/x', '/x'],
  ['http://a', '/'],
  ['http://a?y', '/?y'],
])('the target %s reaches the backend as %s', async (target, forwarded) => {
  const seen: ReceivedMessage[] = [];
  const proxy = await plane({ old: [await answering(OK, seen)] });
  await ask(await connect(proxy), `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
  expect(seen[0]?.startLine).toBe(`GET ${forwarded} HTTP/1.1`);
  expect(seen[0]?.all('host')).toEqual(['a']);
});

test.each([
  ['*', '*'],
  ['http://a', '*'],
  ['http://a/', '/'],
])('OPTIONS %s asks the backend about %s', async (target, forwarded) => {
  const seen: ReceivedMessage[] = [];
  const proxy = await plane({ old: [await answering(OK, seen)] });
  await ask(await connect(proxy), `OPTIONS ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
  expect(seen[0]?.startLine).toBe(`OPTIONS ${forwarded} HTTP/1.1`);
});

test('a path is matched normalised and forwarded untouched', async () => {
  const seen: ReceivedMessage[] = [];
  const proxy = await plane({ old: [await answering(OK, seen)], route: { match: { path: '/shop/' } } });
  const client = await connect(proxy);
  const get = (target: string) => ask(client, `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
  expect((await get('/x/../%73hop/%2E/a')).status).toBe(200);
  expect(seen[0]?.startLine).toBe('GET /x/../%73hop/%2E/a HTTP/1.1');
  expect((await get('/shop/../x')).status).toBe(404);
  expect((await get('/shop%2fa')).status).toBe(404);
  expect(seen).toHaveLength(1);
});

test('a host is matched without its port, its case and the root’s dot', async () => {
  const proxy = await plane({ old: [await answering(ok('matched'))], route: { match: { hosts: ['shop.example'] } } });
  const client = await connect(proxy);
  for (const host of ['shop.example', 'SHOP.example:8080', 'shop.example.', 'shop.example.:80']) {
    expect((await ask(client, `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)).body).toBe('matched');
  }
  const answer = await ask(client, 'GET / HTTP/1.1\r\nHost: other.example\r\n\r\n');
  expect([answer.status, answer.get('content-type')]).toEqual([404, 'application/problem+json']);
});
