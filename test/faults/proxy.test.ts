/** What is done to the proxy's own processes, and to it by clients and backends, under traffic of every habit. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { freePort } from '../store/redis/servers.ts';
import { Replica, yamlOf } from '../supervisor/replica.ts';
import { until } from '../supervisor/until.ts';
import { CallBackends, Calls } from './calls.ts';
import { OUTAGE_MS, sleep } from './outage.ts';
import { addRow, IS_LONG } from './table.ts';
import { Backends, type Tally, Traffic } from './traffic.ts';

/** Workers without a supervisor serve on for 10 s: whoever starts later than that finds them gone, and their streams with them. */
const SLOW_START_MS = 8_000;
const TIMEOUT_MS = 60_000 + 3 * OUTAGE_MS;
/** Slow clients, and what they are given for a head. */
const SLOW_CLIENTS = IS_LONG ? 1_000 : 100;
const SLOW_HEAD_S = IS_LONG ? 10 : 1;
/** Bytes: more than a gRPC stream of the traffic sends while it lasts, for its requests are a body too. */
const LARGEST_BODY = 10_000_000;

let backends: Backends;
let callBackends: CallBackends;
let replica: Replica;
let port: number;
let yaml: string;
let isRunning = false;

/** One replica suffers one after the other; one that has not got over the last is replaced. */
beforeEach(async () => {
  if (isRunning && (await isWell())) return;
  await dispose();
  backends = new Backends();
  port = await freePort();
  callBackends = new CallBackends();
  await callBackends.start();
  const head = `limits: { bodyBytes: ${LARGEST_BODY} }\ndefaults: { timeouts: { requestHead: ${SLOW_HEAD_S}s } }`;
  yaml = callBackends
    .routed(yamlOf(await backends.start(), { head }))
    .replace('listeners: [{ address: "127.0.0.1:0" }]', `listeners: [{ address: "127.0.0.1:${port}" }]`)
    .replace('drainTimeout: 5s', 'drainTimeout: 10m');
  replica = new Replica();
  isRunning = true;
  replica.configure(yaml);
  await replica.start();
  await replica.setWeight('demo', 50);
});
afterAll(dispose);

async function dispose(): Promise<void> {
  if (!isRunning) return;
  isRunning = false;
  await replica.dispose();
  backends.stop();
  callBackends.stop();
}

/** By the configuration of the start, once what the last fault left behind has gone. */
async function isWell(): Promise<boolean> {
  try {
    const logged = replica.stderr.length;
    replica.configure(yaml);
    replica.signal('SIGHUP');
    await until('the configuration', () => replica.stderr.slice(logged).includes('configuration in use'));
    await until('two workers', async () => {
      const { workers } = await replica.status();
      return workers.length === 2 && workers.every(({ ready }) => ready);
    });
    await replica.setWeight('demo', 50);
    return true;
  } catch {
    return false;
  }
}

/** Traffic while it happens, and as long before and after. */
async function suffer(fault: string, act: (traffic: Traffic) => Promise<void>, limit = '0 failed'): Promise<Tally> {
  const traffic = new Traffic(() => `http://127.0.0.1:${port}/`);
  const calls = new Calls(`http://127.0.0.1:${port}/`);
  const stopped = async (): Promise<Tally> => sum(await traffic.stop(), await calls.stop());
  try {
    await until('traffic', () => traffic.sent > 200 && calls.sent > 50);
    await act(traffic);
    const before = [traffic.sent, calls.sent] as const;
    await until('traffic afterwards', () => traffic.sent > before[0] + 200 && calls.sent > before[1] + 50);
  } catch (error) {
    // Whoever comes next finds no traffic of this one.
    await stopped();
    throw error;
  }
  const tally = await stopped();
  const { sent, answered, failed, echoed, broken } = tally;
  const seenTwice = backends.seenTwice + callBackends.seenTwice;
  const figure = `${echoed} messages over WebSockets and gRPC streams, ${broken} of these broken`;
  addRow({ fault, sent, answered, failed, seenTwice, figure, limit });
  expect(seenTwice).toBe(0);
  expect(sent).toBe(answered + failed);
  return tally;
}

function sum(a: Tally, b: Tally): Tally {
  return {
    sent: a.sent + b.sent,
    answered: a.answered + b.answered,
    failed: a.failed + b.failed,
    failures: [...a.failures, ...b.failures],
    failedRequests: [...a.failedRequests, ...b.failedRequests],
    echoed: a.echoed + b.echoed,
    broken: a.broken + b.broken,
  };
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
  const { failed, broken } = await suffer(
    'one worker killed',
    async () => {
      const [victim = 0, other] = await pids();
      process.kill(victim, 'SIGKILL');
      await until('a successor', async () => {
        const { workers } = await replica.status();
        return workers.length === 2 && workers.every(({ pid, ready }) => ready && pid !== victim);
      });
      expect(await pids()).toContain(other);
    },
    'only what it had under way',
  );
  // The few requests of 600 a second that were on their way, and its WebSockets and streams.
  expect(failed).toBeLessThan(60);
  expect(broken).toBeLessThanOrEqual(2 * 20 + 5);
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
  let isLate = false;
  const { failures } = await suffer(
    'supervisor killed, started again',
    async (traffic) => {
      const before = await pids();
      replica.signal('SIGKILL');
      await replica.exit();
      const { sent } = traffic;
      await until('requests without a supervisor', () => traffic.sent > sent + 200);
      const begun = performance.now();
      await replica.start();
      isLate = performance.now() - begun > SLOW_START_MS;
      expect((await replica.route('demo')).weight).toBe(50);
      expect((await pids()).some((pid) => before.includes(pid))).toBe(false);
    },
    'kept connections and streams go on',
  );
  // Between the orphans' letting go of the port and the new workers' taking it, a new connection can be refused.
  const isAllowed = /ECONNREFUSED|^(?:kept|fresh|h2|call): (?!status)/;
  const unexpected = failures.filter((failure) => !isAllowed.test(failure));
  if (!isLate) expect(unexpected).toEqual([]);
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

test(`${SLOW_CLIENTS} slow heads, heads and bodies too large: refused, and nobody else notices`, {
  timeout: TIMEOUT_MS,
}, async () => {
  let closedAfterMs = 0;
  const { failures } = await suffer('slow heads, heads and bodies too large', async () => {
    const begun = performance.now();
    const head = 'GET / HTTP/1.1\r\nHost: x\r\nX';
    const slow = await Promise.all(Array.from({ length: SLOW_CLIENTS }, () => exchange(head)));
    closedAfterMs = performance.now() - begun;
    expect(new Set(slow.map((answer) => answer.split(' ')[1]))).toEqual(new Set(['408']));
    const large = await exchange(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`);
    expect(large).toMatch(/^HTTP\/1.1 431 /);
    expect(await exchange(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${LARGEST_BODY + 1}\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 413 /,
    );
  });
  const figure = `all answered 408 and closed after ${(closedAfterMs / 1_000).toFixed(1)} s`;
  addRow({ fault: `${SLOW_CLIENTS} slow heads, ${SLOW_HEAD_S} s for one`, figure, limit: `${SLOW_HEAD_S + 5} s` });
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
