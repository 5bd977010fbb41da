// @ts-check
// Replicas of Crossfade on one Redis, each with processes of its own, and what they tell.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../processes.mjs';

const CLI = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/**
 * @typedef {object} FleetOptions
 * @property {number} replicas
 * @property {{ old: number, new: number }} ports of the two sides
 * @property {readonly string[]} routes names, each at `/NAME/`
 * @property {'http1' | 'h2'} [protocol] of both sides; of h2 a route's name is that of a gRPC service
 * @property {string} [more] lines of the configuration
 */

export class Fleet {
  folder = mkdtempSync(join(tmpdir(), 'crossfade-rollback-'));
  /** @type {Replica[]} */
  replicas = [];
  /** @type {import('node:child_process').ChildProcess | undefined} */
  #redis;
  redisPort = 0;

  /** @param {FleetOptions} options */
  static async start({ replicas, ports, routes, protocol = 'http1', more = '' }) {
    const fleet = new Fleet();
    fleet.redisPort = await freePort();
    await fleet.startRedis();
    for (let i = 0; i < replicas; i++) {
      const file = join(fleet.folder, `replica-${i}.yaml`);
      const [proxyPort, adminPort] = [await freePort(), await freePort()];
      writeFileSync(
        file,
        configOf({ ...ports, proxyPort, adminPort, redisPort: fleet.redisPort, routes, protocol, index: i, more }),
      );
      fleet.replicas.push(new Replica(file, proxyPort, adminPort));
    }
    await Promise.all(fleet.replicas.map((replica) => replica.start()));
    await fleet.agreed();
    return fleet;
  }

  async startRedis() {
    const files = ['--save', '', '--appendonly', 'yes', '--appendfsync', 'always', '--dir', this.folder];
    this.#redis = spawn('redis-server', ['--port', String(this.redisPort), '--bind', '127.0.0.1', ...files], {
      stdio: ['ignore', 'ignore', 'ignore'],
    });
    await sleep(200);
  }

  async killRedis() {
    const redis = this.#redis;
    if (redis === undefined) return;
    const ended = once(redis, 'exit');
    redis.kill('SIGKILL');
    await ended;
  }

  /** All count each other and serve the same. */
  async agreed() {
    for (;;) {
      const statuses = await Promise.all(
        this.replicas.map((replica) => replica.ask('/v1/status').catch(() => undefined)),
      );
      const done = statuses.every((status) => status?.applied.replicas === this.replicas.length && status.store.up);
      if (done) return;
      await sleep(20);
    }
  }

  async stop() {
    await Promise.all(this.replicas.map((replica) => replica.kill()));
    await this.killRedis();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

class Replica {
  #file;
  proxy;
  admin;
  #log = '';
  /** @type {import('node:child_process').ChildProcess | undefined} */
  #child;

  /**
   * @param {string} file
   * @param {number} proxyPort
   * @param {number} adminPort
   */
  constructor(file, proxyPort, adminPort) {
    this.#file = file;
    this.proxy = `http://127.0.0.1:${proxyPort}`;
    this.admin = `http://127.0.0.1:${adminPort}`;
  }

  async start() {
    const child = spawn(process.execPath, [CLI, 'serve', '--config', this.#file], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    child.stderr.on('data', (chunk) => {
      this.#log = (this.#log + String(chunk)).slice(-20_000);
    });
    let out = '';
    for await (const chunk of child.stdout) {
      out += String(chunk);
      if (out.includes('is ready')) break;
    }
    if (!out.includes('is ready')) throw new Error(`did not start: ${this.#log}`);
    child.stdout.resume();
  }

  get log() {
    return this.#log;
  }

  async kill() {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  async stop() {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  }

  /**
   * @param {string} path
   * @param {RequestInit} [init]
   * @returns {Promise<any>}
   */
  async ask(path, init) {
    const response = await fetch(`${this.admin}${path}`, init);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  /**
   * @param {string} route
   * @param {number} weight
   */
  async set(route, weight) {
    const { revision } = await this.ask(`/v1/routes/${route}`);
    return this.ask(`/v1/routes/${route}/weight`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json', 'if-match': `"${revision}"` },
      body: JSON.stringify({ weight, reason: 'bench', wait: 5000 }),
    });
  }

  /** Events from now on, until the signal. @param {AbortSignal} signal */
  async *events(signal) {
    const response = await fetch(`${this.admin}/v1/events`, { signal });
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of /** @type {any} */ (response.body)) {
      text += decoder.decode(chunk, { stream: true });
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const data = /^data: (.*)$/m.exec(block)?.[1];
        if (data !== undefined) yield JSON.parse(data);
      }
    }
  }
}

/** @param {{ old: number, new: number, proxyPort: number, adminPort: number, redisPort: number, routes: readonly string[], protocol: string, index: number, more: string }} parts */
function configOf(parts) {
  const match = (/** @type {string} */ name) =>
    parts.protocol === 'h2' ? `grpc: { service: ${name} }` : `path: /${name}/`;
  return `listeners: [{ address: "127.0.0.1:${parts.proxyPort}" }]
admin: { address: "127.0.0.1:${parts.adminPort}" }
store: redis://127.0.0.1:${parts.redisPort}
stateFile: last-${parts.index}.json
workers: 1
drainTimeout: 1s
backends:
  old: { protocol: ${parts.protocol}, discovery: { static: ["127.0.0.1:${parts.old}"] } }
  new: { protocol: ${parts.protocol}, discovery: { static: ["127.0.0.1:${parts.new}"] } }
routes:
${parts.routes.map((name) => `  - { name: ${name}, match: { ${match(name)} }, old: old, new: new }`).join('\n')}
${parts.more}
`;
}
