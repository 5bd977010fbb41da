// @ts-check
// `npm run bench -- rollback`: how soon three replicas on one Redis take a route back, live, from the first bad answer to the last replica
// whose workers all send nothing to new any more. `--repeats 20 --only errors,refused,hung,unavailable,some`
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Fleet } from './fleet.mjs';
import { GrpcLoad } from './grpc-load.mjs';
import { GrpcSide } from './grpc-side.mjs';
import { Load } from './load.mjs';
import { Side, SOME } from './sides.mjs';

const CLI = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const REPLICAS = 3;
const RATE = 1_000;
const WEIGHT = 10;
/** Of old answers before the weight leaves 0, and of well answers of both after it. */
const CALM_MS = 3_000;
const GIVE_UP_MS = 60_000;

/**
 * @typedef {import('./sides.mjs').Mode | 'unavailable'} Kind `unavailable` is of gRPC, in trailers
 * @type {readonly { mode: Kind, name: string, median: number, worst: number }[]} milliseconds, median and worst that are promised
 */
const KINDS = [
  { mode: 'errors', name: '500 always', median: 1_000, worst: 2_000 },
  { mode: 'refused', name: 'connections refused', median: 500, worst: Number.POSITIVE_INFINITY },
  { mode: 'hung', name: 'no answer at all', median: 2_000, worst: 2_000 },
  { mode: 'unavailable', name: 'gRPC UNAVAILABLE', median: 1_000, worst: 2_000 },
  { mode: 'some', name: '5 percent fail', median: Number.NaN, worst: Number.POSITIVE_INFINITY },
];

/** @param {readonly string[]} args */
export async function benchRollback(args) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      repeats: { type: 'string', default: '20' },
      only: { type: 'string', default: KINDS.map(({ mode }) => mode).join(',') },
    },
  });
  const repeats = Number(values.repeats);
  let isMet = true;
  for (const kind of KINDS.filter(({ mode }) => values.only.split(',').includes(mode))) {
    const taken = await measure(kind.mode, repeats);
    const median = medianOf(taken);
    const worst = Math.max(...taken);
    const limits = kind.mode === 'some' ? { median: 1.5 * predicted(), worst: kind.worst } : kind;
    const met = median <= limits.median && worst <= limits.worst;
    isMet &&= met;
    const promised = `promised ${text(limits.median)}, ${text(limits.worst)}`;
    console.log(
      `${kind.name.padEnd(20)} ${taken.length} times: median ${text(median)}, worst ${text(worst)} (${promised}) ${met ? 'met' : 'NOT MET'}`,
    );
  }
  return isMet;
}

/**
 * A route each time, so that none has a past. @returns milliseconds, by repetition
 * @param {Kind} mode
 * @param {number} repeats
 */
async function measure(mode, repeats) {
  const isGrpc = mode === 'unavailable';
  const [old, fresh] = isGrpc ? [new GrpcSide(), new GrpcSide()] : [new Side(), new Side()];
  await old.listen();
  await fresh.listen();
  const routes = Array.from({ length: repeats }, (_, i) => `r${i}`);
  const ports = { old: old.port, new: fresh.port };
  const fleet = await Fleet.start({ replicas: REPLICAS, ports, routes, protocol: isGrpc ? 'h2' : 'http1' });
  const proxies = fleet.replicas.map(({ proxy }) => proxy);
  const load = isGrpc ? new GrpcLoad(proxies, RATE) : new Load(proxies, RATE);
  /** @type {number[]} */
  const taken = [];
  try {
    for (const route of routes) {
      load.path = `/${route}/`;
      await sleep(CALM_MS);
      await fleet.replicas[0]?.set(route, WEIGHT);
      await sleep(CALM_MS);
      const ms = await takenBack(fleet, route, fresh, mode);
      taken.push(ms);
      if (process.env.VERBOSE)
        console.log(route, text(ms), (await fleet.replicas[1]?.ask(`/v1/routes/${route}`))?.reason);
      await fresh.set('well');
    }
  } finally {
    load.stop();
    await fleet.stop();
    old.close();
    fresh.close();
  }
  return taken;
}

/**
 * @param {Fleet} fleet
 * @param {string} route
 * @param {{ readonly firstBadAt: number, set(mode: Kind): Promise<void> }} fresh
 * @param {Kind} mode
 */
async function takenBack(fleet, route, fresh, mode) {
  const over = new AbortController();
  const told = Promise.all(
    fleet.replicas.map(async (replica) => {
      for await (const event of replica.events(over.signal)) {
        if (event.type === 'change' && event.entry.verb === 'rollback' && event.entry.routes[0]?.route === route)
          return;
      }
    }),
  );
  // The streams are open before anything goes wrong.
  await sleep(100);
  await fresh.set(mode);
  const gaveUp = sleep(GIVE_UP_MS, undefined, { signal: over.signal, ref: false }).then(() => {
    throw new Error(`${mode}: ${route} was not taken back within ${GIVE_UP_MS} ms`);
  });
  gaveUp.catch(() => {});
  await Promise.race([told, gaveUp]);
  for (;;) {
    const views = await Promise.all(fleet.replicas.map((replica) => replica.ask(`/v1/routes/${route}`)));
    if (views.every(({ weight, applied }) => weight === 0 && applied.replicas === REPLICAS)) break;
  }
  const ms = performance.now() - fresh.firstBadAt;
  over.abort();
  return ms;
}

/** Mean milliseconds until backtest fires, on flushes of 100 ms of the same traffic. */
function predicted() {
  const runs = 300;
  const [flushMs, faultFrom, flushes] = [100, CALM_MS / 100, 400];
  const lines = ['run,t_ms,weight_ppm,old_ok,old_fault,new_ok,new_fault'];
  for (let run = 1; run <= runs; run++) {
    for (let flush = 0; flush < flushes; flush++) {
      let [fresh, faults] = [0, 0];
      for (let i = 0; i < (RATE * flushMs) / 1000; i++) {
        if (Math.random() >= WEIGHT / 100) continue;
        fresh += 1;
        if (flush >= faultFrom && Math.random() < SOME) faults += 1;
      }
      lines.push(
        [run, flush * flushMs, WEIGHT * 10_000, (RATE * flushMs) / 1000 - fresh, 0, fresh - faults, faults].join(','),
      );
    }
  }
  const folder = mkdtempSync(join(tmpdir(), 'crossfade-backtest-'));
  const file = join(folder, 'counts.csv');
  writeFileSync(file, `${lines.join('\n')}\n`);
  const { stdout } = spawnSync(process.execPath, [CLI, 'backtest', file], { encoding: 'utf8', maxBuffer: 1 << 26 });
  rmSync(folder, { recursive: true });
  const times = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).tMs - faultFrom * flushMs);
  return times.reduce((sum, ms) => sum + ms, 0) / times.length;
}

/** Of an even count the mean of the middle two. @param {readonly number[]} values */
function medianOf(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const [below, above] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return below === undefined || above === undefined ? Number.NaN : (below + above) / 2;
}

/** @param {number} ms */
function text(ms) {
  return Number.isFinite(ms) ? `${Math.round(ms).toLocaleString('en-US')} ms` : 'any';
}
