// @ts-check
import { spawnSync } from 'node:child_process';
import os from 'node:os';
import { versionOf } from './processes.mjs';

/** The proxy alone on one core; load and origins on the other, or on one each where there is a third. */
export const PROXY_CORES = '0';
export const LOAD_CORES = '1';
export const ORIGIN_CORES = os.availableParallelism() > 2 ? '2' : '1';

/** What the figures were taken on. */
export function describeMachine() {
  return {
    cpu: os.cpus()[0]?.model ?? 'unknown',
    cores: os.availableParallelism(),
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    kernel: `${os.type()} ${os.release()}`,
    node: process.version,
    wrk: versionOf('wrk', ['-v'], /wrk (\S+)/),
    h2load: versionOf('h2load', ['--version'], /nghttp2\/(\S+)/),
    loadAverage: os.loadavg()[0] ?? 0,
  };
}

/** Why this machine cannot run the bench, or null. */
export function unfit() {
  if (process.platform !== 'linux') return 'the bench reads /proc: it needs Linux';
  if (os.availableParallelism() < 2) return 'the bench needs two cores: one for the proxy, one for the load';
  if (versionOf('taskset', ['--version'], /(\S+)$/m) === null) return 'taskset is missing (Debian package util-linux)';
  if (versionOf('wrk', ['-v'], /wrk (\S+)/) === null)
    return 'wrk is missing (Debian package wrk, or run with --install)';
  return null;
}

/**
 * Installs Debian packages without starting the services in them.
 * @param {readonly string[]} packages
 */
export function installPackages(packages) {
  const { status } = spawnSync('apt-get', ['install', '-y', '--no-install-recommends', ...packages], {
    // invoke-rc.d starts nothing in run level 1.
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
    stdio: ['ignore', process.stderr.fd, process.stderr.fd],
  });
  if (status !== 0) throw new Error(`apt-get install ${packages.join(' ')} ended with ${status}`);
}
