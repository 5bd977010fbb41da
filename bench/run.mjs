// @ts-check
// `npm run bench`: what Crossfade costs beside its peers, in one run on one machine.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cells } from './cells/all.mjs';
import { costChart } from './chart.mjs';
import { describeMachine, installPackages, unfit } from './machine.mjs';
import { measure } from './measure.mjs';
import { cellReport, preamble } from './table.mjs';
import { targets } from './targets/all.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

const USAGE = `usage: npm run bench -- [CELL…] [--quick] [--rounds 5] [--seconds 5] [--targets ${[...targets.keys()].join(',')}]
       [--json FILE] [--chart FILE] [--install]
cells: ${[...cells.keys()].join(', ')}
       npm run bench -- discovery [--seconds 10] [--changes 10] [--plain]: what many endpoints cost at rest, and how soon a change is applied
       npm run bench -- rollback [--repeats 20] [--only errors,refused,hung,unavailable,some]: how soon a route is taken back, live
--quick    one round of one second against nginx and HAProxy only, no latency; ends in two minutes, for a first look
--json     where to write the results besides the table; default bench/results/TIME.json
--chart    where to write the picture of the costs (SVG); default beside the results
--install  installs the peers that are missing (apt-get, as root)
`;

const QUICK_TARGETS = ['crossfade', 'nginx', 'haproxy'];

/** A word that the user misspelt, or a machine that will not do. */
class Refusal extends Error {}

function parse() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      targets: { type: 'string' },
      json: { type: 'string' },
      chart: { type: 'string' },
      install: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const rounds = wholeNumber('--rounds', values.rounds ?? (values.quick ? '1' : '5'));
  const seconds = wholeNumber('--seconds', values.seconds ?? (values.quick ? '1' : '5'));
  const names = values.targets?.split(',') ?? (values.quick ? QUICK_TARGETS : [...targets.keys()]);
  known('target', names, targets);
  known('cell', positionals, cells);
  const chosen = positionals.length === 0 ? [...cells.values()] : positionals.flatMap((name) => cells.get(name) ?? []);
  const plan = { targets: names, rounds, seconds, warmUpSeconds: values.quick ? 1 : 2, latency: !values.quick };
  const { json, chart, install: wantsPeers, help } = values;
  return { plan, chosen, json, chart, wantsPeers, help };
}

/**
 * @param {string} option
 * @param {string} text
 */
function wholeNumber(option, text) {
  if (!/^[1-9]\d*$/.test(text)) throw new Refusal(`${option} takes a whole number above 0, not ${text}`);
  return Number(text);
}

/**
 * @param {string} kind
 * @param {readonly string[]} names
 * @param {ReadonlyMap<string, unknown>} all
 */
function known(kind, names, all) {
  const unknown = names.find((name) => !all.has(name));
  if (unknown !== undefined) throw new Refusal(`no ${kind} ${unknown}; there are ${[...all.keys()].join(', ')}`);
}

/** Builds what is measured, so that nobody measures yesterday's. */
function build() {
  const npm = (/** @type {string[]} */ ...args) =>
    spawnSync('npm', args, { cwd: root, stdio: ['ignore', process.stderr.fd, process.stderr.fd] }).status;
  if (!existsSync(`${root}/node_modules`) && npm('ci') !== 0) throw new Refusal('npm ci failed');
  if (npm('run', '--silent', 'build') !== 0) throw new Refusal('npm run build failed');
}

/** @param {readonly string[]} names */
function install(names) {
  const missing = names.flatMap((name) => {
    const target = targets.get(name);
    return target?.debianPackage && target.version() === null ? [target.debianPackage] : [];
  });
  const tools = [
    ...(describeMachine().wrk === null ? ['wrk'] : []),
    ...(describeMachine().h2load === null ? ['nghttp2-client'] : []),
  ];
  if (missing.length + tools.length > 0) installPackages([...missing, ...tools]);
}

/** @param {string} line */
function progress(line) {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${line}`);
  else if (line !== '') process.stderr.write(`${line}\n`);
}

async function main() {
  const { plan, chosen, json, chart, wantsPeers, help } = parse();
  if (help) return process.stdout.write(USAGE);
  if (plan.targets.includes('crossfade')) build();
  if (wantsPeers) install(plan.targets);
  const reason = unfit();
  if (reason !== null) throw new Refusal(reason);

  const startedAt = new Date().toISOString();
  const machine = describeMachine();
  process.stdout.write(`## Bench, ${startedAt.slice(0, 10)}\n\n${preamble(machine, plan)}\n\n`);
  const results = [];
  for (const [index, cell] of chosen.entries()) {
    const result = await measure(cell, plan, (what) =>
      progress(`[${index + 1}/${chosen.length}] ${cell.name}: ${what}`),
    );
    results.push(result);
    progress('');
    process.stdout.write(`${cellReport(result)}\n`);
  }
  const file = json ?? `${root}/bench/results/${startedAt.replaceAll(':', '')}.json`;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ startedAt, machine, plan, cells: results }, null, 2)}\n`);
  const picture = chart ?? file.replace(/(?:\.json)?$/, '.svg');
  writeFileSync(picture, costChart(results));
  process.stderr.write(`results in ${file}, picture in ${picture}\n`);
  if (results.some((cell) => cell.variants.some((variant) => variant.broken))) process.exitCode = 1;
}

async function rollback() {
  build();
  const { benchRollback } = await import('./rollback/main.mjs');
  process.exitCode = (await benchRollback(process.argv.slice(3))) ? 0 : 1;
}

async function discovery() {
  build();
  const { benchDiscovery } = await import('./discovery/main.mjs');
  await benchDiscovery(process.argv.slice(3));
}

const OTHERS = new Map([
  ['rollback', rollback],
  ['discovery', discovery],
]);

try {
  await (OTHERS.get(process.argv[2] ?? '') ?? main)();
} catch (error) {
  if (!(error instanceof Refusal) && !(error instanceof TypeError && 'code' in error)) throw error;
  process.stderr.write(`${error.message}\n\n${USAGE}`);
  process.exitCode = 64;
}
