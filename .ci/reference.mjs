// @ts-check
// The reference in README.md, made from the schemas of the build: `node .ci/reference.mjs` writes it, with `--check` it only says whether it is current.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { wordsOfKey } from './config-keys.mjs';

const README = fileURLToPath(new URL('../README.md', import.meta.url));
const BEGIN = '<!-- reference: made by .ci/reference.mjs from the schemas -->';
const END = '<!-- end of the reference -->';

/** @param {string} path from dist */
const built = (path) => import(new URL(`../dist/${path}`, import.meta.url).href);

const text = readFileSync(README, 'utf8');
const [before, rest = ''] = text.split(BEGIN);
const after = rest.split(END)[1];
if (after === undefined) throw new Error(`README.md has no place for the reference: ${BEGIN} … ${END}`);
const current = `${before}${BEGIN}\n${await makeReference()}${END}${after}`;
if (!process.argv.includes('--check')) writeFileSync(README, current);
else if (current !== text) {
  console.error('The reference in README.md is not that of the schemas: npm run build && node .ci/reference.mjs');
  process.exitCode = 1;
}

async function makeReference() {
  const parts = [
    ['Configuration', await configuration()],
    ['Admin API', await api()],
    ['Metrics', await metrics()],
    ['Commands', await commands()],
  ];
  return parts.map(([title, body]) => `\n<details><summary>${title}</summary>\n\n${body}\n\n</details>\n`).join('');
}

/** @param {readonly string[]} cells */
function line(cells) {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
}

/** @param {readonly string[]} head @param {readonly (readonly string[])[]} rows */
function table(head, rows) {
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

async function configuration() {
  const { describeSchema } = await built('config/schema.js');
  const root = describeSchema();
  /** @type {string[][]} */
  const rows = [];
  /** @param {any} schema @param {string} path @param {boolean} isRequired */
  const walk = (schema, path, isRequired) => {
    const real = schema.$ref === undefined ? schema : root.$defs?.[schema.$ref.split('/').at(-1)];
    const options = (real.anyOf ?? real.oneOf ?? [real]).filter((/** @type {any} */ option) => option.type !== 'null');
    const inner = options.find(
      (/** @type {any} */ option) => option.properties ?? option.items ?? option.additionalProperties,
    );
    if (path !== '') {
      const standard =
        real.default === undefined ? (isRequired ? 'required' : '') : `\`${JSON.stringify(real.default)}\``;
      const kinds = options.map(
        (/** @type {any} */ option) => option.enum?.join(', ') ?? option.const ?? option.type ?? 'any',
      );
      rows.push([`\`${path}\``, [...new Set(kinds)].join(' or '), standard, wordsOfKey(path)]);
    }
    if (inner === undefined) return;
    const dot = path === '' ? '' : '.';
    for (const [key, value] of Object.entries(inner.properties ?? {})) {
      walk(value, `${path}${dot}${key}`, inner.required?.includes(key) ?? false);
    }
    if (inner.items?.properties ?? inner.items?.anyOf) walk(inner.items, `${path}[]`, false);
    if (typeof inner.additionalProperties === 'object') walk(inner.additionalProperties, `${path}${dot}*`, false);
  };
  walk(root, '', true);
  return table(['key', 'kind', 'default', 'what'], rows);
}

function openToAll() {
  return { tokens: [], openMetrics: false };
}

async function api() {
  const { createAdmin } = await built('admin/server.js');
  const app = createAdmin({ subscribe: () => () => {} }, { version: '', address: '127.0.0.1:0', access: openToAll });
  await app.ready();
  const { paths } = app.swagger();
  await app.close();
  const calls = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(/** @type {Record<string, { summary: string }>} */ (methods)).map(([method, { summary }]) => [
      `\`${method.toUpperCase()} ${path}\``,
      summary,
    ]),
  );
  return table(['call', 'what'], calls);
}

async function metrics() {
  const { Registry } = await import('prom-client');
  const { ROUTE_METRICS, routeRows } = await built('telemetry/route-metrics.js');
  const { registerReplicaMetrics } = await built('telemetry/replica-metrics.js');
  const { cellCount } = await built('domain/counts.js');
  const registry = new Registry();
  registerReplicaMetrics(registry, {});
  const own = registry.getMetricsAsArray().filter(({ name }) => name.startsWith('crossfade_'));
  const rows = routeRows(['demo']);
  // Of a table in which everything was counted, so that every label is there.
  const ones = {
    cells: new Float64Array(cellCount(1)).fill(1),
    weightsPpm: [1],
    evidenceLog10: [1],
    rollbacks: () => 1,
    rows,
  };
  /** @param {any} metric */
  const labelsOf = ({ labelNames, sample, ...metric }) => {
    if (sample === undefined) return labelNames;
    /** @type {any[]} */
    const samples = [];
    for (const [index, row] of rows.entries()) sample.call(metric, ones, row, index, samples);
    return [...new Set(samples.flatMap(({ labels, sharedLabels }) => Object.keys({ ...sharedLabels, ...labels })))];
  };
  return table(
    ['metric', 'kind', 'labels', 'what'],
    [...ROUTE_METRICS, ...own].map((metric) => {
      const { name, type = 'gauge', help } = metric;
      const labels = labelsOf(metric).map((/** @type {string} */ label) => `\`${label}\``);
      return [`\`${name}\``, type, labels.join(', '), help];
    }),
  );
}

async function commands() {
  const { runCli } = await built('cli/run.js');
  /** @type {string[]} */
  const lines = [];
  await runCli(['--help'], { out: (/** @type {string} */ line) => lines.push(line), err: () => {}, env: {} });
  const help = lines.join('\n');
  return `\`\`\`text\n${help.trim()}\n\`\`\`\n\n\`crossfade COMMAND --help\` says more of each.`;
}
