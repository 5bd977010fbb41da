// @ts-check
// Programs of the tests that are run by themselves: compiled first, since Node 20 does not run TypeScript.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** @param {string} path */
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/**
 * Runs test/FOLDER/cli.ts with the arguments of this process, and ends with what it ends with when that is not 0.
 * @param {string} folder
 */
export function runCompiled(folder) {
  run([here('../node_modules/typescript/bin/tsc'), '-p', here(`${folder}/tsconfig.json`)]);
  run([here(`../node_modules/.cache/${folder}/test/${folder}/cli.js`), ...process.argv.slice(2)]);
}

/** @param {string[]} args */
function run(args) {
  const { status, error } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  if (error !== undefined) throw error;
  if (status !== 0) process.exit(status ?? 1);
}
