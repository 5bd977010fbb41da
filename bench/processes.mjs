// @ts-check
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { familyOf } from './proc-stat.mjs';

const START_DEADLINE_MS = 20_000;
const STOP_DEADLINE_MS = 10_000;

/** A port of 127.0.0.1 that was free a moment ago. */
export async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || address === null) throw new Error('no free port on 127.0.0.1');
  return address.port;
}

/**
 * Starts a command pinned to these cores and waits until it says that it is ready, or accepts connections on the port.
 * @param {{ command: string, args: readonly string[], cores: string, port: number, env?: Record<string, string>, saysReady?: RegExp }} what
 * @returns {Promise<import('./types.ts').Running>}
 */
export async function startServer({ command, args, cores, port, env = {}, saysReady }) {
  const child = spawn('taskset', ['-c', cores, command, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  const keep = (/** @type {Buffer} */ bytes) => {
    log = (log + bytes.toString()).slice(-8000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const family = familyOf(child.pid ?? 0);
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
    await ended;
    clearTimeout(timer);
    for (const pid of family) killIfThere(pid);
  };
  const deadline = Date.now() + START_DEADLINE_MS;
  while (saysReady === undefined ? !(await accepts(port)) : !saysReady.test(log)) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${command} ended at its start: ${log}`);
    if (Date.now() > deadline) {
      await stop();
      throw new Error(`${command} is not ready on port ${port} after ${START_DEADLINE_MS} ms: ${log}`);
    }
    await sleep(50);
  }
  return { port, pids: () => familyOf(child.pid ?? 0), stop, log: () => log };
}

/**
 * A worker may outlive its supervisor, by design.
 * @param {number} pid
 */
function killIfThere(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended with its parent.
  }
}

/** @param {number} port */
function accepts(port) {
  const socket = net.connect(port, '127.0.0.1');
  return new Promise((/** @type {(yes: boolean) => void} */ resolve) => {
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
  }).finally(() => socket.destroy());
}

/**
 * Runs a command to its end and gives its standard output.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {readonly number[]} goodStatuses
 */
export async function run(command, args, goodStatuses = [0]) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.on('data', (bytes) => (out += bytes));
  child.stderr.on('data', (bytes) => (err += bytes));
  const [status] = await once(child, 'close');
  if (!goodStatuses.includes(status))
    throw new Error(`${command} ${args.join(' ')} ended with ${status}: ${err || out}`);
  return out;
}

/**
 * What a program says of its version; null when it is not installed.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {RegExp} pattern its first group is the version
 */
export function versionOf(command, args, pattern) {
  const { stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (error !== undefined) return null;
  return pattern.exec(stdout + stderr)?.[1] ?? 'unknown';
}

/**
 * Fills a committed configuration's `{{name}}` places and writes it into the target's folder.
 * @param {string} template file name under bench/targets/config
 * @param {import('./types.ts').TargetSetting} setting
 * @param {Record<string, string>} words the places that only this configuration has
 */
export function writeConfig(template, setting, words) {
  const text = readFileSync(new URL(`targets/config/${template}`, import.meta.url), 'utf8');
  const places = new Map([
    ['port', String(setting.port)],
    ['old', String(setting.origins.old)],
    ['new', String(setting.origins.new)],
    ['directory', setting.directory],
    ['certificate', setting.certificate.certificate],
    ['key', setting.certificate.key],
    ...Object.entries(words),
  ]);
  const file = join(setting.directory, template);
  const filled = text.replaceAll(/\{\{(\w+)\}\}/g, (place, /** @type {string} */ name) => places.get(name) ?? place);
  writeFileSync(file, filled);
  return file;
}
