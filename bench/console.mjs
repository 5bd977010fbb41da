// @ts-check
// What the console costs with 500 routes that all change each second: CPU of the supervisor with and without it, and of the browser. `npm run bench:console`.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, createServer, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { CHROMIUM_ARGS } from '../test/console/chromium.mjs';
import { familyOf } from './proc-stat.mjs';
import { middleOf } from './signed-rank.mjs';

const CLI = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const ROUTES = 500;
const PER_SECOND = 1_000;
/** Of four spans each. */
const BLOCKS = 20;
const SPAN_MS = 2_000;
const LOOKS = 3;
const LOOK_MS = 8_000;
const SETTLE_MS = 20_000;
/** For what opening and closing cost once. */
const REST_MS = 400;
const REST_OF_PAGE_MS = 2_000;
const FIRST_ROW_MS = 60_000;
/** Of Student's distribution for 19 degrees of freedom. */
const T_95 = 2.09;

const folder = mkdtempSync(join(tmpdir(), 'crossfade-console-'));
const origin = createServer((request, response) => {
  request.resume();
  response.end('hello');
}).listen(0, '127.0.0.1');
await new Promise((resolve) => origin.once('listening', resolve));
const { port } = /** @type {import('node:net').AddressInfo} */ (origin.address());
const backend = `{ discovery: { static: ["127.0.0.1:${port}"] } }`;
const names = Array.from({ length: ROUTES }, (_, i) => `route-${i}`);
const routes = names.map((name) => `  - { name: ${name}, match: { path: /${name}/ }, old: a, new: b, weight: 50 }`);
writeFileSync(
  join(folder, 'c.yaml'),
  `listeners: [{ address: "127.0.0.1:0" }]\nadmin: { address: "127.0.0.1:0" }\nstore: file:state.json\nstateFile: last.json\nworkers: 1\nbackends: { a: ${backend}, b: ${backend} }\nroutes:\n${routes.join('\n')}\n`,
);
const replica = spawn(process.execPath, [CLI, 'serve', '--config', join(folder, 'c.yaml')]);
// Whatever it logs is read, a line for each verdict on each route: a full pipe would hold it up.
let said = '';
replica.stderr.on('data', (/** @type {Buffer} */ chunk) => {
  said = (said + chunk.toString()).slice(-4_000);
});
const line = await new Promise((resolve, reject) => {
  let out = '';
  replica.stdout.on('data', (/** @type {Buffer} */ chunk) => {
    out += chunk.toString();
    if (out.includes('ready on')) resolve(out);
  });
  replica.once('exit', (code) => reject(new Error(`the replica exited with ${code} before it was ready:\n${said}`)));
});
const [, proxy, admin] = /ready on (\S+); admin (\S+);/.exec(String(line)) ?? [];
if (proxy === undefined || admin === undefined) throw new Error(`not the line of a replica that is ready: ${line}`);

const agent = new Agent({ keepAlive: true, maxSockets: 32 });
let next = 0;
const load = setInterval(() => {
  for (let i = 0; i < PER_SECOND / 50; i++) {
    get(`${proxy}/${names[next++ % ROUTES]}/`, { agent }, (response) => response.resume()).on('error', () => {});
  }
}, 20);

/** Time on a CPU of a process, all its threads, in seconds: by the nanosecond, where ticks are of 10 ms. @param {number} pid */
function cpuSeconds(pid) {
  let sum = 0;
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      sum += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0]) / 1e9;
    }
  } catch {
    // A thread or the process ended meanwhile.
  }
  return sum;
}

/** Share of a core. @param {() => readonly number[]} pids @param {number} spanMs */
async function share(pids, spanMs) {
  const before = new Map(pids().map((pid) => [pid, cpuSeconds(pid)]));
  const began = performance.now();
  await sleep(spanMs);
  const used = [...before].reduce((sum, [pid, was]) => sum + Math.max(0, cpuSeconds(pid) - was), 0);
  return (100 * used) / ((performance.now() - began) / 1_000);
}

/** What the page keeps open, without its browser beside the supervisor. */
function listen() {
  const request = get(`${admin}/v1/live`, (response) => response.resume());
  request.on('error', () => {});
  return () => request.destroy();
}

/**
 * What a listener costs the supervisor: without, with, with, without, again and again, so that whatever grows or comes and goes slowly falls
 * on both alike. It stays from one span with it to the next: there is a rest only where it comes or goes.
 */
async function listenerCost() {
  /** @type {Record<'without' | 'with', number[]>} */
  const spans = { without: [], with: [] };
  /** @type {(() => void) | undefined} */
  let leave;
  let last = 'without';
  for (let block = 0; block < BLOCKS; block++) {
    for (const turn of /** @type {const} */ (['without', 'with', 'with', 'without'])) {
      if (turn !== last) {
        leave?.();
        leave = turn === 'with' ? listen() : undefined;
        last = turn;
        await sleep(REST_MS);
      }
      spans[turn].push(await share(supervisor, SPAN_MS));
    }
  }
  return spans;
}

const supervisor = () => [replica.pid ?? 0];
const browser = await chromium.launchServer({
  executablePath: '/usr/bin/chromium',
  args: CHROMIUM_ARGS,
});
const client = await chromium.connect(browser.wsEndpoint());
const page = await client.newPage({ viewport: { width: 1600, height: 900 } });
const all = () => familyOf(browser.process().pid ?? 0);
const renderers = () =>
  all().filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('--type=renderer');
    } catch {
      return false;
    }
  });

/** Opens the page and waits until its numbers come. */
async function look() {
  await page.goto(admin ?? '');
  try {
    await page.locator('.row .actual', { hasText: /\d/ }).first().waitFor({ timeout: FIRST_ROW_MS });
  } catch {
    const text = await page.locator('body').innerText();
    throw new Error(
      `no route within ${FIRST_ROW_MS / 1_000} s; the page says:\n${text}\nthe replica last said:\n${said}`,
    );
  }
}

await sleep(SETTLE_MS);
const spans = await listenerCost();
/** Each span with a listener beside the one without that it follows or goes before. */
const differences = spans.with.map((share, i) => share - (spans.without[i] ?? Number.NaN));
/** @type {{ all: number, renderer: number }[]} */
const looks = [];
for (let round = 0; round < LOOKS; round++) {
  await look();
  await sleep(REST_OF_PAGE_MS);
  const [ofAll, ofRenderer] = await Promise.all([share(all, LOOK_MS), share(renderers, LOOK_MS)]);
  looks.push({ all: ofAll, renderer: ofRenderer });
  await page.goto('about:blank');
}

/** @param {readonly number[]} values */
function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** By block. @param {readonly number[]} values of spans, two to a block */
function byBlock(values) {
  return values.flatMap((value, i) => (i % 2 === 0 ? [] : [(value + (values[i - 1] ?? Number.NaN)) / 2]));
}

/** With the interval that the mean of so many blocks lies in with 95 percent. @param {readonly number[]} spans two to a block */
function interval(spans) {
  const values = byBlock(spans);
  const middle = mean(values);
  const variance = values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1);
  const half = T_95 * Math.sqrt(variance / values.length);
  return `${middle.toFixed(2)}% of a core (${(middle - half).toFixed(2)} to ${(middle + half).toFixed(2)})`;
}

/** Median, and from the least to the most. @param {readonly number[]} values */
function spread(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const [least, middle, most] = [0, sorted.length >> 1, sorted.length - 1].map((at) =>
    (sorted[at] ?? Number.NaN).toFixed(2),
  );
  return `${middle}% of a core (${least} to ${most})`;
}
console.log(`${ROUTES} routes, ${PER_SECOND} requests a second, each route's numbers change each second`);
console.log(`means of ${BLOCKS} blocks of without, with, with, without, with their 95 percent intervals`);
console.log(`supervisor without the console   ${interval(spans.without)}`);
console.log(`supervisor with the console      ${interval(spans.with)}`);
console.log(`the console, in the supervisor   ${interval(differences)}`);
// A collection of all garbage takes 150 ms or more, as much as half of what else happens in a span, and falls on one or the other.
const { middle, low, high } = middleOf(differences);
console.log(
  `by the middle of ${differences.length} differences    ${middle.toFixed(2)}% of a core (${low.toFixed(2)} to ${high.toFixed(2)})`,
);
console.log(`medians of ${LOOKS} looks of ${LOOK_MS / 1_000} s, from the least to the most`);
console.log(`browser, the page's process      ${spread(looks.map(({ renderer }) => renderer))}`);
console.log(`browser, all its processes       ${spread(looks.map((each) => each.all))}`);
await client.close();
await browser.close();
clearInterval(load);
agent.destroy();
replica.kill('SIGTERM');
await new Promise((resolve) => replica.once('exit', resolve));
origin.close();
origin.closeAllConnections();
rmSync(folder, { recursive: true });
