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

const CLI = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const ROUTES = 500;
const PER_SECOND = 1_000;
const SPAN_MS = 20_000;
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
const line = await new Promise((resolve) => {
  replica.stdout.on('data', (/** @type {Buffer} */ chunk) => resolve(chunk.toString()));
});
const [, proxy, admin] = /ready on (\S+); admin (\S+);/.exec(String(line)) ?? [];

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
await sleep(3_000);
const without = await share(supervisor);
const browser = await chromium.launchServer({
  executablePath: '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});
const client = await chromium.connect(browser.wsEndpoint());
const page = await client.newPage({ viewport: { width: 1600, height: 900 } });
await page.goto(admin ?? '');
await page.locator('.row').first().waitFor();
await sleep(3_000);
const all = () => family(browser.process().pid ?? 0);
const [withPage, ofBrowser] = await Promise.all([share(supervisor), share(all)]);
const renderer = () => all().filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('--type=renderer'));
const ofRenderer = await share(renderer);
const percent = (/** @type {number} */ value) => `${value.toFixed(2)}% of a core`;
console.log(`${ROUTES} routes, ${PER_SECOND} requests a second, each route's numbers change each second`);
console.log(`supervisor without the console   ${percent(without)}`);
console.log(`supervisor with the console      ${percent(withPage)} (the console: ${percent(withPage - without)})`);
console.log(`browser, the page's process      ${percent(ofRenderer)}`);
console.log(`browser, all its processes       ${percent(ofBrowser)}`);
await client.close();
await browser.close();
clearInterval(load);
agent.destroy();
replica.kill('SIGTERM');
await new Promise((resolve) => replica.once('exit', resolve));
origin.close();
origin.closeAllConnections();
rmSync(folder, { recursive: true });
