import { afterEach, expect, test } from 'vitest';
import { AT_ATTEMPTS, AT_FAULTS, AT_INFLIGHT, AT_REQUESTS } from '../../src/domain/counts.ts';
import { Plane, ScriptedBackend } from './harness.ts';

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

async function backend(made: ScriptedBackend): Promise<ScriptedBackend> {
  stops.push(() => made.close());
  return made.listen();
}

async function plane(options: Parameters<typeof Plane.start>[0]): Promise<Plane> {
  const started = await Plane.start(options);
  stops.push(() => started.stop());
  return started;
}

const GET = 'GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n';
/** Cell of a 2xx answer over HTTP/1.1. */
const OK = AT_REQUESTS + 2;

test('one connection of a client and one to the backend serve many requests', async () => {
  const origin = await backend(ScriptedBackend.answering('hello'));
  const proxy = await plane({ old: [origin.port] });
  const client = await proxy.connect();
  for (let i = 0; i < 5; i++) {
    client.say(GET);
    expect(await client.sees('hello')).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nhello$/);
    client.take();
  }
  expect(origin.wires).toHaveLength(1);
  expect([proxy.count(OK), proxy.count(AT_ATTEMPTS), proxy.count(AT_INFLIGHT)]).toEqual([5, 5, 0]);
});

test('a kept connection that the backend closes just as a request arrives costs nobody anything: a fresh one is made', async () => {
  let dropped = 0;
  const origin = await backend(
    new ScriptedBackend((wire) => {
      let requests = 0;
      wire.socket.on('data', () => {
        requests++;
        if (requests === 1) {
          wire.say('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
        } else {
          dropped++;
          wire.socket.destroy();
        }
      });
    }),
  );
  const proxy = await plane({ old: [origin.port] });
  const client = await proxy.connect();
  for (let i = 0; i < 3; i++) {
    client.say(GET);
    expect(await client.sees('\r\n\r\nok')).toMatch(/^HTTP\/1\.1 200 OK/);
    client.take();
  }
  expect(dropped).toBe(2);
  expect([proxy.count(OK), proxy.count(AT_ATTEMPTS + 1), proxy.count(AT_FAULTS + 5)]).toEqual([3, 0, 0]);
});

test('a head that repeats itself is written anew where what it depends on has changed', async () => {
  const origin = await backend(ScriptedBackend.answering('hello'));
  const proxy = await plane({ old: [origin.port] });
  const client = await proxy.connect();
  const ask = async (request: string): Promise<string> => {
    client.say(request);
    const answer = await client.sees('hello');
    client.take();
    return answer;
  };
  const old = 'GET / HTTP/1.0\r\nHost: shop.example\r\nConnection: keep-alive\r\n\r\n';
  for (let i = 0; i < 2; i++) {
    expect(await ask(GET)).not.toMatch(/^connection:/im);
    expect(await ask(GET)).not.toMatch(/^connection:/im);
    expect(await ask(old)).toMatch(/^connection: keep-alive\r\n/im);
    expect(await ask(old)).toMatch(/^connection: keep-alive\r\n/im);
  }
  expect(await ask('GET / HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n')).toMatch(
    /^connection: close\r\n/im,
  );
  expect(origin.wires).toHaveLength(1);
});
