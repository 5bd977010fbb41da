import { readFileSync } from 'node:fs';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { parseProxyHeader } from '../../src/proxy/proxy-protocol.ts';
import type { ListenerTls } from '../../src/seam.ts';
import { Plane, ScriptedBackend, shows, Wire } from './harness.ts';

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

const V2 = '\r\n\r\n\0\r\nQUIT\n';
const V4_BLOCK = '\x21\x11\x00\x0c\xcb\x00\x71\x07\x0a\x00\x00\x01\x11\x22\x00\x50';
const V6_BLOCK = `\x21\x21\x00\x24\x20\x01\x0d\xb8${'\0'.repeat(11)}\x07${'\0'.repeat(15)}\x01\x11\x22\x00\x50`;
const parse = (text: string) => parseProxyHeader(Buffer.from(text, 'latin1'));

describe('a PROXY header', () => {
  test.each([
    ['TCP4', 'PROXY TCP4 203.0.113.7 10.0.0.1 4660 80\r\n', '203.0.113.7'],
    ['TCP6', 'PROXY TCP6 2001:db8::7 ::1 4660 80\r\n', '2001:db8::7'],
    ['UNKNOWN', 'PROXY UNKNOWN\r\n', null],
    ['UNKNOWN with words', 'PROXY UNKNOWN a b c\r\n', null],
    ['version 2, IPv4', V2 + V4_BLOCK, '203.0.113.7'],
    ['version 2, IPv4, with an extension', `${V2}\x21\x11\x00\x10${V4_BLOCK.slice(4)}\x04\x00\x01x`, '203.0.113.7'],
    ['version 2, IPv6', V2 + V6_BLOCK, '2001:db8::7'],
    ['version 2, LOCAL', `${V2}\x20\x00\x00\x00`, null],
    ['version 2, unspecified family', `${V2}\x21\x00\x00\x00`, null],
  ])('of %s is read whole, and however it is cut', (_name, text, source) => {
    expect(parse(`${text}GET /`)).toEqual({ kind: 'header', length: text.length, source });
    for (let cut = 1; cut < text.length; cut++)
      expect(parse(text.slice(0, cut)), text.slice(0, cut)).toEqual({ kind: 'more' });
  });

  test.each([
    'PROXY TCP4 203.0.113.7 10.0.0.1 4660\r\n',
    'PROXY TCP4 203.0.113.777 10.0.0.1 4660 80\r\n',
    'PROXY TCP4 2001:db8::7 ::1 4660 80\r\n',
    'PROXY TCP4 203.0.113.7 10.0.0.1 4660 99999\r\n',
    'PROXY TCP5 203.0.113.7 10.0.0.1 4660 80\r\n',
    `PROXY TCP4 ${'1'.repeat(110)}`,
    `${V2}\x11\x11\x00\x0c`,
    `${V2}\x22\x11\x00\x0c`,
    `${V2}\x21\x11\x00\x04\0\0\0\0`,
    `${V2}\x21\x11\xff\xff`,
  ])('%j is malformed', (text) => {
    expect(parse(text)).toEqual({ kind: 'malformed' });
  });

  test.each(['GET / HTTP/1.1\r\n', 'P / HTTP/1.1\r\n', 'PROXY / HTTP/1.1\r\n', 'PROXY * HTTP/1.1\r\n', '\r\nGET /'])(
    '%j is none',
    (text) => {
      expect(parse(text)).toEqual({ kind: 'none' });
    },
  );
});

const GET = 'GET / HTTP/1.1\r\nHost: shop.example\r\nX-Forwarded-For: 192.0.2.99\r\nConnection: close\r\n\r\n';

async function scene(
  table: Partial<Plane['table']>,
  tls?: ListenerTls,
): Promise<{ origin: ScriptedBackend; proxy: Plane }> {
  const origin = await ScriptedBackend.answering('hello').listen();
  stops.push(() => origin.close());
  const proxy = await Plane.start({ old: [origin.port], table, ...(tls && { tls }) });
  stops.push(() => proxy.stop());
  return { origin, proxy };
}

test.each([
  ['version 1', 'PROXY TCP4 203.0.113.7 10.0.0.1 4660 80\r\n'],
  ['version 2', V2 + V4_BLOCK],
])(
  'a trusted peer names its client by %s, byte by byte, and the client is not trusted for it',
  async (_name, header) => {
    const { origin, proxy } = await scene({ trustedProxies: ['127.0.0.1'] });
    const client = await proxy.connect();
    for (const byte of header) client.say(byte);
    client.say(GET);
    expect(await client.isClosed()).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    const asked = (await origin.asked()).received;
    expect(asked).toContain('x-forwarded-for: 203.0.113.7\r\n');
    expect(asked).not.toContain('192.0.2.99');
  },
);

test('a trusted peer without a PROXY header is a proxy that forwards fields', async () => {
  const { origin, proxy } = await scene({ trustedProxies: ['127.0.0.1'] });
  expect(await proxy.ask(GET)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect((await origin.asked()).received).toContain('x-forwarded-for: 192.0.2.99, 127.0.0.1\r\n');
});

test('a peer that is not trusted is not believed: its PROXY header is no HTTP', async () => {
  const { origin, proxy } = await scene({});
  expect(await proxy.ask(`PROXY TCP4 203.0.113.7 10.0.0.1 4660 80\r\n${GET}`)).toMatch(/^HTTP\/1\.1 400 /);
  expect(origin.wires).toEqual([]);
});

test('a malformed PROXY header ends the connection without an answer', async () => {
  const { origin, proxy } = await scene({ trustedProxies: ['127.0.0.1'] });
  expect(await proxy.ask(`PROXY TCP4 nonsense\r\n${GET}`)).toBe('');
  expect(origin.wires).toEqual([]);
});

function pem(name: string): string {
  return readFileSync(fileURLToPath(new URL(`../fixtures/tls/${name}`, import.meta.url)), 'utf8');
}

test('the PROXY header of a secured connection stands before the handshake', async () => {
  const certificate = pem('localhost.crt');
  const tls = shows(certificate, pem('localhost.key'));
  const { origin, proxy } = await scene({ trustedProxies: ['127.0.0.1'] }, tls);
  const raw = await proxy.connect();
  raw.say('PROXY TCP4 203.0.113.7 10.0.0.1 4660 443\r\n');
  const client = new Wire(connectTls({ socket: raw.socket, rejectUnauthorized: false }));
  client.say(GET);
  expect(await client.sees('hello')).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  const asked = (await origin.asked()).received;
  expect(asked).toContain('x-forwarded-for: 203.0.113.7\r\n');
  expect(asked).toContain('x-forwarded-proto: https\r\n');
});
