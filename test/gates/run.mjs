// @ts-check
// `npm run backtest:gates`: compiles the simulation, since Node 20 does not run TypeScript, and runs it.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** @param {string} path */
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** @param {string[]} args */
function run(args) {
  const { status, error } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  if (error !== undefined) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

run([here('../../node_modules/typescript/bin/tsc'), '-p', here('tsconfig.json')]);
run([here('../../node_modules/.cache/gates/test/gates/cli.js'), ...process.argv.slice(2)]);
