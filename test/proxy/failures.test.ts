/** What goes wrong behind the proxy or in front of it: what the client is told, what is counted, and that nothing is sent twice. */
import { describe, expect, test } from 'vitest';
import { AT_ATTEMPTS, AT_FAULTS, AT_RESCUES } from '../../src/domain/counts.ts';
import { FAULT_KINDS } from '../../src/domain/errors.ts';
import { OUTCOME_CANCELLED, OUTCOME_FAULT, OUTCOME_OK } from '../../src/domain/outcome.ts';
import { type Plane, ScriptedBackend, TIMEOUTS, until, type Wire } from './harness.ts';
import { takeMessage } from './message.ts';
import { answering, ask, backend, connect, GET, head, message, OK, plane } from './scene.ts';

const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody';
const CHUNKED = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';

/** What the old side was charged with: faults by kind, those that are 0 left out. */
function faults(proxy: Plane): Record<string, number> {
  const counted = FAULT_KINDS.map((kind, i) => [kind, proxy.count(AT_FAULTS + i)] as const);
  return Object.fromEntries(counted.filter(([, count]) => count !== 0));
}

/** Attempts on the old side. */
function attempts(proxy: Plane): { ok: number; fault: number; cancelled: number } {
  const of = (outcome: number): number => proxy.count(AT_ATTEMPTS + outcome);
  return { ok: of(OUTCOME_OK), fault: of(OUTCOME_FAULT), cancelled: of(OUTCOME_CANCELLED) };
}

/** The connection is over, and what came on it cannot be taken for a whole message. */
async function broken(client: Wire, name = ''): Promise<void> {
  const received = await client.isClosed();
  await until('the end of the connection', () => client.ended || client.error !== '');
  expect(takeMessage(received, client.error === '', false), `${name} ${client.error}`).toBe(null);
}

/** A port on which nothing listens. */
async function refusing(): Promise<number> {
  const gone = await new ScriptedBackend().listen();
  const { port } = gone;
  gone.close();
  return port;
}

const finish = (wire: Wire): void => void wire.socket.end();
const reset = (wire: Wire): void => void wire.socket.resetAndDestroy();

/** Answers the first request of a connection and drops it at the second, after saying so much. */
async function forgetful(seen: string[], say = ''): Promise<ScriptedBackend> {
  return backend(async (wire) => {
    seen.push((await message(wire)).startLine);
    wire.say('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
    seen.push((await message(wire)).startLine);
    if (say !== '') wire.say(say);
    wire.socket.end();
  });
}

describe('a body that the backend cuts short is never a whole one for the client', () => {
  const CUTS: readonly (readonly [name: string, bytes: string, end: (wire: Wire) => void])[] = [
    ['Content-Length, closed', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nsome', finish],
    ['Content-Length, reset', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nsome', reset],
    ['within a chunk', `${CHUNKED}64\r\nsome`, finish],
    ['between chunks', `${CHUNKED}4\r\nsome\r\n`, finish],
    ['between chunks, reset', `${CHUNKED}4\r\nsome\r\n`, reset],
    ['within the size of a chunk', `${CHUNKED}4\r\nsome\r\n5`, finish],
    ['within the trailer section', `${CHUNKED}4\r\nsome\r\n0\r\nX-Sum: 1\r\n`, finish],
    ['within the last empty line', `${CHUNKED}4\r\nsome\r\n0\r\n`, finish],
    ['something that is no chunk', `${CHUNKED}4\r\nsome\r\n`, (wire) => wire.say('no chunk\r\n')],
    ['close-delimited, reset', 'HTTP/1.1 200 OK\r\n\r\nsome', reset],
  ];

  test.each(['1.1', '1.0'])('HTTP/%s client', async (version) => {
    const bytes: string[] = [];
    const origin = await backend(async (wire) => {
      await head(wire);
      wire.say(bytes.shift() as string);
    });
    const proxy = await plane({ old: [origin] });
    for (const [i, [name, begun, end]] of CUTS.entries()) {
      bytes.push(begun);
      const client = await connect(proxy, `GET / HTTP/${version}\r\nHost: a\r\n\r\n`);
      await client.sees('some');
      end(origin.wires[i] as Wire);
      await broken(client, name);
    }
    expect(faults(proxy)).toEqual({ upstreamTruncated: CUTS.length });
    expect(attempts(proxy)).toEqual({ ok: 0, fault: CUTS.length, cancelled: 0 });
  });

  test('close-delimited and reset while the request is still being sent', async () => {
    const origin = await backend(async (wire) => {
      await head(wire);
      wire.socket.pause();
      wire.say('HTTP/1.1 200 OK\r\n\r\nsome');
    });
    const proxy = await plane({ old: [origin] });
    for (let i = 0; i < 20; i++) {
      const client = await connect(proxy, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\nx');
      await client.sees('some');
      client.say('x'.repeat(65_536));
      (origin.wires[i] as Wire).socket.resetAndDestroy();
      client.say('x'.repeat(65_536));
      await broken(client);
    }
    expect(faults(proxy)).toEqual({ upstreamTruncated: 20 });
  });
});

describe('an answer that is not valid HTTP is a 502, and its connection is not used again', () => {
  const INVALID: readonly (readonly [name: string, bytes: string])[] = [
    ['no HTTP at all', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
    ['another version', 'HTTP/2.0 200 OK\r\n\r\n'],
    ['no status', 'HTTP/1.1 OK\r\n\r\n'],
    ['a status below 100', 'HTTP/1.1 099 Low\r\n\r\n'],
    ['two Content-Lengths that differ', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nokk'],
    ['two Content-Lengths that agree', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\nok'],
    ['a list of Content-Lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 2, 2\r\n\r\nok'],
    ['a signed Content-Length', 'HTTP/1.1 200 OK\r\ncontent-length: +2\r\n\r\nok'],
    [
      'Transfer-Encoding and Content-Length',
      'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['another transfer coding', 'HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nok'],
    ['chunked in HTTP/1.0', 'HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a folded line', 'HTTP/1.1 200 OK\r\nx: a\r\n b\r\ncontent-length: 2\r\n\r\nok'],
    ['a blank before the colon', 'HTTP/1.1 200 OK\r\ncontent-length : 2\r\n\r\nok'],
    ['bare line feeds', 'HTTP/1.1 200 OK\ncontent-length: 2\n\nok'],
    ['a NUL', 'HTTP/1.1 200 OK\r\nx: \0\r\ncontent-length: 2\r\n\r\nok'],
    ['a 101 that nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'],
    ['a head without end', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(70_000)}`],
    ['too many fields', `HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(300)}\r\n`],
  ];

  test('whatever is wrong with it', async () => {
    const bytes: string[] = [];
    const origin = await backend(async (wire) => {
      await head(wire);
      wire.say(bytes.shift() as string);
    });
    const proxy = await plane({ old: [origin] });
    const client = await connect(proxy);
    for (const [i, [name, invalid]] of INVALID.entries()) {
      bytes.push(invalid);
      const answer = await ask(client, GET);
      expect([answer.status, answer.get('content-type')], name).toEqual([502, 'application/problem+json']);
      await (origin.wires[i] as Wire).isClosed();
    }
    expect(origin.wires).toHaveLength(INVALID.length);
    expect(faults(proxy)).toEqual({ upstreamInvalid: INVALID.length });
  });

  test('a backend that closes without a word is a 502 and is asked once', async () => {
    const origin = await backend(async (wire) => {
      await head(wire);
      wire.socket.end();
    });
    const proxy = await plane({ old: [origin] });
    expect((await ask(await connect(proxy), GET)).status).toBe(502);
    expect(origin.wires).toHaveLength(1);
    expect(faults(proxy)).toEqual({ upstreamReset: 1 });
  });
});

describe('bytes that nobody asked for', () => {
  const EVIL = 'HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil';

  test('in one piece with an answer do not become the answer to the next request', async () => {
    const origin = await answering(OK + EVIL);
    const proxy = await plane({ old: [origin] });
    const client = await connect(proxy);
    for (let i = 0; i < 3; i++) expect((await ask(client, GET)).body).toBe('ok');
    client.say(GET + GET + GET);
    for (let i = 0; i < 3; i++) expect((await message(client)).body).toBe('ok');
    expect(origin.wires).toHaveLength(6);
    expect(faults(proxy)).toEqual({});
  });

  test('on a connection at rest close it', async () => {
    const origin = await backend(async (wire) => {
      await message(wire);
      wire.say(OK);
    });
    const proxy = await plane({ old: [origin] });
    const client = await connect(proxy);
    expect((await ask(client, GET)).body).toBe('ok');
    const wire = origin.wires[0] as Wire;
    wire.say(EVIL);
    await wire.isClosed();
    expect((await ask(client, GET)).body).toBe('ok');
    expect(faults(proxy)).toEqual({});
  });
});

describe('connecting', () => {
  test('a refused connection is a 502 and a fault', async () => {
    const port = await refusing();
    const proxy = await plane({ old: [port] });
    const client = await connect(proxy);
    const answer = await ask(client, GET);
    expect(answer.status).toBe(502);
    expect(answer.head + answer.body).not.toMatch(new RegExp(`127\\.0\\.0|${port}|ECONN`));
    expect((await ask(client, POST)).status).toBe(502);
    expect(faults(proxy)).toEqual({ connectRefused: 2 });
    expect(attempts(proxy)).toEqual({ ok: 0, fault: 2, cancelled: 0 });
  });

  test.each([GET, POST])('the other endpoint of the side is tried, and gets the request whole: %j', async (text) => {
    const origin = await backend(async (wire) => {
      const asked = await message(wire);
      wire.say(`HTTP/1.1 200 OK\r\ncontent-length: ${asked.body.length}\r\n\r\n${asked.body}`);
    });
    const proxy = await plane({ old: [await refusing(), origin], random: () => 0 });
    const answer = await ask(await connect(proxy), text);
    expect([answer.status, answer.body]).toEqual([200, text === POST ? 'body' : '']);
    // One endpoint that goes while its side lives on is no fault of the side.
    expect(faults(proxy)).toEqual({});
    expect(attempts(proxy)).toEqual({ ok: 1, fault: 0, cancelled: 0 });
    expect(proxy.count(AT_RESCUES)).toBe(1);
  });

  test('a body that waited for the refused connection goes on when the other endpoint has one at rest', async () => {
    const origin = await answering(OK);
    let draw = 0.9;
    const proxy = await plane({ old: [await refusing(), origin], random: () => draw });
    const client = await connect(proxy);
    expect((await ask(client, GET)).body).toBe('ok');
    draw = 0;
    expect((await ask(client, POST)).body).toBe('ok');
    expect(origin.wires).toHaveLength(1);
    // One endpoint that goes while its side lives on is no fault of the side.
    expect(faults(proxy)).toEqual({});
  });

  test('no endpoint at all is a 503', async () => {
    const proxy = await plane();
    const answer = await ask(await connect(proxy), GET);
    expect([answer.status, answer.get('retry-after')]).toEqual([503, '1']);
    expect(faults(proxy)).toEqual({ noEndpoint: 1 });
  });

  test('a connection that does not come about in time is a 504', async () => {
    const origin = await backend();
    // TLS, so that an accepted connection without a word is one that is still being made.
    const backends = [
      { name: 'backend-old', connections: 0, tls: { insecure: true } },
      { name: 'backend-new', connections: 0 },
    ];
    const proxy = await plane({ old: [origin], table: { backends } });
    const client = await connect(proxy, POST);
    await until('a connection', () => origin.wires.length > 0);
    proxy.skip(TIMEOUTS.connectMs + 1);
    // The only endpoint is tried once more: its queue may have been full for a moment.
    // And looked at by a connection without a request.
    await until('two more connections', () => origin.wires.length > 2);
    proxy.skip(TIMEOUTS.connectMs + 1);
    expect((await message(client)).status).toBe(504);
    expect(faults(proxy)).toEqual({ connectTimeout: 2 });
  });
});

describe('a kept connection that turns out to be closed', () => {
  test('a request that may be repeated is sent once more, on a fresh one', async () => {
    const seen: string[] = [];
    const proxy = await plane({ old: [await forgetful(seen)] });
    const client = await connect(proxy);
    await ask(client, GET);
    seen.length = 0;
    const methods = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE'];
    for (const method of methods) {
      const answer = await ask(client, `${method} /x HTTP/1.1\r\nHost: a\r\n\r\n`, method === 'HEAD');
      expect(answer.status, method).toBe(200);
    }
    expect(seen).toEqual(methods.flatMap((method) => [`${method} /x HTTP/1.1`, `${method} /x HTTP/1.1`]));
    expect(faults(proxy)).toEqual({});
    expect(attempts(proxy)).toEqual({ ok: 1 + methods.length, fault: 0, cancelled: 0 });
  });

  test.each([
    ['POST', 'POST /x HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['an unknown method', 'MAKE /x HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['PUT with a body that is gone', 'PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nxy'],
  ])('%s is never sent twice', async (_name, text) => {
    const seen: string[] = [];
    const proxy = await plane({
      old: [await forgetful(seen)],
      route: { rescue: { budget: 1, toNew: false, bodyBytes: 1 } },
    });
    const client = await connect(proxy);
    await ask(client, GET);
    expect((await ask(client, text)).status).toBe(502);
    expect(seen).toHaveLength(2);
    expect(faults(proxy)).toEqual({ upstreamReset: 1 });
  });

  test('after a part of an answer a request is not sent again', async () => {
    const seen: string[] = [];
    const proxy = await plane({ old: [await forgetful(seen, 'HTTP/1.1 200 O')] });
    const client = await connect(proxy);
    await ask(client, GET);
    expect((await ask(client, GET)).status).toBe(502);
    expect(seen).toHaveLength(2);
  });

  test('a request that the backend had been at work on is sent once more, too, but its end is a fault', async () => {
    let requests = 0;
    const origin = await backend(async (wire) => {
      for (;;) {
        await message(wire);
        requests++;
        if (requests !== 2) wire.say(OK);
      }
    });
    const proxy = await plane({ old: [origin] });
    const client = await connect(proxy);
    await ask(client, GET);
    client.say(GET);
    await until('the second', () => requests === 2);
    proxy.skip(1_000);
    origin.wires[0]?.socket.destroy();
    expect((await message(client)).status).toBe(200);
    expect(requests).toBe(3);
    expect(faults(proxy)).toEqual({ upstreamReset: 1 });
    expect(attempts(proxy)).toEqual({ ok: 2, fault: 1, cancelled: 0 });
    expect(proxy.count(AT_RESCUES)).toBe(1);
  });

  test('the fresh connection is the last try', async () => {
    const seen: string[] = [];
    let answered = false;
    const origin = await backend(async (wire) => {
      for (;;) {
        seen.push((await message(wire)).startLine);
        if (answered) wire.socket.end();
        else wire.say(OK);
        answered = true;
      }
    });
    const proxy = await plane({ old: [origin] });
    const client = await connect(proxy);
    await ask(client, GET);
    expect((await ask(client, GET)).status).toBe(502);
    expect(seen).toHaveLength(3);
    expect(faults(proxy)).toEqual({ upstreamReset: 1 });
  });
});

describe('time', () => {
  const GRACE = TIMEOUTS.responseHeadMs + 1;

  test('no answer in time is a 504, and the backend is left', async () => {
    const origin = await backend();
    const proxy = await plane({ old: [origin] });
    const client = await connect(proxy, GET);
    const wire = await origin.asked();
    proxy.skip(GRACE);
    expect((await message(client)).status).toBe(504);
    await wire.isClosed();
    expect(faults(proxy)).toEqual({ responseHeadTimeout: 1 });
  });

  test('a request that takes too long in all is a 504', async () => {
    const origin = await backend();
    const proxy = await plane({ old: [origin], timeouts: { totalMs: 5000 } });
    const client = await connect(proxy, GET);
    await origin.asked();
    proxy.skip(5001);
    expect((await message(client)).status).toBe(504);
    expect(faults(proxy)).toEqual({ totalTimeout: 1 });
  });

  test.each([
    ['too long in all', { totalMs: 5000 }, 'totalTimeout'],
    ['stalled', {}, 'upstreamStalled'],
  ])('an answer that has begun and is %s is cut', async (_name, timeouts, fault) => {
    const origin = await backend(async (wire) => {
      await head(wire);
      wire.say(`${CHUNKED}4\r\nsome\r\n`);
    });
    const proxy = await plane({ old: [origin], timeouts });
    const client = await connect(proxy, GET);
    await client.sees('some');
    proxy.skip(GRACE);
    await broken(client);
    await (origin.wires[0] as Wire).isClosed();
    expect(faults(proxy)).toEqual({ [fault]: 1 });
  });

  test('a client that stops sending its body is told so, and nobody else is charged', async () => {
    const origin = await backend();
    const proxy = await plane({ old: [origin] });
    const client = await connect(proxy, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc');
    const wire = await origin.asked();
    await wire.sees('abc');
    proxy.skip(GRACE);
    const answer = await message(client);
    expect([answer.status, answer.get('connection')]).toEqual([408, 'close']);
    await client.isClosed();
    await wire.isClosed();
    expect(faults(proxy)).toEqual({});
    expect(attempts(proxy)).toEqual({ ok: 0, fault: 0, cancelled: 1 });
  });

  test('a backend that stops reading a body is charged with it', async () => {
    const origin = await backend(async (wire) => void wire.socket.pause());
    const proxy = await plane({ old: [origin] });
    const client = await connect(proxy, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n');
    await until('the client to be held back', () => {
      if (client.socket.writableLength === 0) client.say('x'.repeat(1 << 20));
      else return stands(client);
      return false;
    });
    proxy.skip(GRACE);
    expect((await message(client)).status).toBe(504);
    expect(faults(proxy)).toEqual({ responseHeadTimeout: 1 });
  });

  test('a client that stops reading its answer is dropped, and nobody is charged', async () => {
    const origin = await backend();
    const proxy = await plane({ old: [origin] });
    const client = await connect(proxy, GET);
    client.socket.pause();
    const wire = await origin.asked();
    wire.say('HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n');
    await until('the backend to be held back', () => {
      if (wire.socket.writableLength === 0) wire.say('x'.repeat(1 << 20));
      else return stands(wire);
      return false;
    });
    proxy.skip(GRACE);
    await wire.isClosed();
    expect(faults(proxy)).toEqual({});
    expect(attempts(proxy)).toEqual({ ok: 0, fault: 0, cancelled: 1 });
    proxy.skip(60_001);
    client.socket.resume();
    await broken(client);
  });

  const still = new Map<Wire, { bytes: number; polls: number }>();
  /** Asked again and again: true when the other end has not taken a byte for a while. */
  function stands(wire: Wire): boolean {
    const bytes = wire.socket.bytesWritten - wire.socket.writableLength;
    const before = still.get(wire);
    const polls = before?.bytes === bytes ? before.polls + 1 : 0;
    still.set(wire, { bytes, polls });
    return polls > 20;
  }
});

describe('a client that leaves costs the backend nothing and is nobody’s fault', () => {
  test.each([
    ['before the answer', ''],
    ['within the answer', `${CHUNKED}4\r\nsome\r\n`],
  ])('%s', async (_name, begun) => {
    const origin = await backend();
    const proxy = await plane({ old: [origin] });
    const client = await connect(proxy, GET);
    const wire = await origin.asked();
    if (begun !== '') {
      wire.say(begun);
      await client.sees('some');
    }
    client.socket.resetAndDestroy();
    await wire.isClosed();
    expect(faults(proxy)).toEqual({});
    expect(attempts(proxy)).toEqual({ ok: 0, fault: 0, cancelled: 1 });
  });

  test('within its body', async () => {
    const origin = await backend();
    const proxy = await plane({ old: [origin] });
    const client = await connect(
      proxy,
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n',
    );
    const wire = await origin.asked();
    await wire.sees('some');
    client.socket.resetAndDestroy();
    await wire.isClosed();
    // Not what a whole request ends with.
    expect(wire.received).not.toContain('0\r\n\r\n');
    expect(faults(proxy)).toEqual({});
    expect(attempts(proxy)).toEqual({ ok: 0, fault: 0, cancelled: 1 });
  });

  test('while the connection to the backend is being made', async () => {
    const origin = await backend();
    const backends = [
      { name: 'backend-old', connections: 0, tls: { insecure: true } },
      { name: 'backend-new', connections: 0 },
    ];
    const proxy = await plane({ old: [origin], table: { backends } });
    const client = await connect(proxy, GET);
    await until('a connection', () => origin.wires.length > 0);
    client.socket.resetAndDestroy();
    await (origin.wires[0] as Wire).isClosed();
    expect(attempts(proxy)).toEqual({ ok: 0, fault: 0, cancelled: 1 });
  });
});

test('a time-out never comes before its time, wherever in its beat the sweep is when the request begins', async () => {
  const origin = await backend();
  const proxy = await plane({ old: [origin], timeouts: { responseHeadMs: 120 } });
  const client = await connect(proxy);
  for (let i = 0; i < 6; i++) {
    // Each answer comes at another place in the beat, so the next request begins there.
    const askedAt = performance.now();
    expect((await ask(client, GET)).status).toBe(504);
    expect(performance.now() - askedAt).toBeGreaterThanOrEqual(120);
  }
});
