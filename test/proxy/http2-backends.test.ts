/** Requests of HTTP/1.1 clients to backends that speak HTTP/2: Node's own implementation, and a scripted one for what that never does. */
import { once } from 'node:events';
import { createServer as createHttp2Server, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { AT_ATTEMPTS } from '../../src/domain/counts.ts';
import {
  data,
  END_HEADERS,
  END_STREAM,
  type Frame,
  get,
  goaway,
  headers,
  PREFACE,
  parseFrames,
  rst,
  settings,
  windowUpdate,
} from '../http2/frames.ts';
import { freePort, until } from './harness.ts';
import { Http2Client } from './http2-client.ts';
import { ask, connect, plane } from './scene.ts';

const H2 = { backends: ['old', 'new'].map((name) => ({ name, connections: 0, protocol: 'h2' as const })) };
const GET = 'GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n';

/** @param answer called with every stream */
async function nodeBackend(answer: (stream: ServerHttp2Stream, headers: Record<string, unknown>) => void) {
  const server: Http2Server = createHttp2Server();
  const sessions = new Set<{ destroy(): void }>();
  server.on('session', (session) => sessions.add(session));
  server.on('stream', (stream, fields) => {
    stream.on('error', () => undefined);
    answer(stream, fields);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, sessions };
}

interface Session {
  readonly socket: Socket;
  /** Frames that have come, but for SETTINGS and WINDOW_UPDATE. */
  readonly frames: Frame[];
}

/** @param onFrame called with every frame of a request and the number of its session @param port a free one; default: any */
async function scripted(onFrame: (frame: Frame, session: Session, number: number) => void, port = 0) {
  const sessions: Session[] = [];
  const server = createServer((socket) => {
    let seen = 0;
    let bytes = Buffer.alloc(0);
    const session: Session = { socket, frames: [] };
    const number = sessions.push(session);
    socket.write(settings());
    socket.on('error', () => undefined);
    socket.on('data', (more: Buffer) => {
      bytes = Buffer.concat([bytes, more]);
      const frames = parseFrames(bytes);
      for (const fresh of frames.slice(seen)) {
        if (fresh.type === 'SETTINGS' || fresh.type === 'WINDOW_UPDATE') continue;
        session.frames.push(fresh);
        onFrame(fresh, session, number);
      }
      seen = frames.length;
    });
  });
  await once(server.listen(port, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    for (const { socket } of sessions) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, sessions };
}

const ok = (stream: number, content: string): Buffer =>
  Buffer.concat([
    headers(stream, END_HEADERS, [':status', '200'], ['content-length', String(content.length)]),
    data(stream, END_STREAM, content),
  ]);

const endsRequest = ({ flags, type }: Frame): boolean => (type === 'HEADERS' || type === 'DATA') && (flags & 1) === 1;

test('a trace passes untouched, each field of its state by itself', async () => {
  const seen: string[][] = [];
  const server: Http2Server = createHttp2Server();
  server.on('stream', (stream: ServerHttp2Stream, _fields: object, _flags: number, raw: string[]) => {
    const pairs = raw.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${raw[i + 1]}`] : []));
    seen.push(pairs.filter((field) => field.startsWith('trace')));
    stream.respond({ ':status': 200 });
    stream.end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const proxy = await plane({ old: [(server.address() as AddressInfo).port], table: H2 });
  const trace = ['traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', 'tracestate: rojo=1'];
  trace.push('tracestate: congo=2,blue=3', 'tracestate: z=4');
  await ask(await connect(proxy), `GET /x HTTP/1.1\r\nHost: a.example\r\n${trace.join('\r\n')}\r\n\r\n`);
  const h2 = new Http2Client(`http://127.0.0.1:${proxy.port}`);
  const [traceparent] = trace.map((field) => field.slice('traceparent: '.length));
  await h2.ask({ ':path': '/', traceparent, tracestate: ['rojo=1', 'congo=2,blue=3', 'z=4'] });
  expect(seen).toEqual([trace, trace]);
  await proxy.stop();
  server.close();
});

describe('a backend that speaks HTTP/2', () => {
  test('is asked with the fields of the request and its answer comes back', async () => {
    const seen: Record<string, unknown>[] = [];
    const origin = await nodeBackend((stream, fields) => {
      seen.push(fields);
      stream.respond({ ':status': 200, 'x-from': 'h2' });
      stream.end('hello');
    });
    const proxy = await plane({ old: [origin.port], table: H2 });
    const answer = await ask(
      await connect(proxy),
      'GET /x?y=1 HTTP/1.1\r\nHost: a.example\r\nX-One: 1\r\nTE: trailers\r\n\r\n',
    );
    expect(answer.body).toBe('hello');
    expect(answer.head).toContain('x-from: h2');
    expect(seen[0]).toMatchObject({
      ':method': 'GET',
      ':path': '/x?y=1',
      ':authority': 'a.example',
      'x-one': '1',
      te: 'trailers',
      'x-forwarded-for': '127.0.0.1',
    });
  });

  test('gets the body of a request, and its size is not limited by a window', async () => {
    const origin = await nodeBackend((stream) => {
      let bytes = 0;
      stream.on('data', (piece: Buffer) => {
        bytes += piece.length;
      });
      stream.on('end', () => {
        stream.respond({ ':status': 200 });
        stream.end(String(bytes));
      });
    });
    const proxy = await plane({ old: [origin.port], table: H2 });
    const body = 'x'.repeat(3_000_000);
    const answer = await ask(
      await connect(proxy),
      `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    expect(answer.body).toBe('3000000');
  });

  test('sends a large answer to a client that reads at last, and trailers behind it', async () => {
    const origin = await nodeBackend((stream) => {
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-end': 'yes' }));
      stream.end(Buffer.alloc(5_000_000, 'y'));
    });
    const proxy = await plane({ old: [origin.port], table: H2 });
    const client = await connect(proxy, GET);
    client.socket.pause();
    await new Promise((resolve) => setImmediate(resolve));
    client.socket.resume();
    const answer = await client.sees('x-end: yes\r\n\r\n');
    expect(answer.match(/y/g)).toHaveLength(5_000_000 + 1);
  });

  test('carries many requests on one session', async () => {
    const origin = await nodeBackend((stream) => {
      stream.respond({ ':status': 200 });
      stream.end('ok');
    });
    const proxy = await plane({ old: [origin.port], table: H2 });
    const clients = await Promise.all(Array.from({ length: 20 }, () => connect(proxy)));
    const answers = await Promise.all(clients.map((client) => ask(client, GET)));
    expect(answers.map(({ body }) => body)).toEqual(clients.map(() => 'ok'));
    expect(origin.sessions.size).toBe(1);
  });

  test.each([
    ['refuses the stream', (id: number) => rst(id, 7)],
    ['leaves with a GOAWAY that does not reach the stream', () => goaway(0, 0)],
  ])('a request with a body is sent once more when the backend %s', async (_, refusal) => {
    const origin = await scripted((received, { socket }, number) => {
      if (!endsRequest(received)) return;
      socket.write(number === 1 ? refusal(received.stream) : ok(received.stream, 'second'));
    });
    const proxy = await plane({ old: [origin.port], table: H2 });
    const answer = await ask(await connect(proxy), 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody');
    expect(answer.body).toBe('second');
    const sent = origin.sessions.map(({ frames }) =>
      frames.filter(({ type }) => type === 'DATA').map(({ payload }) => String(payload)),
    );
    expect(sent).toEqual([['body'], ['body']]);
  });

  test('a request that is refused twice is not sent a third time', async () => {
    const origin = await scripted((received, { socket }) => {
      if (endsRequest(received)) socket.write(rst(received.stream, 7));
    });
    const proxy = await plane({ old: [origin.port], table: H2 });
    const answer = await ask(await connect(proxy), 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody');
    expect(answer.head).toContain(' 503 ');
    expect(origin.sessions.flatMap(({ frames }) => frames.filter(({ type }) => type === 'HEADERS'))).toHaveLength(2);
  });

  test('regression: requests that a restarting endpoint refused failed while another was taken for down, which had restarted before', async () => {
    const port = await freePort();
    const leaving = await scripted((received, { socket }, number) => {
      if (endsRequest(received)) socket.write(number === 1 && received.stream === 1 ? ok(1, 'first') : goaway(0, 0));
    });
    const proxy = await plane({ old: [port, leaving.port], weightPpm: 0, table: H2, random: () => 0 });
    const client = await connect(proxy);
    expect((await ask(client, GET)).body).toBe('first');
    await scripted((received, { socket }) => {
      if (endsRequest(received)) socket.write(ok(received.stream, 'back'));
    }, port);
    expect((await ask(client, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody')).body).toBe('back');
  });

  test('requests that break every session they are on together are sent again a few times, and not for ever', async () => {
    const origin = await scripted((_, { socket, frames }) => {
      if (frames.filter(endsRequest).length === 3) socket.resetAndDestroy();
    });
    const proxy = await plane({ old: [origin.port], table: H2 });
    const clients = await Promise.all(Array.from({ length: 3 }, () => connect(proxy, GET)));
    for (const client of clients) expect(await client.sees('upstreamReset')).toContain(' 502 ');
    // Besides, the endpoint is in doubt, and somebody looks whether it is there.
    expect(origin.sessions.filter(({ frames }) => frames.length > 0)).toHaveLength(4);
  });

  test('what a leaving backend has accepted is finished, and the next request goes to another session', async () => {
    const origin = await scripted((received, { socket }, number) => {
      if (!endsRequest(received)) return;
      if (number === 1) socket.write(goaway(received.stream, 0));
      socket.write(ok(received.stream, `session ${number}`));
    });
    const proxy = await plane({ old: [origin.port], table: H2 });
    const client = await connect(proxy);
    expect((await ask(client, GET)).body).toBe('session 1');
    expect((await ask(client, GET)).body).toBe('session 2');
  });

  test('regression: a whole answer was cut when its backend closed the connection behind it and the client had not read it yet', async () => {
    const content = 'x'.repeat(40_000);
    const { port, sessions } = await nodeBackend((stream) => {
      stream.respond({ ':status': 200 });
      stream.end(content);
      stream.session?.close();
      stream.session?.once('close', () => sessions.clear());
    });
    const proxy = await plane({ old: [port], table: H2 });
    const client = await connect(proxy);
    client.socket.write(Buffer.concat([PREFACE, settings([4, 100]), get(1)]));
    await until('the end of the session', () => client.received !== '' && sessions.size === 0);
    await proxy.pass(1);
    client.socket.write(windowUpdate(1, content.length));
    const received = (): Frame[] => parseFrames(Buffer.from(client.received, 'latin1'));
    await until('the end of the answer', () => received().some((one) => one.stream === 1 && endsRequest(one)));
    const body = received().filter(({ type }) => type === 'DATA');
    expect(body.reduce((sum, { payload }) => sum + payload.length, 0)).toBe(content.length);
    await until('its count', () => proxy.count(AT_ATTEMPTS) === 1);
  });

  test('a client that leaves takes its stream along, and nothing else', async () => {
    const origin = await scripted((received, { socket }) => {
      if (received.type === 'HEADERS' && received.stream === 3) socket.write(ok(3, 'other'));
    });
    const proxy = await plane({ old: [origin.port], table: H2 });
    const leaving = await connect(proxy, GET);
    await until('the first request', () => origin.sessions[0]?.frames.length === 1);
    leaving.socket.resetAndDestroy();
    await until('its reset', () => origin.sessions[0]?.frames.some(({ type }) => type === 'RST_STREAM') === true);
    expect((await ask(await connect(proxy), GET)).body).toBe('other');
    expect(origin.sessions).toHaveLength(1);
  });

  test('a stream that the backend breaks off in the middle of its answer is not taken for whole', async () => {
    const origin = await scripted((received, { socket }) => {
      if (!endsRequest(received)) return;
      socket.write(headers(received.stream, END_HEADERS, [':status', '200']));
      socket.write(data(received.stream, 0, 'half'));
      socket.write(rst(received.stream, 2));
    });
    const proxy = await plane({ old: [origin.port], table: H2 });
    const client = await connect(proxy, GET);
    const answer = await client.isClosed();
    expect(answer).toContain('half');
    expect(answer).not.toContain('0\r\n\r\n');
  });

  test('a backend that does not speak HTTP/2 is a fault of the backend', async () => {
    const server = createServer((socket) =>
      socket.on('error', () => undefined).end('HTTP/1.1 400 Bad Request\r\n\r\n'),
    );
    await once(server.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => void server.close());
    const port = (server.address() as AddressInfo).port;
    const proxy = await plane({ old: [port], table: H2 });
    expect((await ask(await connect(proxy), GET)).head).toContain(' 502 ');
  });

  test('the next session is opened before the first one is full', async () => {
    const held: { socket: Socket; stream: number }[] = [];
    const origin = await scripted((received, { socket }) => {
      if (received.type === 'HEADERS') held.push({ socket, stream: received.stream });
    });
    const proxy = await plane({ old: [origin.port], table: H2 });
    const first = await connect(proxy, GET);
    await until('the first request', () => held.length === 1);
    held[0]?.socket.write(settings([3, 4]));
    const clients = [first];
    for (let i = 0; i < 7; i++) {
      clients.push(await connect(proxy, GET));
      await until('the request', () => held.length === i + 2);
    }
    expect(origin.sessions.length).toBeGreaterThanOrEqual(2);
    for (const { frames } of origin.sessions)
      expect(frames.filter(({ type }) => type === 'HEADERS').length).toBeLessThanOrEqual(4);
    for (const { socket, stream } of held) socket.write(ok(stream, 'ok'));
    for (const client of clients) expect(await client.sees('ok')).toContain(' 200 ');
  });
});
