// @ts-check
// `npm run bench -- discovery`: what many endpoints cost at rest, and how soon a change to one is applied.
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cpuOf } from '../proc-stat.mjs';

const CLI = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const PLATFORMS = fileURLToPath(new URL('./platforms.mjs', import.meta.url));
const SLICES = 60;
const PER_SLICE = 84;
const JOBS = 500;
const HOSTS = 300;
const TASKS = 6;
/** A change that is not seen by then is lost. */
const LOST_MS = 120_000;
/** Each look costs the supervisor a status of all backends. */
const POLL_MS = 20;

const ADMIN = '127.0.0.1:19900';

/** @param {{ helios: string, kubernetes: string }} discovery */
function configuration({ helios, kubernetes }) {
  const backends = Array.from(
    { length: JOBS },
    (_, job) => `  job-${job}: { discovery: ${helios.replace('JOB', `job-${job}`)} }`,
  );
  const routes = backends.map(
    (_, job) => `  - { name: r-${job}, match: { path: /r-${job}/ }, old: job-${job}, new: pods }`,
  );
  return [
    'listeners: [{ address: "127.0.0.1:0" }]',
    `admin: { address: "${ADMIN}" }`,
    'store: file:state.json',
    'workers: 1',
    'backends:',
    `  pods: { discovery: ${kubernetes} }`,
    ...backends,
    'routes:',
    ...routes,
    '',
  ].join('\n');
}

/** @param {string} folder @param {{ helios: string, kubernetes: string }} discovery */
async function serve(folder, discovery) {
  const file = join(folder, 'crossfade.yaml');
  writeFileSync(file, configuration(discovery));
  const child = spawn(process.execPath, [CLI, 'serve', '--config', file], { stdio: ['ignore', 'pipe', 'ignore'] });
  for await (const chunk of child.stdout) if (String(chunk).includes('is ready')) break;
  child.stdout.resume();
  return child;
}

/** @param {string} name */
async function endpointsOf(name) {
  const status = /** @type {{ backends: { name: string, endpoints: number }[] }} */ (
    await (await fetch(`http://${ADMIN}/v1/status`)).json()
  );
  return status.backends.find((backend) => backend.name === name)?.endpoints;
}

/** Percent of a core. @param {number} pid @param {number} seconds */
async function restingCpu(pid, seconds) {
  const before = cpuOf([pid]);
  await sleep(seconds * 1_000);
  const after = cpuOf([pid]);
  return (after.userUs + after.systemUs - before.userUs - before.systemUs) / seconds / 1e4;
}

/** Milliseconds from a change to the count that it makes. @param {import('node:child_process').ChildProcess} platforms @param {string} what @param {string} backend @param {number} wanted */
async function change(platforms, what, backend, wanted) {
  const { at } = await tell(platforms, what);
  for (;;) {
    if ((await endpointsOf(backend)) === wanted) return performance.timeOrigin + performance.now() - at;
    if (performance.timeOrigin + performance.now() - at > LOST_MS) return Number.NaN;
    await sleep(POLL_MS);
  }
}

/** @param {import('node:child_process').ChildProcess} platforms @param {string} what @returns {Promise<any>} */
async function tell(platforms, what) {
  platforms.send(what);
  return (await once(platforms, 'message'))[0];
}

/** @param {readonly number[]} values */
function spread(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return `median ${sorted[sorted.length >> 1]?.toFixed(0)} ms, longest ${sorted.at(-1)?.toFixed(0)} ms of ${sorted.length}`;
}

/** @param {string} line */
function print(line) {
  process.stdout.write(`${line}\n`);
}

/** @type {readonly (readonly [fault: string, words: string])[]} */
const FAULTS = [
  ['silence one', 'one of the two watches silent'],
  ['silence', 'both watches silent'],
  ['freeze', 'every connection to the API server frozen'],
];

const PODS = SLICES * PER_SLICE;

/** A change to one of many, there and back. @param {import('node:child_process').ChildProcess} platforms @param {number} times */
async function measureChanges(platforms, times) {
  const seen = { kubernetes: /** @type {number[]} */ ([]), helios: /** @type {number[]} */ ([]) };
  for (let i = 0; i < times; i++) {
    seen.kubernetes.push(await change(platforms, 'kubernetes', 'pods', PODS - 1));
    seen.kubernetes.push(await change(platforms, 'kubernetes back', 'pods', PODS));
    seen.helios.push(await change(platforms, 'helios', 'job-7', TASKS - 1));
    seen.helios.push(await change(platforms, 'helios back', 'job-7', TASKS));
  }
  print(`a change to one: Kubernetes ${spread(seen.kubernetes)}; Helios ${spread(seen.helios)}`);
}

/** A change after the watches have fallen silent. @param {import('node:child_process').ChildProcess} platforms @param {number} times */
async function measureSilence(platforms, times) {
  for (const [fault, words] of FAULTS) {
    const seen = [];
    for (let i = 0; i < times; i++) {
      await tell(platforms, fault);
      seen.push(await change(platforms, 'kubernetes', 'pods', PODS - 1));
      await change(platforms, 'kubernetes back', 'pods', PODS);
      // Until both watches are there again.
      await sleep(2_000);
    }
    print(`${words}: ${spread(seen)}`);
  }
}

/** @param {string[]} args */
export async function benchDiscovery(args) {
  const { values } = parseArgs({
    args,
    options: {
      seconds: { type: 'string', default: '10' },
      plain: { type: 'boolean', default: false },
      changes: { type: 'string', default: '10' },
    },
  });
  const seconds = Number(values.seconds);
  const folder = mkdtempSync(join(tmpdir(), 'crossfade-discovery-'));
  const sizes = [SLICES, PER_SLICE, JOBS, TASKS, HOSTS].map(String);
  const platforms = fork(PLATFORMS, [...sizes, values.plain ? 'plain' : 'zipped']);
  const [ports] = await once(platforms, 'message');
  let child;
  try {
    child = await serve(folder, { helios: '{ static: ["127.0.0.1:1"] }', kubernetes: '{ static: ["127.0.0.1:2"] }' });
    const base = await restingCpu(/** @type {number} */ (child.pid), seconds);
    child.kill('SIGTERM');
    await once(child, 'exit');
    child = await serve(folder, {
      helios: `{ helios: { master: "http://127.0.0.1:${ports.helios}", job: JOB, port: http } }`,
      kubernetes: `{ kubernetes: { namespace: bench, service: bench, port: http, api: "http://127.0.0.1:${ports.kubernetes}" } }`,
    });
    while ((await endpointsOf('pods')) !== PODS || (await endpointsOf('job-7')) !== TASKS) await sleep(100);
    await sleep(2_000);
    const all = await restingCpu(/** @type {number} */ (child.pid), seconds);
    print(
      `${PODS} endpoints in ${SLICES} slices, ${JOBS} Helios jobs on ${HOSTS} hosts${values.plain ? ', answers not compressed' : ''}`,
    );
    print(
      `at rest ${(all - base).toFixed(2)} % of a core (${all.toFixed(2)} %, with static backends ${base.toFixed(2)} %), ${seconds} s`,
    );
    await measureChanges(platforms, Number(values.changes));
    await measureSilence(platforms, Number(values.changes));
  } finally {
    child?.kill('SIGKILL');
    platforms.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}
