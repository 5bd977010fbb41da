/** Weight changes, restarts of workers and of backends under gRPC: no call fails, and no stream breaks. */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Replica } from '../supervisor/replica.ts';
import { until } from '../supervisor/until.ts';
import { type GrpcBackend, GrpcJsBackend, NodeBackend } from './grpc-backends.ts';
import { GrpcTraffic } from './grpc-traffic.ts';
import { OUTAGE_MS, sleep } from './outage.ts';

const TIMEOUT_MS = 180_000 + 3 * OUTAGE_MS;
/** For all connections and streams of a slow machine. */
const PATIENCE_MS = 60_000;
const IS_LONG = process.env['CROSSFADE_OUTAGE_MS'] !== undefined;

let backends: GrpcBackend[] = [];
let replica: Replica;

beforeEach(async () => {
  backends = await Promise.all([
    GrpcJsBackend.start(),
    GrpcJsBackend.start(),
    NodeBackend.start(),
    NodeBackend.start(),
  ]);
  const [a, b, c, d] = backends.map(({ port }) => `"127.0.0.1:${port}"`);
  replica = new Replica();
  replica.configure(`
listeners: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0" }
store: file:state.json
workers: 2
drainTimeout: 120s
drainGrace: 0s
backends:
  backend-old: { protocol: h2, discovery: { static: [${a}, ${b}] } }
  backend-new: { protocol: h2, discovery: { static: [${c}, ${d}] } }
routes:
  - { name: demo, match: { path: / }, old: backend-old, new: backend-new, weight: 50 }
`);
  await replica.start();
});

afterEach(async () => {
  // Its workers would wait for streams that last.
  await replica.kill();
  await replica.dispose();
  for (const backend of backends) backend.stop();
});

const readyPids = async (): Promise<number[]> =>
  (await replica.status()).workers.filter(({ ready }) => ready).map(({ pid }) => pid);

async function restartWorkers(): Promise<void> {
  const before = await readyPids();
  replica.signal('SIGUSR2');
  await until(
    'successors',
    async () => {
      const pids = await readyPids();
      return pids.length === 2 && pids.every((pid) => !before.includes(pid));
    },
    PATIENCE_MS,
  );
}

/** Weight changes all the while; all workers once, then each backend, one after the other. */
async function upset(progress: () => Promise<unknown>): Promise<void> {
  const over = new AbortController();
  const changes = (async () => {
    for (let i = 0; !over.signal.aborted; i++) {
      await replica.setWeight('demo', i % 2 === 0 ? 20 : 80);
      await sleep(100);
    }
  })();
  const end = performance.now() + OUTAGE_MS;
  do {
    await restartWorkers();
    await progress();
    for (const backend of backends) {
      await backend.restart();
      await progress();
    }
  } while (performance.now() < end);
  over.abort();
  await changes;
}

test('@grpc/grpc-js: 8 connections with 16 calls each, and 10 streams that last', { timeout: TIMEOUT_MS }, async () => {
  const traffic = new GrpcTraffic(new URL(replica.proxy).host);
  const progress = (): Promise<unknown> => {
    const { calls, messages } = traffic;
    return until(
      'calls and messages',
      () => traffic.calls >= calls + 100 && traffic.messages >= messages + 10,
      PATIENCE_MS,
    );
  };
  await progress();
  await upset(progress);
  const { failures, calls, messages } = await traffic.stop();
  process.stdout.write(
    `| gRPC under restarts and weight changes | ${calls} calls, ${messages} messages of streams |\n`,
  );
  expect(failures).toEqual([]);
});

test.skipIf(!IS_LONG)('h2load: 8 connections with 16 requests each', { timeout: TIMEOUT_MS }, async () => {
  const body = join(replica.folder, 'message');
  writeFileSync(body, Buffer.from([0, 0, 0, 0, 1, 0x61]));
  const fields = ['-H', 'content-type: application/grpc', '-H', 'te: trailers'];
  const args = ['-t1', '-c8', '-m16', `-D${Math.ceil(OUTAGE_MS / 1000) + 5}`, '-d', body, ...fields];
  const load = spawn('h2load', [...args, `${replica.proxy}/test.v1.Echo/Unary`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const report = text(load.stdout);
  await upset(() => sleep(500));
  process.stdout.write(await report);
  expect(await report).toMatch(/ 0 failed, 0 errored, 0 timeout/);
});
