/** Bodies as they pass: every framing on either side, every size around the limits of the buffers, and messages without one. */
import { describe, expect, test } from 'vitest';
import type { Wire } from './harness.ts';
import type { ReceivedMessage } from './message.ts';
import { answering, ask, backend, connect, GET, head, message, OK, plane, through } from './scene.ts';

function pattern(length: number): string {
  return 'abcdefghijklmnopqrstuvwxyz0123456789'.repeat(Math.ceil(length / 36)).slice(0, length);
}

function chunked(body: string, size: number): string {
  let text = '';
  for (let at = 0; at < body.length; at += size) {
    const piece = body.slice(at, at + size);
    text += `${piece.length.toString(16)}\r\n${piece}\r\n`;
  }
  return `${text}0\r\n\r\n`;
}

type Framing = 'Content-Length' | 'chunked';

/** Field line and framed body. */
function framed(framing: Framing, body: string, chunk: number): string {
  return framing === 'chunked'
    ? `transfer-encoding: chunked\r\n\r\n${chunked(body, chunk)}`
    : `content-length: ${body.length}\r\n\r\n${body}`;
}

/** Gives each request's body back, framed as it came. */
async function echo(wire: Wire): Promise<void> {
  for (;;) {
    const asked = await message(wire);
    const framing = asked.get('transfer-encoding') === undefined ? 'Content-Length' : 'chunked';
    wire.say(`HTTP/1.1 200 OK\r\n${framed(framing, asked.body, 5000)}`);
  }
}

const SIZES = [0, 1, 8191, 8192, 8193, 65_535, 65_536, 65_537, 300_000];

describe.each<Framing>(['Content-Length', 'chunked'])('%s', (framing) => {
  test('bodies of all sizes arrive whole, there and back, on one connection', async () => {
    const origin = await backend(echo);
    const client = await connect(await plane({ old: [origin] }));
    for (const size of SIZES) {
      const body = pattern(size);
      const answer = await ask(client, `POST / HTTP/1.1\r\nHost: a\r\n${framed(framing, body, 7000)}`);
      expect(answer.status).toBe(200);
      expect(answer.get('content-length')).toBe(framing === 'chunked' ? undefined : String(size));
      expect(answer.body === body, `body of ${size}`).toBe(true);
    }
    expect(origin.wires).toHaveLength(1);
  });

  test('the body of a GET goes along', async () => {
    const seen: ReceivedMessage[] = [];
    const client = await connect(await plane({ old: [await answering(OK, seen)] }));
    expect((await ask(client, `GET /q HTTP/1.1\r\nHost: a\r\n${framed(framing, 'select', 3)}`)).body).toBe('ok');
    expect([seen[0]?.startLine, seen[0]?.body]).toEqual(['GET /q HTTP/1.1', 'select']);
  });

  test('a body in single bytes arrives', async () => {
    const client = await connect(await plane({ old: [await backend(echo)] }));
    client.socket.setNoDelay(true);
    for (const byte of `POST / HTTP/1.1\r\nHost: a\r\n${framed(framing, 'in small pieces', 4)}`) {
      await new Promise((written) => client.socket.write(byte, 'latin1', written));
    }
    expect((await message(client)).body).toBe('in small pieces');
  });
});

test('a chunked request cut within its trailer section is not left waiting', async () => {
  const origin = await backend();
  const client = await connect(await plane({ old: [origin] }));
  const begin = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\ndata';
  const end = '\r\n0\r\nX-Sum: 7\r\n\r\n';
  for (let cut = 0; cut <= end.length; cut++) {
    client.say(begin + end.slice(0, cut));
    const wire = await origin.asked();
    await wire.sees('data');
    client.say(end.slice(cut));
    const asked = await message(wire);
    expect([asked.body, asked.trailers]).toEqual(['data', 'X-Sum: 7\r\n']);
    wire.say(OK);
    expect((await message(client)).body).toBe('ok');
  }
});

test('a chunked request that is pipelined with half of its trailer section is not left waiting', async () => {
  const origin = await backend();
  const client = await connect(await plane({ old: [origin] }));
  client.say(`${GET}POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ndata\r\n0\r\nX-Su`);
  const first = await origin.asked();
  await head(first);
  first.say(OK);
  expect((await message(client)).body).toBe('ok');
  const second = await origin.asked(1);
  await second.sees('data');
  client.say('m: 7\r\n\r\n');
  expect((await message(second)).trailers).toBe('X-Sum: 7\r\n');
  second.say(OK);
  expect((await message(client)).body).toBe('ok');
});

describe('answers without a body leave the connections good for the next request', () => {
  test.each([
    ['HEAD with a length', 'HEAD', 'HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n', '1000'],
    ['HEAD of a chunked resource', 'HEAD', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n', undefined],
    ['HEAD without a length', 'HEAD', 'HTTP/1.1 200 OK\r\n\r\n', undefined],
    ['204', 'GET', 'HTTP/1.1 204 No Content\r\n\r\n', undefined],
    [
      '204 with a length, which it may not have',
      'GET',
      'HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n',
      undefined,
    ],
    ['304 with the length of what it stands for', 'GET', 'HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n', '5'],
    ['200 of length 0', 'GET', 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n', '0'],
  ])('%s', async (_name, method, bytes, length) => {
    const origin = await answering(bytes);
    const client = await connect(await plane({ old: [origin] }));
    for (let i = 0; i < 3; i++) {
      const answer = await ask(client, `${method} / HTTP/1.1\r\nHost: a\r\n\r\n`, true);
      expect([answer.get('content-length'), answer.get('connection')]).toEqual([length, undefined]);
      expect(answer.get('transfer-encoding')).toBe(undefined);
    }
    expect(client.received).toBe('');
    expect(origin.wires).toHaveLength(1);
  });
});

describe('every framing of a backend, to clients of either version', () => {
  const body = pattern(20_000);
  const FRAMINGS = {
    'Content-Length': `HTTP/1.1 200 OK\r\n${framed('Content-Length', body, 0)}`,
    chunked: `HTTP/1.1 200 OK\r\n${framed('chunked', body, 999)}`,
    'close-delimited': `HTTP/1.1 200 OK\r\n\r\n${body}`,
    'HTTP/1.0 with a length': `HTTP/1.0 200 OK\r\n${framed('Content-Length', body, 0)}`,
    'HTTP/1.0 close-delimited': `HTTP/1.0 200 OK\r\n\r\n${body}`,
  };
  test.each(Object.entries(FRAMINGS))('%s', async (_name, bytes) => {
    const origin = await backend(async (wire) => {
      await head(wire);
      wire.socket.end(bytes, 'latin1');
    });
    const proxy = await plane({ old: [origin] });
    const client = await connect(proxy);
    for (let i = 0; i < 2; i++) {
      const answer = await ask(client, GET);
      expect(answer.startLine).toBe('HTTP/1.1 200 OK');
      expect(answer.body === body).toBe(true);
    }
    const old = await connect(proxy, 'GET / HTTP/1.0\r\n\r\n');
    const answer = await message(old);
    expect(answer.get('transfer-encoding')).toBe(undefined);
    expect(answer.body === body).toBe(true);
    await old.isClosed();
    expect(old.error).toBe('');
  });
});

test('an HTTP/1.0 client sends a body', async () => {
  const seen: ReceivedMessage[] = [];
  const client = await connect(await plane({ old: [await answering(OK, seen)] }));
  expect((await ask(client, 'POST / HTTP/1.0\r\nContent-Length: 4\r\n\r\nbody')).body).toBe('ok');
  expect(seen[0]?.body).toBe('body');
});

test('bytes of a body leave as they come, without waiting for its end', async () => {
  const origin = await backend();
  const client = await connect(
    await plane({ old: [origin] }),
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc',
  );
  const wire = await origin.asked();
  await head(wire);
  await through(wire, 'abc');
  wire.say('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\n123\r\n');
  await client.sees('3\r\n123\r\n');
  client.say('def');
  await through(wire, 'def');
  wire.say('3\r\n456\r\n0\r\n\r\n');
  expect((await message(client)).body).toBe('123456');
});
