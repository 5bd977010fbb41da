/** The new side falls ill under a steady load: traffic goes back to old, nobody's request is sent twice, and old does not suffer. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { until } from '../supervisor/until.ts';
import { sleep } from './outage.ts';
import { type Place, places, RATE, Scene } from './scene.ts';
import { addRow, IS_LONG, quantile } from './table.ts';

const TIMEOUT_MS = 120_000;
/** In which both sides are away. */
const AWAY_MS = IS_LONG ? 60_000 : 1_500;
/** Clients that read 10 MB slowly, and for how long. */
const READERS = IS_LONG ? 1_000 : 100;
const READING_MS = IS_LONG ? 15_000 : 1_500;
const GROWTH_MIB = 150;

test.each([
  ['refuses connections', 'refusing'],
  ['answers 503', 'unavailable'],
  ['resets in the middle of its answers', 'cutting'],
])('new %s: the route goes back to old, and no POST is sent twice', { timeout: TIMEOUT_MS }, async (what, mode) => {
  const scene = new Scene();
  const [old, fresh] = (await places('old', 'new')) as [Place, Place];
  await scene.backend(old);
  const ill = await scene.backend(fresh, mode);
  await scene.serve([old], [fresh], 'judge: {}');
  scene.load('POST');
  await scene.pass(1);
  const fellIll = performance.now();
  ill.kill('SIGUSR2');
  await until('the rollback', async () => (await scene.replica.route('demo')).weight === 0, 60_000);
  const ms = performance.now() - fellIll;
  await scene.pass(0.5);
  const backAt = performance.now();
  await scene.pass(0.5);
  await scene.rest(`new ${what}`, 'weight 0 after at most 5 s', () => `; weight 0 after ${Math.round(ms)} ms`);
  expect(scene.seenTwice()).toEqual([]);
  // Half an answer never looks like a whole one.
  expect(new Set(scene.answers.map(({ side }) => side))).toEqual(
    new Set(scene.failures.length > 0 ? ['old', 'new', ''] : ['old', 'new']),
  );
  // A connection that is refused fails nobody; what was on its way in the others when they were cut may not be sent again.
  if (mode === 'refusing') expect(scene.failures.length).toBeLessThanOrEqual(RATE / 100);
  expect(scene.answers.filter(({ sentAt, side }) => sentAt >= backAt && side !== 'old')).toEqual([]);
  expect(await scene.replica.route('demo')).toMatchObject({ state: 'rolledBack' });
});

test.each([
  ['does not answer', 'hung', 'SIGUSR2'],
  ['stands still, connections and all', '', 'SIGSTOP'],
] as const)(
  'new %s: its requests end in time, and those of old are served as before',
  {
    timeout: TIMEOUT_MS,
  },
  async (what, mode, signal) => {
    const scene = new Scene();
    const [old, fresh] = (await places('old', 'new')) as [Place, Place];
    await scene.backend(old);
    const ill = await scene.backend(fresh, mode);
    const policy = 'timeouts: { responseHead: 1s }, rescue: { budget: 0 }, judge: { adviseOnly: true, ceiling: 0 }';
    await scene.serve([old], [fresh], policy);
    scene.load('POST');
    // The processes have just started, and are slower than they will be.
    await scene.pass(1);
    const warm = performance.now();
    await scene.pass(2);
    const fellIll = performance.now();
    ill.kill(signal);
    await scene.pass(3);
    const timesOf = (from: number, to: number, side: string): number[] =>
      scene.answers.filter((one) => one.side === side && one.sentAt >= from && one.sentAt < to).map(({ ms }) => ms);
    const end = performance.now();
    const limit = '504 after 1000 ms ±10 %, p99 of old at most 10 % more';
    await scene.rest(`new ${what}`, limit, () => {
      const late = timesOf(fellIll, end, '');
      const [before, during] = [timesOf(warm, fellIll, 'old'), timesOf(fellIll, end, 'old')];
      return `; 504 after ${quantile(late, 0).toFixed(0)} to ${quantile(late, 1).toFixed(0)} ms; old p99 ${p99(before)} ms before, ${p99(during)} ms then`;
    });
    ill.kill('SIGCONT');
    expect(new Set(scene.failures)).toEqual(new Set(['status 504']));
    expect(scene.seenTwice()).toEqual([]);
    expect(timesOf(fellIll, end, 'old').length).toBeGreaterThan(RATE / 10);
  },
);

test('both sides are away: nothing is rolled back for it, and they are served as soon as they are back', {
  timeout: TIMEOUT_MS + AWAY_MS,
}, async () => {
  const scene = new Scene();
  const [old, fresh] = (await places('old', 'new')) as [Place, Place];
  const before = [await scene.backend(old), await scene.backend(fresh)];
  await scene.serve([old], [fresh], 'judge: {}');
  scene.load('GET');
  await scene.pass(1);
  // Old first, to its end: while it takes connections, a dead new side is rightly taken back.
  for (const server of before) {
    const ended = once(server, 'exit');
    server.kill('SIGKILL');
    await ended;
  }
  await sleep(AWAY_MS);
  const alone = scene.answers.length;
  // And new before old, for the same reason.
  await scene.backend(fresh);
  await scene.backend(old);
  const backAt = performance.now();
  for (const side of ['old', 'new']) {
    await until(`answers of ${side}`, () => scene.answers.slice(alone).some((answer) => answer.side === side));
  }
  const ms = performance.now() - backAt;
  await scene.pass(0.5);
  const limit = 'no rollback, served again after at most 1.5 s';
  const figure = (): string => `; served again by both sides ${Math.round(ms)} ms after they were back`;
  await scene.rest(`both sides away for ${AWAY_MS / 1000} s`, limit, figure);
  expect(await scene.replica.route('demo')).toMatchObject({ weight: 50, state: 'steady' });
});

function p99(times: readonly number[]): string {
  return quantile(times, 0.99).toFixed(1);
}

/** Resident bytes of all processes of the replica. */
async function residentMib(scene: Scene): Promise<number> {
  const { workers } = await scene.replica.status();
  const kib = [scene.replica.pid, ...workers.map(({ pid }) => pid)].map((pid) =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]),
  );
  return kib.reduce((sum, one) => sum + one, 0) / 1024;
}

test(`${READERS} clients read 10 MB slowly: what they have not read stays with the backend`, {
  timeout: TIMEOUT_MS,
}, async () => {
  const scene = new Scene();
  const [old, fresh] = (await places('old', 'new')) as [Place, Place];
  await scene.backend(old, 'large');
  await scene.backend(fresh, 'large');
  await scene.serve([old], [fresh]);
  const url = new URL(scene.replica.proxy);
  const before = await residentMib(scene);
  const sockets = Array.from({ length: READERS }, (_, i) => {
    const socket = connect(Number(url.port), url.hostname).on('error', () => {});
    onTestFinished(() => void socket.destroy());
    socket.write(`GET / HTTP/1.1\r\nHost: x\r\nX-Id: ${i}\r\n\r\n`);
    return socket.once('data', () => socket.pause());
  });
  const hasBegun = (): boolean => sockets.every(({ bytesRead }) => bytesRead > 0);
  await until('every answer to begin', hasBegun, 60_000);
  const end = performance.now() + READING_MS;
  let most = 0;
  while (performance.now() < end) {
    // A little from each, ten times a second.
    for (const socket of sockets) socket.read(1024);
    most = Math.max(most, await residentMib(scene));
    await sleep(100);
  }
  const growth = most - before;
  addRow({
    fault: `${READERS} clients read 10 MB slowly`,
    figure: `memory of all processes from ${before.toFixed(0)} to at most ${most.toFixed(0)} MiB`,
    limit: `${GROWTH_MIB} MiB more`,
  });
  expect(sockets.every(({ bytesRead, destroyed }) => bytesRead < 10 * 2 ** 20 && !destroyed)).toBe(true);
  expect(growth).toBeLessThan(GROWTH_MIB);
});
