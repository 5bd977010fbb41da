/** Large bodies, ends and breaks over TLS on both sides of the proxy, which reads and writes it by Node's handles. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { createServer, connect as dialTls, type TLSSocket } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { BackendSpec } from '../../src/seam.ts';
import { type Plane, shows, still, until } from './harness.ts';
import { Http2Client } from './http2-client.ts';
import { plane } from './scene.ts';
import { certificate, key, securedBackend } from './secured-backends.ts';
import { SECURED, type Version } from './secured-pair.ts';

const MIB = 1 << 20;
const BODY = randomBytes(8 * MIB);

function sha(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A backend over TLS. @param script gets each connection and what carries it */
async function origin(script: (socket: TLSSocket) => unknown, options: object = {}): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer({ cert: certificate, key, allowHalfOpen: true, ...options } as object, (socket) => {
    socket.on('error', () => undefined);
    script(socket);
  });
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.on('tlsClientError', () => undefined);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

/** A proxy that speaks TLS on both sides. */
function proxyTo(port: number, protocol: 'http1' | 'h2' | 'auto' = 'http1', options: object = {}): Promise<Plane> {
  const tls = { ca: certificate, insecure: false };
  const backends = ['old', 'new'].map((name): BackendSpec => ({ name, connections: 0, protocol, tls }));
  return plane({ old: [port], tls: shows(certificate, key), table: { backends, ...options } });
}

/** A client that keeps what it reads, bite by bite when it is slow. */
class Client {
  readonly socket: TLSSocket;
  readonly pieces: Buffer[] = [];
  bytes = 0;
  ended = false;
  closed = false;

  constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.on('data', (piece: Buffer) => {
      this.pieces.push(piece);
      this.bytes += piece.length;
    });
    socket.on('end', () => (this.ended = true));
    socket.on('close', () => (this.closed = true));
    socket.on('error', () => undefined);
  }

  static async dial(proxy: Plane, version: Version = 'TLSv1.3', options: object = {}): Promise<Client> {
    const versions = { minVersion: version, maxVersion: version };
    const base = { port: proxy.port, host: '127.0.0.1', ca: certificate, allowHalfOpen: true };
    const socket = dialTls({ ...base, ...versions, ...options } as object);
    onTestFinished(() => void socket.destroy());
    await once(socket, 'secureConnect');
    return new Client(socket);
  }

  slow(): void {
    this.socket.on('data', () => {
      this.socket.pause();
      setImmediate(() => this.socket.resume());
    });
  }

  get all(): Buffer {
    return Buffer.concat(this.pieces);
  }

  get text(): string {
    return this.all.toString('latin1');
  }
}

/** Resolves with a request's head. */
function headSeen(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const onData = (bytes: Buffer): void => {
      text += bytes.toString('latin1');
      if (!text.includes('\r\n\r\n')) return;
      socket.off('data', onData);
      resolve(text);
    };
    socket.on('data', onData);
  });
}

/** The body of a chunked message. */
function unchunked(message: Buffer): { body: Buffer; isWhole: boolean } {
  const pieces: Buffer[] = [];
  let at = message.indexOf('\r\n\r\n') + 4;
  for (;;) {
    const lineEnd = message.indexOf('\r\n', at);
    if (lineEnd < 0) return { body: Buffer.concat(pieces), isWhole: false };
    const length = Number.parseInt(message.toString('latin1', at, lineEnd), 16);
    if (length === 0) return { body: Buffer.concat(pieces), isWhole: true };
    pieces.push(message.subarray(lineEnd + 2, lineEnd + 2 + length));
    at = lineEnd + 2 + length + 2;
  }
}

/** A backend's side: one answer of the length it announces. */
async function answerWhole(socket: TLSSocket): Promise<void> {
  await headSeen(socket);
  socket.resume();
  socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${BODY.length}\r\n\r\n`);
  socket.write(BODY);
}

describe.each(SECURED)('over %s', (version) => {
  const backendVersion = { minVersion: version, maxVersion: version };

  test('an upload whose client ends its side behind it comes whole to a slow backend, and is answered', async () => {
    let held: TLSSocket | undefined;
    const proxy = await proxyTo(
      await origin((socket) => {
        held = socket;
        const parts: Buffer[] = [];
        let bytes = 0;
        socket.on('data', (piece: Buffer) => {
          parts.push(piece);
          bytes += piece.length;
          const all = bytes > BODY.length ? Buffer.concat(parts) : null;
          const at = all === null ? -1 : all.indexOf('\r\n\r\n') + 4;
          if (all === null || all.length - at < BODY.length) return;
          const answer = sha(all.subarray(at));
          socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${answer.length}\r\n\r\n${answer}`);
        });
        socket.pause();
      }, backendVersion),
    );
    const client = await Client.dial(proxy, version);
    client.socket.write(`POST / HTTP/1.1\r\nHost: a\r\ncontent-length: ${BODY.length}\r\n\r\n`);
    client.socket.end(BODY);
    await until('the backend', () => held);
    await still('the client to be held back', () => client.socket.bytesWritten);
    (held as TLSSocket).resume();
    await until('the end', () => client.ended);
    expect(client.text).toMatch(/^HTTP\/1\.1 200 /);
    expect(client.text.slice(-64)).toBe(sha(BODY));
  });

  test('a body that ends with the farewell of its backend comes whole to a client that waits', async () => {
    const proxy = await proxyTo(
      await origin(async (socket) => {
        await headSeen(socket);
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        socket.end(BODY);
      }, backendVersion),
    );
    const client = await Client.dial(proxy, version);
    client.socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await until('something', () => client.bytes > 0);
    client.socket.pause();
    await still('nothing more to come', () => client.bytes);
    client.slow();
    client.socket.resume();
    await until('the end', () => client.bytes > BODY.length && client.text.endsWith('0\r\n\r\n'));
    const { body, isWhole } = unchunked(client.all);
    expect(isWhole).toBe(true);
    expect(sha(body)).toBe(sha(BODY));
  });

  test.each([
    ['a body without a length', ''],
    ['a body with one', `content-length: ${BODY.length}\r\n`],
    ['chunks', 'transfer-encoding: chunked\r\n'],
  ])('a reset in the middle of %s is not its end', async (_what, line) => {
    const proxy = await proxyTo(
      await origin(async (socket) => {
        await headSeen(socket);
        socket.write(`HTTP/1.1 200 OK\r\n${line}\r\n`);
        socket.write(line.startsWith('transfer') ? 'fffffff\r\n' : '');
        socket.write(BODY.subarray(0, MIB), () => {
          (socket as unknown as { _parent: Socket })._parent.resetAndDestroy();
        });
      }, backendVersion),
    );
    for (let i = 0; i < 5; i++) {
      const client = await Client.dial(proxy, version);
      client.socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await until('the end', () => client.ended || client.closed);
      expect(client.text).not.toMatch(/\r\n0\r\n\r\n$/);
      expect(client.bytes).toBeLessThan(BODY.length);
    }
  });

  test('answers to requests sent in one go come whole and in order to a slow reader', async () => {
    const proxy = await proxyTo(
      await origin((socket) => {
        let asked = '';
        socket.on('data', (bytes: Buffer) => {
          asked += bytes.toString('latin1');
          for (let end = asked.indexOf('\r\n\r\n'); end >= 0; end = asked.indexOf('\r\n\r\n')) {
            const n = Number(/^GET \/(\d+) /.exec(asked)?.[1]);
            asked = asked.slice(end + 4);
            const body = BODY.subarray(n * 100, n * 100 + 300_000);
            socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n`);
            socket.write(body);
          }
        });
      }, backendVersion),
    );
    const client = await Client.dial(proxy, version);
    client.slow();
    const asked = Array.from({ length: 40 }, (_, n) => `GET /${n} HTTP/1.1\r\nHost: a\r\n\r\n`).join('');
    client.socket.end(asked);
    await until('the end', () => client.ended);
    const { all } = client;
    let at = 0;
    for (let n = 0; n < 40; n++) {
      at = all.indexOf('\r\n\r\n', at) + 4;
      expect(all.subarray(at, at + 300_000).equals(BODY.subarray(n * 100, n * 100 + 300_000))).toBe(true);
      at += 300_000;
    }
    expect(at).toBe(all.length);
  });

  test('a tunnel carries both ways at once, holds back, and passes on either end', async () => {
    const received: Buffer[] = [];
    let far: TLSSocket | undefined;
    let farEnded = false;
    const proxy = await proxyTo(
      await origin(async (socket) => {
        await headSeen(socket);
        socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
        far = socket;
        socket.on('data', (bytes: Buffer) => {
          received.push(bytes);
          socket.pause();
          setImmediate(() => socket.resume());
        });
        socket.on('end', () => (farEnded = true));
      }, backendVersion),
    );
    const client = await Client.dial(proxy, version);
    client.socket.write('GET / HTTP/1.1\r\nHost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
    await until('the tunnel', () => client.text.includes('\r\n\r\n'));
    client.pieces.length = 0;
    client.slow();
    far?.write(BODY);
    client.socket.end(BODY);
    await until('the client’s end at the backend', () => farEnded);
    expect(sha(Buffer.concat(received))).toBe(sha(BODY));
    far?.end('bye');
    await until('the end', () => client.ended);
    expect(sha(client.all.subarray(0, -3))).toBe(sha(BODY));
    expect(client.text.slice(-3)).toBe('bye');
  });

  test('connections that are broken in the middle of writes and reads leave the worker as it was', async () => {
    const proxy = await proxyTo(await origin(answerWhole, backendVersion));
    for (let i = 0; i < 30; i++) {
      const client = await Client.dial(proxy, version);
      const at = i * 40_000;
      client.socket.write(
        i % 2 === 0
          ? 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
          : `POST / HTTP/1.1\r\nHost: a\r\ncontent-length: ${BODY.length}\r\n\r\n`,
      );
      if (i % 2 === 1) client.socket.write(BODY.subarray(0, at));
      await until('some', () => client.bytes >= at);
      if (i % 3 === 0) client.socket.pause();
      if (i % 3 === 1) client.socket.end();
      client.socket.destroy();
    }
    const client = await Client.dial(proxy, version);
    client.socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await until('all of it', () => client.bytes > BODY.length);
    expect(sha(client.all.subarray(-BODY.length))).toBe(sha(BODY));
  });
});

test('a session of TLS 1.2 that is negotiated anew in the middle of an answer is only longer about it', async () => {
  const proxy = await proxyTo(
    await origin(async (socket) => {
      await headSeen(socket);
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${BODY.length}\r\n\r\n`);
      socket.write(BODY);
    }),
  );
  const client = await Client.dial(proxy, 'TLSv1.2');
  client.socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  let renewed = 0;
  client.socket.on('data', () => {
    if (renewed < 2 && client.bytes > renewed * 4 * MIB) {
      renewed++;
      client.socket.renegotiate({}, () => undefined);
    }
  });
  await until('all of it', () => client.bytes > BODY.length || client.closed);
  expect(sha(client.all.subarray(-BODY.length))).toBe(sha(BODY));
});

describe.each(['h2', 'both'] as const)('HTTP/2 to a backend that speaks %s', (spoken) => {
  test('many streams at once, half of them cancelled, and a large message', async () => {
    const port = (await securedBackend(spoken)).port;
    const proxy = await proxyTo(port, spoken === 'h2' ? 'h2' : 'auto');
    const client = new Http2Client(`https://127.0.0.1:${proxy.port}`, { ca: certificate });
    const calls = Array.from({ length: 100 }, (_, i) => {
      const call = client.open({ ':method': 'POST', ':path': '/' }, false);
      call.stream.write(BODY.subarray(0, 100_000 + i));
      if (i % 2 === 1) setImmediate(() => call.stream.close(8));
      else call.stream.end(BODY.subarray(0, 100_000));
      return call;
    });
    for (const [i, call] of calls.entries()) {
      const answer = await call.answer();
      if (i % 2 === 0) expect(answer.body).toBe(`2.0 POST ${200_000 + i}`);
    }
    const large = client.open({ ':method': 'POST', ':path': '/' }, false);
    large.stream.end(Buffer.alloc(64 * MIB));
    await until('the answer', () => large.reset !== -1);
    expect(large.body).toBe(`2.0 POST ${64 * MIB}`);
  });
});

/** Clients of HTTP/1.1 and one of HTTP/2 with answers under way, the first two being held back. */
async function busy(drainMs: number) {
  const proxy = await proxyTo(await origin(answerWhole), 'http1', { drainMs });
  const clients = await Promise.all(Array.from({ length: 4 }, () => Client.dial(proxy)));
  for (const client of clients) client.socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const http2 = new Http2Client(`https://127.0.0.1:${proxy.port}`, { ca: certificate });
  const calls = Array.from({ length: 2 }, () => http2.open({ ':path': '/' }));
  await until(
    'every answer to begin',
    () => clients.every(({ bytes }) => bytes > 0) && calls.every(({ body }) => body),
  );
  for (const client of clients.slice(0, 2)) client.socket.pause();
  return { proxy, clients, http2, calls };
}

describe('a drain in the middle of large answers', () => {
  test('lets them come whole and ends the connections', async () => {
    const { proxy, clients, http2, calls } = await busy(60_000);
    proxy.service.drain(0);
    for (const client of clients) {
      client.slow();
      client.socket.resume();
    }
    await until('all of it', () => clients.every(({ bytes }) => bytes > BODY.length));
    for (const client of clients) expect(sha(client.all.subarray(-BODY.length))).toBe(sha(BODY));
    for (const call of calls) expect(sha(Buffer.from((await call.answer()).body, 'latin1'))).toBe(sha(BODY));
    await until('the end', () => http2.closed);
    expect(http2.goaways).toBeGreaterThan(0);
  });

  test('breaks them off at its deadline', async () => {
    const { proxy, clients } = await busy(1000);
    proxy.service.drain(0);
    proxy.skip(10_000);
    await until('the end', () => proxy.exited);
    for (const client of clients) client.socket.resume();
    await until('the end at the clients', () => clients.every(({ ended, closed }) => ended || closed));
    expect(clients[0]?.bytes).toBeLessThan(BODY.length);
  });
});

test.each(['HTTP/1.1', 'HTTP/2'])(
  'a reader that waits, over %s, holds the backend back, and gets all when it reads',
  async (spoken) => {
    const total = 64 * MIB;
    const sent = { socket: null as TLSSocket | null };
    const proxy = await proxyTo(
      await origin(async (socket) => {
        sent.socket = socket;
        await headSeen(socket);
        socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${total}\r\n\r\n`);
        for (let i = 0; i < total; i += BODY.length) if (!socket.write(BODY)) await once(socket, 'drain');
      }),
    );
    let reader: Readable;
    if (spoken === 'HTTP/2') {
      const client = new Http2Client(`https://127.0.0.1:${proxy.port}`, { ca: certificate });
      reader = client.session.request({ ':path': '/', ':authority': 'a' });
    } else {
      const { socket } = await Client.dial(proxy);
      socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      reader = socket;
    }
    reader.pause();
    const backendSide = await until('the backend', () => sent.socket);
    await still('the backend to be held back', () => backendSide.bytesWritten);
    expect(backendSide.bytesWritten).toBeLessThan(total / 2);
    const tail: Buffer[] = [];
    let bytes = 0;
    reader.on('data', (piece: Buffer) => {
      bytes += piece.length;
      if (bytes > total - BODY.length) tail.push(piece);
    });
    reader.resume();
    await until('all of it', () => bytes >= total);
    await still('nothing more', () => bytes);
    expect(sha(Buffer.concat(tail).subarray(-BODY.length))).toBe(sha(BODY));
  },
);
