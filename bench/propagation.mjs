// @ts-check
// `npm run bench:propagation`: from the API's receipt of a change to the last worker of the last of three replicas that serves it, on one Redis.
// Prints one JSON line: quantiles in milliseconds of what the clients waited, and of what the replica itself measured from the acknowledgement on.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, install } from '../.ci/prepare.mjs';

const CHANGES = Number(process.argv[2] ?? 500);
const REPLICAS = 3;
const CLI = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));

install();
build();
const folder = mkdtempSync(join(tmpdir(), 'crossfade-propagation-'));
/** @type {import('node:child_process').ChildProcess[]} */
const children = [];
try {
  const redisPort = await freePort();
  start('redis-server', ['--port', String(redisPort), '--save', '', '--dir', folder]);
  const admins = await Promise.all(Array.from({ length: REPLICAS }, (_, i) => startReplica(i, redisPort)));
  await untilAll(admins);
  await change(admins, Math.ceil(CHANGES / 10));
  const { waited, applied } = await change(admins, CHANGES);
  console.log(
    JSON.stringify({ changes: CHANGES, replicas: REPLICAS, waited: quantiles(waited), applied: quantiles(applied) }),
  );
} finally {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}

/**
 * @param {string} program
 * @param {string[]} args
 */
function start(program, args) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  children.push(child);
  return child;
}

/**
 * @param {number} index
 * @param {number} redisPort
 * @returns {Promise<string>} where its admin API is
 */
async function startReplica(index, redisPort) {
  const file = join(folder, `replica-${index}.yaml`);
  // Nothing is proxied here, so nothing needs to listen behind it.
  writeFileSync(
    file,
    `listeners: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0" }
store: redis://127.0.0.1:${redisPort}
stateFile: last-${index}.json
workers: 2
backends:
  old: { discovery: { static: ["127.0.0.1:1"] } }
  new: { discovery: { static: ["127.0.0.1:2"] } }
routes:
  - { name: demo, match: { path: / }, old: old, new: new }
`,
  );
  const child = start(process.execPath, [CLI, 'serve', '--config', file]);
  let text = '';
  for await (const chunk of /** @type {AsyncIterable<Buffer>} */ (child.stdout)) {
    text += chunk.toString();
    const admin = /admin (http:\S+);/.exec(text)?.[1];
    if (admin !== undefined) return admin;
  }
  throw new Error(`replica ${index} did not start: ${text}`);
}

/** @param {string[]} admins */
async function untilAll(admins) {
  for (;;) {
    const statuses = await Promise.all(admins.map(async (admin) => (await fetch(`${admin}/v1/status`)).json()));
    if (statuses.every(({ applied }) => applied.replicas === REPLICAS)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/**
 * @param {string[]} admins
 * @param {number} count
 */
async function change(admins, count) {
  const waited = [];
  const applied = [];
  for (let i = 0; i < count; i++) {
    const url = `${admins[i % admins.length]}/v1/routes/demo`;
    const { revision } = await (await fetch(url)).json();
    const began = performance.now();
    const response = await fetch(`${url}/weight`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json', 'if-match': `"${revision}"` },
      body: JSON.stringify({ weight: i % 101, reason: 'bench', wait: 5000, force: true }),
    });
    waited.push(performance.now() - began);
    const route = await response.json();
    if (route.applied?.replicas !== REPLICAS) throw new Error(`not applied by all: ${JSON.stringify(route)}`);
    applied.push(route.applied.ms);
  }
  return { waited, applied };
}

/** @param {number[]} values */
function quantiles(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (/** @type {number} */ q) =>
    Math.round((sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0) * 10) / 10;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port is free');
  server.close();
  await once(server, 'close');
  return address.port;
}
