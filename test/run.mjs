// @ts-check
// `npm test`: brings what is missing, checks the sources, runs the tests. Arguments go to vitest: `npm test -- test/store`.
// The last line says how many checks and tests passed and failed.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, install } from '../.ci/prepare.mjs';
import { bringTools } from '../.ci/tools.mjs';

const CHECKS = ['typecheck', 'lint', 'format:check', 'knip'];

let passed = 0;
let failed = 0;

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
if (attempt('install', install)) {
  attempt('build', build);
  bringTools();
  for (const name of CHECKS) attempt(name, () => npmRun(name));
  runTests(process.argv.slice(2));
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/**
 * Counts as one.
 * @param {string} name
 * @param {() => void} check throws why it failed
 */
function attempt(name, check) {
  try {
    check();
    passed += 1;
    console.log(`ok      ${name}`);
    return true;
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}

/** @param {string} name */
function npmRun(name) {
  const { status, stdout, stderr } = spawnSync('npm', ['run', '--silent', name], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm run ${name} ended with ${status}\n${stdout}${stderr}`);
}

/** @param {readonly string[]} filters */
function runTests(filters) {
  const folder = mkdtempSync(join(tmpdir(), 'crossfade-test-'));
  const file = join(folder, 'results.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const args = ['node_modules/vitest/vitest.mjs', 'run', ...reporters, ...filters];
  const { status } = spawnSync(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const tests = countTests(file);
  rmSync(folder, { recursive: true });
  passed += tests.passed;
  failed += tests.failed;
  // A run that broke off, met an error outside of all tests, or found none to run.
  if (tests.failed === 0 && (status !== 0 || tests.passed === 0)) {
    failed += 1;
    console.log(`FAILED  vitest: it ended with ${status} after ${tests.passed} tests`);
  }
}

/** @param {string} file */
function countTests(file) {
  try {
    const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(file, 'utf8'));
    const unloadable = testResults.filter(
      (/** @type {{ status: string, assertionResults: { status: string }[] }} */ { status, assertionResults }) =>
        status === 'failed' && assertionResults.every((test) => test.status !== 'failed'),
    );
    return { passed: numPassedTests, failed: numFailedTests + unloadable.length };
  } catch {
    return { passed: 0, failed: 0 };
  }
}
