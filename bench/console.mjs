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

const CLI = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const ROUTES = 500;
const PER_SECOND = 1_000;
const ROUNDS = 5;
const SPAN_MS = 10_000;
const SETTLE_MS = 20_000;
/** For what opening and closing the page costs once. */
const REST_MS = 2_000;
const FIRST_ROW_MS = 60_000;
const TICKS_PER_SECOND = 100;

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

/** User and system time of processes, in seconds. @param {readonly number[]} pids */
function cpuSeconds(pids) {
  return pids.reduce((sum, pid) => {
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /, '')
        .split(' ');
      return sum + (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    } catch {
      return sum;
    }
  }, 0);
}

/** The process and all that it has started. @param {number} root @returns {number[]} */
function family(root) {
  const children = readdirSync('/proc').filter((name) => {
    try {
      return (
        /^\d+$/.test(name) &&
        Number(
          readFileSync(`/proc/${name}/stat`, 'utf8')
            .replace(/^.*\) /, '')
            .split(' ')[1],
        ) === root
      );
    } catch {
      return false;
    }
  });
  return [root, ...children.flatMap((child) => family(Number(child)))];
}

/** Share of a core. @param {() => readonly number[]} pids */
async function share(pids) {
  const before = cpuSeconds(pids());
  const began = performance.now();
  await sleep(SPAN_MS);
  return (100 * (cpuSeconds(pids()) - before)) / ((performance.now() - began) / 1_000);
}

const supervisor = () => [replica.pid ?? 0];
const browser = await chromium.launchServer({
  executablePath: '/usr/bin/chromium',
  args: CHROMIUM_ARGS,
});
const client = await chromium.connect(browser.wsEndpoint());
const page = await client.newPage({ viewport: { width: 1600, height: 900 } });
const all = () => family(browser.process().pid ?? 0);
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

// What the supervisor does beside the console grows while the judge gathers evidence: neighbours in time are compared, in turns.
await sleep(SETTLE_MS);
/** @type {{ without: number, with: number, browser: number, renderer: number }[]} */
const rounds = [];
for (let round = 0; round < ROUNDS; round++) {
  await page.goto('about:blank');
  await sleep(REST_MS);
  const without = await share(supervisor);
  await look();
  await sleep(REST_MS);
  const [withPage, ofBrowser, ofRenderer] = await Promise.all([share(supervisor), share(all), share(renderers)]);
  rounds.push({ without, with: withPage, browser: ofBrowser, renderer: ofRenderer });
}

/** Median, and from the least to the most. @param {(round: (typeof rounds)[number]) => number} of */
function spread(of) {
  const sorted = rounds.map(of).sort((a, b) => a - b);
  const [least, middle, most] = [0, ROUNDS >> 1, ROUNDS - 1].map((at) => (sorted[at] ?? Number.NaN).toFixed(2));
  return `${middle}% of a core (${least} to ${most})`;
}
console.log(
  `${ROUTES} routes, ${PER_SECOND} requests a second, each route's numbers change each second; median of ${ROUNDS} rounds`,
);
console.log(`supervisor without the console   ${spread(({ without }) => without)}`);
console.log(`supervisor with the console      ${spread(({ with: withPage }) => withPage)}`);
console.log(`the console, in the supervisor   ${spread(({ with: withPage, without }) => withPage - without)}`);
console.log(`browser, the page's process      ${spread(({ renderer }) => renderer)}`);
console.log(`browser, all its processes       ${spread(({ browser: share }) => share)}`);
await client.close();
await browser.close();
clearInterval(load);
agent.destroy();
replica.kill('SIGTERM');
await new Promise((resolve) => replica.once('exit', resolve));
origin.close();
origin.closeAllConnections();
rmSync(folder, { recursive: true });
