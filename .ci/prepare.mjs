// @ts-check
// Brings what a fresh clone lacks: the packages of the lock file, and a build. Says so only when there is something to do.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Hash of the lock file that node_modules was installed from. */
const INSTALLED = join(root, 'node_modules/.crossfade-lock');
/** Written after each build that succeeded. */
const BUILT = join(root, 'dist/.built');

/** @throws Error when npm cannot install */
export function install() {
  const hash = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (textOf(INSTALLED) === hash) return;
  npm('Installing packages', 'ci', '--include=dev');
  writeFileSync(INSTALLED, hash);
}

/** @throws Error when the sources do not compile */
export function build() {
  const sources = ['src', 'package.json', 'package-lock.json', 'tsconfig.json'].map((name) =>
    newestMs(join(root, name)),
  );
  const builtMs = statSync(BUILT, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (Math.max(...sources) < builtMs) return;
  // Sources that change meanwhile are newer than this.
  const startedAt = new Date();
  npm('Building', 'run', '--silent', 'build');
  writeFileSync(BUILT, `${startedAt.toISOString()}\n`);
  utimesSync(BUILT, startedAt, startedAt);
}

/** @param {string} file */
function textOf(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

/**
 * When a file, or anything in a folder, changed last; a file taken away changes its folder.
 * @param {string} path
 * @returns {number}
 */
function newestMs(path) {
  const stats = statSync(path);
  const inside = stats.isDirectory() ? readdirSync(path) : [];
  return Math.max(stats.mtimeMs, ...inside.map((name) => newestMs(join(path, name))));
}

/**
 * @param {string} what
 * @param {string[]} args
 */
function npm(what, ...args) {
  console.error(`${what} (npm ${args.join(' ')})`);
  const { status, error } = spawnSync('npm', args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`npm ${args.join(' ')} ended with ${status}`);
}
