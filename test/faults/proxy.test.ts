/** What is done to the proxy's own processes, and to it by clients and backends, under traffic of every habit. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freePort } from '../store/redis/servers.ts';
import { Replica, yamlOf } from '../supervisor/replica.ts';
import { until } from '../supervisor/until.ts';
import { OUTAGE_MS, sleep } from './outage.ts';
import { Backends, type Tally, Traffic } from './traffic.ts';

const TIMEOUT_MS = 60_000 + 3 * OUTAGE_MS;

let backends: Backends;
let replica: Replica;
let port: number;
let yaml: string;

beforeEach(async () => {
  backends = new Backends();
  port = await freePort();
  yaml = yamlOf(await backends.start(), {
    head: 'limits: { bodyBytes: 1000 }\ndefaults: { timeouts: { requestHead: 1s } }',
  })
    .replace('listeners: [{ address: "127.0.0.1:0" }]', `listeners: [{ address: "127.0.0.1:${port}" }]`)
    .replace('drainTimeout: 5s', 'drainTimeout: 60s');
  replica = new Replica();
  replica.configure(yaml);
  await replica.start();
  await replica.setWeight('demo', 50);
});

afterEach(async () => {
  await replica.dispose();
  backends.stop();
});

/** Traffic while it happens, and as long before and after. */
async function suffer(name: string, act: (traffic: Traffic) => Promise<void>): Promise<Tally> {
  const traffic = new Traffic(() => `http://127.0.0.1:${port}/`);
  await until('traffic', () => traffic.sent > 200);
  await act(traffic);
  const before = traffic.sent;
  await until('traffic afterwards', () => traffic.sent > before + 200);
  const tally = await traffic.stop();
  const { sent, answered, failed, echoed } = tally;
  const row = [name.padEnd(44), sent, answered, failed, backends.seenTwice, echoed].join(' | ');
  process.stdout.write(`| ${row} |   (sent, answered, failed, seen twice, WebSocket messages)\n`);
  expect(backends.seenTwice).toBe(0);
  expect(sent).toBe(answered + failed);
  return tally;
}

const pids = async (): Promise<number[]> => (await replica.status()).workers.map(({ pid }) => pid);

test('20 reloads and a weight change each 100 ms: nobody notices', { timeout: TIMEOUT_MS }, async () => {
  const { failures } = await suffer('20 reloads, a weight change each 100 ms', async () => {
    for (let i = 0; i < 20; i++) {
      replica.configure(`${yaml}fleet: default\n`.replace('requestHead: 1s', `requestHead: ${1_000 + i}ms`));
      replica.signal('SIGHUP');
      await replica.setWeight('demo', i % 2 === 0 ? 20 : 80);
      await sleep(100);
    }
  });
  expect(failures).toEqual([]);
});

test('rolling restarts of all workers: nobody notices but WebSockets at the deadline', {
  timeout: TIMEOUT_MS,
}, async () => {
  const { failures } = await suffer('3 rolling restarts of all workers', async () => {
    for (let i = 0; i < 3; i++) {
      const before = await pids();
      replica.signal('SIGUSR2');
      await until(
        'successors',
        async () =>
          (await replica.status()).workers.filter(({ pid, ready }) => ready && !before.includes(pid)).length === 2,
      );
    }
  });
  expect(failures).toEqual([]);
});

test('one worker killed: only what it had under way fails, and it is replaced', { timeout: TIMEOUT_MS }, async () => {
  const { failed, broken } = await suffer('one worker killed', async () => {
    const [victim = 0, other] = await pids();
    process.kill(victim, 'SIGKILL');
    await until('a successor', async () => {
      const { workers } = await replica.status();
      return workers.length === 2 && workers.every(({ pid, ready }) => ready && pid !== victim);
    });
    expect(await pids()).toContain(other);
  });
  // The few requests of 400 a second that were on their way, and its WebSockets.
  expect(failed).toBeLessThan(40);
  expect(broken).toBeLessThanOrEqual(2 * 20);
});

test('one worker hangs: it is noticed and replaced', { timeout: TIMEOUT_MS }, async () => {
  const [victim = 0] = await pids();
  process.kill(victim, 'SIGSTOP');
  await until('a successor', async () => {
    const { workers } = await replica.status();
    return workers.length === 2 && workers.every(({ pid, ready }) => ready && pid !== victim);
  });
  expect(replica.stderr).toContain('said nothing for 5 s');
});

test('the supervisor is killed and started again: its workers serve on, and the new one takes over', {
  timeout: TIMEOUT_MS,
}, async () => {
  const { failures } = await suffer('supervisor killed, started again', async (traffic) => {
    const before = await pids();
    replica.signal('SIGKILL');
    await replica.exit();
    const { sent } = traffic;
    await until('requests without a supervisor', () => traffic.sent > sent + 200);
    await replica.start();
    expect((await replica.route('demo')).weight).toBe(50);
    expect((await pids()).some((pid) => before.includes(pid))).toBe(false);
  });
  // Between the orphans' letting go of the port and the new workers' taking it, a new connection can be refused.
  expect(failures.filter((failure) => /^(?:sleeper|WebSocket)|status/.test(failure))).toEqual([]);
});

/** Sends it, and resolves with all that comes until the end. */
function exchange(bytes: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let received = '';
    socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
    socket.on('error', (error) => resolve(`${received}\n${error.message}`));
    socket.on('close', () => resolve(received));
    socket.write(bytes, 'latin1');
  });
}

test('100 slow heads, heads and bodies too large: refused, and nobody else notices', {
  timeout: TIMEOUT_MS,
}, async () => {
  const { failures } = await suffer('slow heads, heads and bodies too large', async () => {
    const slow = await Promise.all(Array.from({ length: 100 }, () => exchange('GET / HTTP/1.1\r\nHost: x\r\nX')));
    expect(new Set(slow.map((answer) => answer.split(' ')[1]))).toEqual(new Set(['408']));
    const large = await exchange(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`);
    expect(large).toMatch(/^HTTP\/1.1 431 /);
    expect(await exchange('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n')).toMatch(/^HTTP\/1.1 413 /);
  });
  expect(failures).toEqual([]);
});

test('a backend that breaks off its answer: the client sees it, and it is asked once', {
  timeout: TIMEOUT_MS,
}, async () => {
  let asked = 0;
  const breaking: Server = createServer((socket: Socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      asked++;
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf');
      setTimeout(() => socket.resetAndDestroy(), 20);
    });
  });
  await new Promise<void>((resolve) => breaking.listen(0, '127.0.0.1', resolve));
  const address = `127.0.0.1:${(breaking.address() as AddressInfo).port}`;
  replica.configure(yaml.replace(/static: \["[^"]+"\]/g, `static: ["${address}"]`));
  replica.signal('SIGHUP');
  await until('the new backends', async () => (await replica.route('demo')).old.endpoints.includes(address));
  const answer = await exchange('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  expect(answer).toContain('content-length: 1000');
  expect(answer.endsWith('half') || answer.includes('ECONNRESET')).toBe(true);
  expect(asked).toBe(1);
  breaking.close();
});
