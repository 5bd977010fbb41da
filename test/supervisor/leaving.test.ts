/** A replica that is told to end: nobody is turned away before they could know, and nobody keeps it. */
import { Agent, get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Origins, Replica, yamlOf } from './replica.ts';
import { until } from './until.ts';

let origins: Origins;
let replica: Replica;

async function start(grace: string): Promise<void> {
  const yaml = yamlOf(await origins.start()).replace('drainTimeout: 5s', 'drainTimeout: 10m');
  replica.configure(yaml.replace('drainGrace: 0s', `drainGrace: ${grace}`));
  await replica.start();
}

beforeEach(() => {
  origins = new Origins();
  replica = new Replica();
});
afterEach(async () => {
  await replica.dispose();
  origins.stop();
});

function ask(agent: Agent | false): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get(replica.proxy, { agent }, resolve).once('error', reject);
  });
}

test('within the grace it is not ready, takes connections still, and its answers tell clients to go', async () => {
  await start('1500ms');
  const agent = new Agent({ keepAlive: true });
  await text(await ask(agent));
  replica.signal('SIGTERM');
  await until('no readiness', async () => (await fetch(`${replica.admin}/readyz`)).status === 503);
  for (const each of [agent, false] as const) {
    const response = await ask(each);
    expect([response.statusCode, response.headers.connection]).toEqual([200, 'close']);
    await text(response);
  }
  expect(await replica.exit()).toBe(0);
});

test('idle clients are told by the end of the connection, not by a reset, and do not keep it', async () => {
  await start('0s');
  const ends: Promise<string>[] = [];
  for (let i = 0; i < 20; i++) {
    const socket = connect(Number(new URL(replica.proxy).port), '127.0.0.1');
    ends.push(
      new Promise((resolve) => {
        socket.on('error', (error) => resolve(error.message));
        socket.on('end', () => resolve('ended'));
      }),
    );
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await new Promise((resolve) => socket.once('data', resolve));
  }
  replica.signal('SIGTERM');
  expect(await replica.exit()).toBe(0);
  expect(new Set(await Promise.all(ends))).toEqual(new Set(['ended']));
});

test('a signal to the whole process group starts no successors', async () => {
  await start('0s');
  const { workers } = await replica.status();
  for (const { pid } of workers) process.kill(pid, 'SIGTERM');
  replica.signal('SIGTERM');
  expect(await replica.exit()).toBe(0);
  expect(replica.stderr.match(/worker started/g)).toHaveLength(2);
});

test.each(['leaves before', 'stays'])('a client of events that %s does not keep it', async (how) => {
  await start('0s');
  const client = get(`${replica.admin}/v1/events`, { agent: new Agent({ keepAlive: true }) });
  client.on('error', () => {});
  const stream = await new Promise<IncomingMessage>((resolve) => client.once('response', resolve));
  stream.on('error', () => {}).resume();
  // Kept for another request, the connection would outlive the stream: for as long as the server lets one lie idle.
  expect(stream.headers.connection).toBe('close');
  if (how === 'leaves before') client.destroy();
  replica.signal('SIGTERM');
  expect(await replica.exit()).toBe(0);
});

test('a store that can never be opened does not keep it', async () => {
  replica.configure(yamlOf(await origins.start()).replace('file:state.json', 'file:/proc/1/none/state.json'));
  replica.launch();
  await until(
    'the admin API',
    async () => (await fetch(`${replica.admin}/readyz`).catch(() => undefined))?.status === 503,
  );
  replica.signal('SIGTERM');
  expect(await replica.exit()).toBe(0);
});
