// @ts-check
// `npm run faults`: the faults as long as they last in life, 20 s each and more, under the rates of life, and at the end a table of what each cost.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, install } from '../../.ci/prepare.mjs';
import { bringTools } from '../../.ci/tools.mjs';

process.chdir(fileURLToPath(new URL('../..', import.meta.url)));
install();
build();
bringTools();
const folder = mkdtempSync(join(tmpdir(), 'crossfade-faults-'));
const table = join(folder, 'rows');
writeFileSync(table, '');
const env = {
  CROSSFADE_OUTAGE_MS: '20000',
  CROSSFADE_FAULT_RATE: '2000',
  CROSSFADE_FAULT_PHASE_MS: '5000',
  ...process.env,
  CROSSFADE_FAULT_TABLE: table,
};
// One file after the other: they measure.
const args = [
  'node_modules/vitest/vitest.mjs',
  'run',
  '--silent=false',
  '--no-file-parallelism',
  '--testTimeout=300000',
];
const filters = process.argv.length > 2 ? process.argv.slice(2) : ['test/faults'];
process.exitCode = spawnSync(process.execPath, [...args, ...filters], { stdio: 'inherit', env }).status ?? 1;
print(readFileSync(table, 'utf8'));
rmSync(folder, { recursive: true });

/** @param {string} lines one JSON object each */
function print(lines) {
  const rows = lines.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
  const keys = ['fault', 'sent', 'answered', 'failed', 'seenTwice', 'figure', 'limit'];
  const heads = ['fault', 'sent', 'answered', 'failed', 'seen twice', 'figure', 'limit'];
  const cells = [heads, ...rows.map((row) => keys.map((key) => String(row[key] ?? '')))];
  const widths = keys.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const lineOf = (/** @type {string[]} */ row) =>
    `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  const [head = [], ...rest] = cells;
  const rule = widths.map((width) => '-'.repeat(width));
  console.log(['', lineOf(head), lineOf(rule), ...rest.map(lineOf)].join('\n'));
}
