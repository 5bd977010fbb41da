import { readFileSync } from 'node:fs';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { AT_INFLIGHT, AT_REQUESTS, CODE_CLASSES, codeClass, PROTOCOLS } from '../../src/domain/counts.ts';
import { PPM } from '../../src/domain/route.ts';
import { Plane, type PlaneOptions, ScriptedBackend, shows, until, Wire } from './harness.ts';

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

async function backend(onWire?: (wire: Wire) => void): Promise<ScriptedBackend> {
  const made = new ScriptedBackend(onWire);
  stops.push(() => made.close());
  return made.listen();
}

async function plane(options: PlaneOptions): Promise<Plane> {
  const started = await Plane.start(options);
  stops.push(() => started.stop());
  return started;
}

const UPGRADE = 'Connection: Upgrade\r\nUpgrade: websocket\r\n';
const KEY = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n';
const HANDSHAKE = `GET /chat HTTP/1.1\r\nHost: a\r\n${UPGRADE}${KEY}Sec-WebSocket-Protocol: chat, superchat\r\n\r\n`;
const ACCEPTED =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n\r\n';
/** Cell of handshakes that became tunnels. */
const TUNNELS = AT_REQUESTS + PROTOCOLS.indexOf('websocket') * CODE_CLASSES.length + codeClass(101);

interface Ends {
  readonly client: Wire;
  readonly origin: Wire;
  readonly proxy: Plane;
  readonly server: ScriptedBackend;
}

/** A client that has sent this, and the backend's connection on which its head has come. */
async function asking(text = HANDSHAKE): Promise<Ends> {
  const server = await backend();
  const proxy = await plane({ old: [server.port] });
  const client = await proxy.connect({ allowHalfOpen: true });
  client.say(text);
  return { client, origin: await server.asked(), proxy, server };
}

/** Both ends of an open tunnel, nothing received on either. */
async function tunnel(): Promise<Ends> {
  const ends = await asking();
  ends.origin.say(ACCEPTED);
  await ends.client.sees('\r\n\r\n');
  ends.client.take();
  ends.origin.take();
  return ends;
}

/** All is over and counted down. */
async function over({ client, origin, proxy }: Ends): Promise<void> {
  await until('both ends to close', () => client.closed && origin.closed);
  await until('nothing to be in flight', () => proxy.count(AT_INFLIGHT) === 0);
}

describe('a handshake', () => {
  test('is passed on with its fields and subprotocols, and so is its answer', async () => {
    const { client, origin, proxy } = await asking();
    expect(origin.received).toMatch(/^GET \/chat HTTP\/1\.1\r\nHost: a\r\n/);
    expect(origin.received).toContain(`${KEY}Sec-WebSocket-Protocol: chat, superchat\r\n`);
    expect(origin.received).toMatch(/\r\nconnection: upgrade\r\nupgrade: websocket\r\n/);
    expect(client.received).toBe('');
    origin.say(ACCEPTED);
    const answer = await client.sees('\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/);
    for (const line of ACCEPTED.split('\r\n').slice(3, 5)) expect(answer).toContain(`\r\n${line}\r\n`);
    expect(answer).toMatch(/\r\nconnection: upgrade\r\nupgrade: websocket\r\n/);
    await until('the count', () => proxy.count(TUNNELS) === 1);
    expect(proxy.count(AT_INFLIGHT)).toBe(1);
  });

  test.each([
    ['200', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno'],
    ['400', 'HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nno'],
    ['426', 'HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nno'],
  ])(
    'that is refused with %s is an ordinary request, and its connection good for the next',
    async (status, response) => {
      const { client, origin, proxy } = await asking();
      origin.say(response);
      expect(await client.sees('\r\n\r\nno')).toContain(`HTTP/1.1 ${status} `);
      client.take();
      origin.take();
      client.say('GET /next HTTP/1.1\r\nHost: a\r\n\r\n');
      expect(await origin.sees('\r\n\r\n')).toMatch(/^GET \/next /);
      expect(origin.received).not.toMatch(/upgrade/i);
      origin.say('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes');
      expect(await client.sees('yes')).toMatch(/^HTTP\/1\.1 200 /);
      expect([proxy.count(TUNNELS), proxy.count(AT_INFLIGHT)]).toEqual([0, 0]);
    },
  );

  test('a 101 that nobody asked for is no answer', async () => {
    const { client, origin } = await asking('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    origin.say(ACCEPTED);
    expect(await client.sees('upstreamInvalid')).toMatch(/^HTTP\/1\.1 502 /);
    await origin.isClosed();
  });

  test('Upgrade counts only where Connection says so', async () => {
    const { origin } = await asking(`GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n${KEY}\r\n`);
    expect(origin.received).not.toMatch(/upgrade/i);
  });

  test.each([
    'Upgrade: h2c\r\n',
    'Upgrade: H2C\r\n',
    'Upgrade: websocket, h2c\r\n',
    'Upgrade: h2c,websocket\r\n',
    'Upgrade: foo ,\th2c\t, websocket\r\n',
    'Upgrade: websocket\r\nUpgrade: h2c\r\n',
    'Upgrade: h2c\r\nUpgrade: websocket\r\n',
    'Upgrade: h2c/2\r\n',
    'Upgrade: h2\r\n',
  ])('of "%s" is never for HTTP/2', async (lines) => {
    const connection = 'Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n';
    const { client, origin } = await asking(`GET / HTTP/1.1\r\nHost: a\r\n${connection}${lines}\r\n`);
    expect(origin.received).not.toMatch(/upgrade|h2|settings/i);
    origin.say('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n');
    expect(await client.sees('upstreamInvalid')).toMatch(/^HTTP\/1\.1 502 /);
  });

  test.each(['h2c', 'websocket, h2c', 'websocket\r\nUpgrade: h2c'])(
    'for WebSocket does not become a tunnel for "%s"',
    async (protocol) => {
      const { client, origin, proxy } = await asking();
      origin.say(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`);
      expect(await client.sees('upstreamInvalid')).toMatch(/^HTTP\/1\.1 502 /);
      await origin.isClosed();
      expect([proxy.count(TUNNELS), proxy.count(AT_INFLIGHT)]).toEqual([0, 0]);
    },
  );

  test('is shared between the sides by weight, and holds its key’s side', async () => {
    const [old, fresh] = [await backend((wire) => wire.say(ACCEPTED)), await backend((wire) => wire.say(ACCEPTED))];
    // With salt `search`: user-1 has bucket 347,724, user-2 has 796,924.
    const proxy = await plane({
      old: [old.port],
      new: [fresh.port],
      weightPpm: PPM / 2,
      route: { sticky: [{ kind: 'header', name: 'x-user' }, { kind: 'generate' }], salt: 'search' },
    });
    const askAs = async (fields: string): Promise<string> => {
      const client = await proxy.connect();
      client.say(HANDSHAKE.replace('\r\n\r\n', `\r\n${fields}\r\n`));
      return client.sees('\r\n\r\n');
    };
    for (const user of ['user-1', 'user-2', 'user-1']) await askAs(`X-User: ${user}\r\n`);
    await until('three tunnels', () => fresh.wires.length === 2 && old.wires.length === 1);
    expect([usersOf(old), usersOf(fresh)]).toEqual([['user-2'], ['user-1', 'user-1']]);
    expect(await askAs('')).toMatch(/\r\nset-cookie: crossfade=[0-9a-f]{32}; Path=\/; HttpOnly; SameSite=Lax\r\n/);
  });
});

describe('a tunnel', () => {
  test('carries what was sent before it was open, both ways and in order', async () => {
    const { client, origin } = await asking(`${HANDSHAKE}early-1 `);
    client.say('early-2 ');
    origin.say(`${ACCEPTED}rest-1 `);
    origin.say('rest-2 ');
    await client.sees('rest-2 ');
    client.say('late ');
    expect(await origin.sees('late ')).toMatch(/\r\n\r\nearly-1 early-2 late $/);
    expect(client.received).toMatch(/\r\n\r\nrest-1 rest-2 $/);
    expect(origin.received.split('\r\n\r\n')).toHaveLength(2);
  });

  test('carries megabytes that a client sent before it was open', async () => {
    const { client, origin } = await asking();
    const early = 'x'.repeat(4 << 20);
    client.say(`${early}END`);
    origin.say(ACCEPTED);
    await origin.sees('END');
    expect(origin.received.split('\r\n\r\n')[1]).toBe(`${early}END`);
  });

  test('carries all bytes as they are', async () => {
    const { client, origin } = await tunnel();
    const bytes = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte)).join('');
    client.say(`${bytes}>`);
    origin.say(`${bytes}<`);
    expect([await origin.sees('ÿ>'), await client.sees('ÿ<')]).toEqual([`${bytes}>`, `${bytes}<`]);
  });

  test('carries 500 messages each way in order, answered one by one', async () => {
    const ends = await tunnel();
    const { client, origin } = ends;
    let echoed = 0;
    origin.socket.on('data', () => {
      const messages = origin.received.split('\n');
      for (; echoed < messages.length - 1; echoed++) origin.say(`re:${messages[echoed]}\n`);
    });
    for (let i = 0; i < 500; i++) {
      client.say(`m${i}\n`);
      if (i % 50 === 0) await client.sees(`re:m${i}\n`);
    }
    expect(await client.sees('re:m499\n')).toBe(numbered('re:m'));
    expect(origin.received).toBe(numbered('m'));
  });

  test.each(['client', 'backend'] as const)('holds the %s back while the other end does not read', async (writer) => {
    const ends = await tunnel();
    const [from, to] = writer === 'client' ? [ends.client, ends.origin] : [ends.origin, ends.client];
    to.socket.pause();
    const piece = Buffer.alloc(1 << 16, 'x');
    let sent = 0;
    // What the kernel's buffers hold on the way is a few megabytes: then nothing more is taken.
    for (let still = 0; still < 20 && sent < 64 << 20; ) {
      if (from.socket.write(piece)) still = 0;
      else still = await moved(from, still);
      sent += piece.length;
    }
    expect(sent).toBeLessThan(64 << 20);
    to.socket.resume();
    from.say('END');
    await to.sees('END');
    expect(to.received.length).toBe(sent + 3);
  });

  test.each(['client', 'backend'] as const)(
    'passes the end of the %s on and the other way stays open',
    async (first) => {
      const ends = await tunnel();
      const [one, other] = first === 'client' ? [ends.client, ends.origin] : [ends.origin, ends.client];
      one.say('last words');
      one.socket.end();
      await until('the end', () => other.ended);
      expect(other.received).toBe('last words');
      other.say('still here');
      await one.sees('still here');
      expect(ends.proxy.count(AT_INFLIGHT)).toBe(1);
      other.socket.end();
      await over(ends);
    },
  );

  test('a client that ended before the tunnel was open still gets what the backend says', async () => {
    const ends = await asking();
    ends.client.socket.end();
    ends.origin.say(`${ACCEPTED}hello`);
    await ends.client.sees('hello');
    await until('the end', () => ends.origin.ended);
    ends.origin.socket.end();
    await over(ends);
  });

  test('a client that sent early data and ended before the tunnel was open loses none of it', async () => {
    const ends = await asking(`${HANDSHAKE}early`);
    ends.client.socket.end();
    ends.origin.say(ACCEPTED);
    await until('the end', () => ends.origin.ended);
    expect(ends.origin.received).toMatch(/\r\n\r\nearly$/);
    ends.origin.socket.end();
    await over(ends);
  });

  test.each(['client', 'backend'] as const)(
    'ends by a reset when the %s breaks off, lest it look whole',
    async (dying) => {
      const ends = await tunnel();
      const [dead, other] = dying === 'client' ? [ends.client, ends.origin] : [ends.origin, ends.client];
      other.say('something');
      await dead.sees('something');
      dead.socket.resetAndDestroy();
      await over(ends);
      expect(other.error).toBe('ECONNRESET');
      expect(other.ended).toBe(false);
    },
  );

  test.each(['client', 'backend'] as const)(
    'ends when the %s breaks off while the other end does not read',
    async (dying) => {
      const ends = await tunnel();
      const [dead, other] = dying === 'client' ? [ends.client, ends.origin] : [ends.origin, ends.client];
      other.socket.pause();
      for (let i = 0; i < 16; i++) dead.socket.write(Buffer.alloc(1 << 20));
      await until('some of it to pass', () => dead.socket.bytesWritten - dead.socket.writableLength > 1 << 16);
      dead.socket.resetAndDestroy();
      other.socket.resume();
      // Behind data even Node cannot tell this reset from an end.
      await until('the end', () => other.closed || other.ended);
      await until('nothing to be in flight', () => ends.proxy.count(AT_INFLIGHT) === 0);
      other.socket.destroy();
      await over(ends);
    },
  );

  test('ends when its client breaks off before it is open, and the backend’s connection with it', async () => {
    const ends = await asking();
    ends.client.socket.resetAndDestroy();
    await until('the end', () => ends.origin.ended || ends.origin.closed);
    ends.origin.socket.destroy();
    await over(ends);
    expect(ends.proxy.count(TUNNELS)).toBe(0);
  });

  test('outlives a change of weights and endpoints, and ends with the drain’s deadline', async () => {
    const ends = await tunnel();
    ends.proxy.weight(PPM, 2);
    ends.proxy.endpoints(0, []);
    ends.client.say('ping');
    await ends.origin.sees('ping');
    ends.proxy.service.drain(0);
    ends.origin.say('pong');
    await ends.client.sees('pong');
    ends.proxy.skip(2001);
    await over(ends);
    await until('the exit', () => ends.proxy.exited);
  });
});

/** One more than `still` when nothing has left the socket for a moment, else 0. */
async function moved({ socket }: Wire, still: number): Promise<number> {
  const left = () => socket.bytesWritten - socket.writableLength;
  const before = left();
  await new Promise((resolve) => setTimeout(resolve, 10));
  return left() === before ? still + 1 : 0;
}

/** Who asked, of each connection. */
function usersOf(server: ScriptedBackend): (string | undefined)[] {
  return server.wires.map((wire) => /X-User: (.*)\r\n/.exec(wire.received)?.[1]);
}

/** 500 lines, numbered. */
function numbered(prefix: string): string {
  return Array.from({ length: 500 }, (_, i) => `${prefix}${i}\n`).join('');
}

test('early data was overtaken by what TLS had read behind it', async () => {
  const server = await backend();
  const certificate = pem('localhost.crt');
  const proxy = await plane({ old: [server.port], tls: shows(certificate, pem('localhost.key')) });
  const socket = connectTls({ port: proxy.port, host: '127.0.0.1', ca: certificate });
  stops.push(() => socket.destroy());
  const client = new Wire(socket);
  await new Promise((resolve) => socket.once('secureConnect', resolve));
  // Records of their own, read by the proxy in one turn.
  client.say(HANDSHAKE);
  for (const early of ['1 ', '2 ', '3 ', '4 ']) client.say(early);
  const origin = await server.asked();
  origin.say(`${ACCEPTED}rest`);
  await client.sees('rest');
  client.say('late');
  expect(await origin.sees('late')).toMatch(/\r\n\r\n1 2 3 4 late$/);
});

function pem(name: string): string {
  return readFileSync(fileURLToPath(new URL(`../fixtures/tls/${name}`, import.meta.url)), 'utf8');
}
