/** Answers that come before the request's body has. */
import { expect, test } from 'vitest';
import { AT_ATTEMPTS, AT_FAULTS } from '../../src/domain/counts.ts';
import { OUTCOME_FAULT } from '../../src/domain/outcome.ts';
import { until } from './harness.ts';
import { ask, backend, connect, GET, gone, head, message, OK, plane } from './scene.ts';

const EARLY = 'HTTP/1.1 413 Content Too Large\r\ncontent-length: 5\r\n\r\nlarge';
const MIB = 1 << 20;

test('the answer is given at once, the rest of the body is dropped and the connection serves the next request', async () => {
  const origin = await backend(async (wire) => {
    const asked = await head(wire);
    wire.say(asked.startsWith('GET') ? OK : EARLY);
  });
  const proxy = await plane({ old: [origin] });
  const client = await connect(proxy, 'POST / HTTP/1.1\r\nHost: a\r\ncontent-length: 10\r\n\r\n12345');
  expect((await message(client)).body).toBe('large');
  expect((await ask(client, `67890${GET}`)).body).toBe('ok');
  expect(client.received).toBe('');
});

test('a backend connection whose request was not sent whole is not used again', async () => {
  const origin = await backend(async (wire) => {
    const asked = await head(wire);
    wire.say(asked.startsWith('GET') ? OK : EARLY);
  });
  const proxy = await plane({ old: [origin] });
  const client = await connect(proxy, 'POST / HTTP/1.1\r\nHost: a\r\ncontent-length: 10\r\n\r\n12345');
  await message(client);
  await ask(client, `67890${GET}`);
  expect(origin.wires).toHaveLength(2);
  expect(origin.wires[0]?.received).not.toContain('GET');
});

test('a client that goes on and on is closed, after it has been told', async () => {
  const origin = await backend(async (wire) => {
    await head(wire);
    wire.say(EARLY);
  });
  const proxy = await plane({ old: [origin] });
  const client = await connect(proxy, `POST / HTTP/1.1\r\nHost: a\r\ncontent-length: ${100 * MIB}\r\n\r\n`);
  expect((await message(client)).status).toBe(413);
  const piece = 'x'.repeat(MIB);
  await until('the connection to be closed', () => {
    if (!client.closed && client.socket.writableLength === 0) client.say(piece);
    return client.ended || client.closed;
  });
});

test('an answer is not lost when the backend closes without reading on and the proxy is still writing', async () => {
  const origin = await backend();
  const proxy = await plane({ old: [origin] });
  const client = await connect(proxy, 'POST / HTTP/1.1\r\nHost: a\r\ncontent-length: 100\r\n\r\n12345');
  const wire = await origin.asked();
  await wire.sees('12345');
  // All in one turn: the proxy finds more of the body first, and writing it is refused while the answer is still to be read.
  client.say('67890');
  wire.say('HTTP/1.1 413 Content Too Large\r\nconnection: close\r\ncontent-length: 5\r\n\r\nlarge');
  wire.socket.resetAndDestroy();
  expect((await message(client)).body).toBe('large');
  expect(proxy.count(AT_ATTEMPTS + OUTCOME_FAULT)).toBe(0);
});

test('a client that was refused while it waits for 100 (Continue) is closed: whether it sends the body now is anyone’s guess', async () => {
  const origin = await backend(async (wire) => {
    await head(wire);
    wire.say('HTTP/1.1 417 Expectation Failed\r\ncontent-length: 0\r\n\r\n');
  });
  const proxy = await plane({ old: [origin] });
  const client = await connect(
    proxy,
    'POST / HTTP/1.1\r\nHost: a\r\nexpect: 100-continue\r\ncontent-length: 10\r\n\r\n',
  );
  const answer = await message(client);
  expect([answer.status, answer.get('connection')]).toEqual([417, 'close']);
  await client.isClosed();
});

test('a FIN in the middle of a body that nobody wants any more does not cost the client its answer', async () => {
  const large = 'z'.repeat(8 * MIB);
  const origin = await backend(async (wire) => {
    await head(wire);
    wire.say(`HTTP/1.1 413 Content Too Large\r\ncontent-length: ${large.length}\r\n\r\n${large}`);
  });
  const proxy = await plane({ old: [origin] });
  const client = await connect(proxy);
  client.socket.pause();
  client.say('POST / HTTP/1.1\r\nHost: a\r\ncontent-length: 10\r\n\r\n12345');
  await until('the answer to be under way', () => (origin.wires[0]?.socket.bytesWritten ?? 0) > MIB);
  client.socket.resume();
  await until('most of the answer', () => client.received.length > large.length);
  client.socket.end();
  expect((await message(client)).body).toHaveLength(large.length);
});

test('a body that is no valid chunking after a HEAD request is refused without a body', async () => {
  const proxy = await plane({ old: [await backend(async () => undefined)] });
  const client = await connect(proxy, 'HEAD / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: chunked\r\n\r\nnonsense\r\n');
  expect(await client.isClosed()).toMatch(/^HTTP\/1\.1 400 [^]*\r\n\r\n$/);
});

test('a body that breaks off in the middle cancels the request at the backend and counts against nobody', async () => {
  const origin = await backend();
  const proxy = await plane({ old: [origin] });
  const client = await connect(proxy, 'POST / HTTP/1.1\r\nHost: a\r\ncontent-length: 10\r\n\r\n12345');
  const wire = await origin.asked();
  client.socket.end();
  await gone(client);
  await wire.isClosed();
  expect(proxy.count(AT_ATTEMPTS + OUTCOME_FAULT)).toBe(0);
  expect(proxy.count(AT_ATTEMPTS + 3)).toBe(1);
  expect(proxy.count(AT_FAULTS)).toBe(0);
});
