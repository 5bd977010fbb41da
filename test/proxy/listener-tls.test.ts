/** What a listener shows to clients and asks of them: certificates by name, client certificates, and sessions that keep to what was asked. */
import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type ConnectionOptions, connect as dialTls, type TLSSocket } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ListenerTls } from '../../src/seam.ts';
import { type Plane, until, Wire } from './harness.ts';
import type { ReceivedMessage } from './message.ts';
import { answering, ask, GET, OK, plane } from './scene.ts';

const pem = (name: string): string => readFileSync(new URL(`../fixtures/tls/${name}`, import.meta.url), 'utf8');
const pair = (name: string) => ({ certificate: pem(`${name}.crt`), key: pem(`${name}.key`) });

const LOCALHOST = { ...pair('localhost'), names: ['localhost'] };
const SHOP = { ...pair('shop'), names: ['shop.example', '*.shop.example'] };
const RENEWED = { ...pair('renewed'), names: ['exact.shop.example'] };
const CLIENT = { cert: pem('client.crt'), key: pem('client.key') };
const STRANGER = { cert: pem('stranger.crt'), key: pem('stranger.key') };

type Version = 'TLSv1.2' | 'TLSv1.3';
const VERSIONS: Version[] = ['TLSv1.2', 'TLSv1.3'];

function asking(client: Partial<NonNullable<ListenerTls['client']>> | null): ListenerTls {
  const asked = { ca: pem('clients-ca.crt'), isRequired: true, isForwarded: true, ...client };
  return { certificates: [LOCALHOST, SHOP, RENEWED], client: client === null ? null : asked };
}

function dial(proxy: Plane, options: ConnectionOptions): TLSSocket {
  const socket = dialTls({ port: proxy.port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  return socket;
}

/** A secured connection. @throws the error with which it was refused */
async function secured(proxy: Plane, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = dial(proxy, options);
  await new Promise<void>((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  return socket;
}

/** The name in what a client that asks for this one is shown. */
async function shown(proxy: Plane, servername?: string): Promise<string> {
  const socket = await secured(proxy, servername === undefined ? {} : { servername });
  return socket.getPeerCertificate().fingerprint256;
}

const print = ({ certificate }: { certificate: string }): string => new X509Certificate(certificate).fingerprint256;

/** Whether a client is served at all. With TLS 1.3 a client learns only after its handshake that it is refused. */
async function isServed(proxy: Plane, options: ConnectionOptions): Promise<boolean> {
  const wire = new Wire(dial(proxy, options));
  wire.say(GET);
  await until('an answer or the end', () => wire.received !== '' || wire.closed || wire.ended);
  return wire.received.startsWith('HTTP/1.1 ');
}

/** The next table, with other TLS on the same listener. */
async function renew(proxy: Plane, generation: number, tls: ListenerTls): Promise<void> {
  const listeners = proxy.table.listeners.map((listener) => ({ ...listener, tls }));
  proxy.service.onMessage({ ...proxy.table, generation, listeners });
  proxy.service.onMessage({ kind: 'weights', generation, revision: generation, held: [], weights: [[0, 0, 0]] });
  await until('the listeners', () =>
    proxy.messages.some((told) => told.kind === 'listening' && told.generation === generation),
  );
}

test('a client is shown the certificate of the name that it asks for, exact before wildcard, or the first', async () => {
  const proxy = await plane({ tls: asking(null) });
  expect(await shown(proxy)).toBe(print(LOCALHOST));
  expect(await shown(proxy, 'localhost')).toBe(print(LOCALHOST));
  expect(await shown(proxy, 'elsewhere.example')).toBe(print(LOCALHOST));
  expect(await shown(proxy, 'SHOP.example')).toBe(print(SHOP));
  expect(await shown(proxy, 'a.shop.example')).toBe(print(SHOP));
  expect(await shown(proxy, 'a.b.shop.example')).toBe(print(LOCALHOST));
  expect(await shown(proxy, 'exact.shop.example')).toBe(print(RENEWED));
});

test('certificates come and go with a reload, and connections that are there stay', async () => {
  const proxy = await plane({ old: [await answering(OK)], tls: asking(null) });
  const client = new Wire(await secured(proxy, { servername: 'shop.example' }));
  await renew(proxy, 2, { certificates: [RENEWED], client: null });
  expect(await shown(proxy, 'shop.example')).toBe(print(RENEWED));
  await renew(proxy, 3, asking({}));
  expect(await isServed(proxy, {})).toBe(false);
  expect(await isServed(proxy, CLIENT)).toBe(true);
  await renew(proxy, 4, asking(null));
  expect(await isServed(proxy, {})).toBe(true);
  expect(await shown(proxy, 'shop.example')).toBe(print(SHOP));
  // The table has no endpoints any more; that it is answered is what counts.
  expect((await ask(client, GET)).status).toBe(503);
});

describe.each(VERSIONS)('a certificate of the client, by %s', (version) => {
  const by: ConnectionOptions = { minVersion: version, maxVersion: version };

  test('is required: a good one is served, none and a stranger’s are not', async () => {
    const proxy = await plane({ tls: asking({}) });
    expect(await isServed(proxy, { ...by, ...CLIENT })).toBe(true);
    expect(await isServed(proxy, { ...by, ...CLIENT, servername: 'shop.example' })).toBe(true);
    expect(await isServed(proxy, by)).toBe(false);
    expect(await isServed(proxy, { ...by, ...STRANGER })).toBe(false);
    expect(await isServed(proxy, { ...by, ...STRANGER, servername: 'shop.example' })).toBe(false);
  });

  test('is optional: a good one and none are served, a stranger’s is not', async () => {
    const proxy = await plane({ tls: asking({ isRequired: false }) });
    expect(await isServed(proxy, { ...by, ...CLIENT })).toBe(true);
    expect(await isServed(proxy, by)).toBe(true);
    expect(await isServed(proxy, { ...by, ...STRANGER })).toBe(false);
  });

  test('that was not asked for, or need not be shown, is not made up for by resuming a session', async () => {
    const required = await plane({ tls: asking({}) });
    for (const begun of [asking(null), asking({ isRequired: false })]) {
      const { session } = await resumable(await plane({ tls: begun }), by);
      expect(await isServed(required, { ...by, session })).toBe(false);
    }
    const { session } = await resumable(required, { ...by, ...CLIENT });
    const resumed = await secured(required, { ...by, session });
    expect(resumed.isSessionReused()).toBe(true);
    expect(await isServed(required, { ...by, session })).toBe(true);
  });
});

/** A session of a first connection, to be resumed. */
async function resumable(proxy: Plane, options: ConnectionOptions): Promise<{ session: Buffer }> {
  const socket = dial(proxy, options);
  socket.resume();
  const session = await new Promise<Buffer>((resolve, reject) => {
    socket.once('session', resolve).once('error', reject);
  });
  return { session };
}

describe('a backend', () => {
  const FIELD = 'x-forwarded-client-cert';
  const HASH = createHash('sha256').update(new X509Certificate(CLIENT.cert).raw).digest('hex');
  const ELEMENT = [
    `Hash=${HASH}`,
    String.raw`Subject="CN=svc-\C3\A4,O=Example \"A\"\, Inc,C=DE"`,
    'URI=spiffe://example.org/ns/a/sa/svc',
    'URI="urn:x;y"',
    'DNS=a.internal',
    'DNS=b.internal',
  ].join(';');
  const FORGED = `GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Client-Cert: Hash=forged\r\n\r\n`;

  async function told(tls: ListenerTls, options: ConnectionOptions, table = {}): Promise<(string | undefined)[]> {
    const seen: ReceivedMessage[] = [];
    const proxy = await plane({ old: [await answering(OK, seen)], tls, table });
    const client = new Wire(await secured(proxy, options));
    await ask(client, GET);
    await ask(client, FORGED);
    return seen.map((request) => request.get(FIELD));
  }

  test('is told of it in Envoy’s form, and of no other', async () => {
    expect(await told(asking({}), CLIENT)).toEqual([ELEMENT, ELEMENT]);
  });

  test('is told of it on a resumed connection as well', async () => {
    const proxy = await plane({ tls: asking({}) });
    const { session } = await resumable(proxy, CLIENT);
    expect(await told(asking({}), { session })).toEqual([ELEMENT, ELEMENT]);
  });

  test('is told nothing where it is not forwarded, where there is none, and where clients are not asked', async () => {
    const nothing = [undefined, undefined];
    expect(await told(asking({ isForwarded: false }), CLIENT)).toEqual(nothing);
    expect(await told(asking({ isRequired: false }), {})).toEqual(nothing);
    expect(await told(asking(null), CLIENT)).toEqual(nothing);
  });

  test('is told what a trusted proxy says, and its own certificate behind it', async () => {
    const trusted = { trustedProxies: ['127.0.0.1'] };
    expect(await told(asking(null), {}, trusted)).toEqual([undefined, 'Hash=forged']);
    expect(await told(asking({}), CLIENT, trusted)).toEqual([ELEMENT, `Hash=forged, ${ELEMENT}`]);
  });
});

test.each(VERSIONS)(
  'keys of tickets that are replaced cost a full handshake of %s, and nothing else',
  async (version) => {
    const by: ConnectionOptions = { minVersion: version, maxVersion: version, servername: 'shop.example' };
    const proxies = [await plane({ tls: asking(null) }), await plane({ tls: asking(null) })] as const;
    const { session } = await resumable(proxies[0], by);
    expect((await secured(proxies[1], { ...by, session })).isSessionReused()).toBe(true);
    const ticketKeys = new Uint8Array(48).fill(9);
    for (const proxy of proxies) proxy.service.onMessage({ kind: 'ticketKeys', ticketKeys });
    expect((await secured(proxies[1], { ...by, session })).isSessionReused()).toBe(false);
    const next = await resumable(proxies[0], by);
    expect((await secured(proxies[1], { ...by, ...next })).isSessionReused()).toBe(true);
  },
);
