/** A Crossfade of its own processes, from the build, in front of two small servers that say their side. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, get, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { RouteView, StatusView } from '../../src/control/control.ts';
import { until } from './until.ts';

const SKEWED_CLOCK = new URL('../faults/skewed-clock.mjs', import.meta.url).href;
/** A machine that does much else takes its time to load three processes. */
const START_MS = 60_000;
const CLI = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** Two servers that answer with their side's name; `/slow` does so after 300 ms. Either can be told to fail. */
export class Origins {
  /** Share of requests that are answered with 500, by side; in `hung` nothing is answered. */
  readonly faults = { old: 0, new: 0 };
  readonly hung = { old: false, new: false };
  /** A user (X-User) to whom both sides answer 500 always. */
  spoiled: string | null = null;
  readonly #servers: Server[] = [];

  async start(): Promise<{ old: string; new: string }> {
    return { old: await this.#listen('old'), new: await this.#listen('new') };
  }

  async #listen(side: 'old' | 'new'): Promise<string> {
    const server = createServer((request, response) => {
      const delayMs = request.url?.startsWith('/slow') ? 300 : 0;
      request.resume();
      if (this.hung[side]) return;
      const isSpoiled = this.spoiled !== null && request.headers['x-user'] === this.spoiled;
      if (isSpoiled || Math.random() < this.faults[side]) response.statusCode = 500;
      setTimeout(() => response.end(side), delayMs);
    });
    this.#servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** From now on the new side takes no connections. */
  stopNew(): void {
    this.#close(this.#servers.slice(1));
  }

  stop(): void {
    this.#close(this.#servers);
  }

  #close(servers: readonly Server[]): void {
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
  }
}

export class Replica {
  readonly folder = mkdtempSync(join(tmpdir(), 'crossfade-replica-'));
  readonly file = join(this.folder, 'crossfade.yaml');
  #process: ChildProcess | undefined;
  #stdout = '';
  #stderr = '';
  #env: NodeJS.ProcessEnv = process.env;

  /** The time of day of its processes differs by so much from the next start on. */
  skewClock(ms: number): void {
    const options = `${process.env['NODE_OPTIONS'] ?? ''} --import ${SKEWED_CLOCK}`;
    this.#env = { ...process.env, NODE_OPTIONS: options, CLOCK_SKEW_MS: String(ms) };
  }

  configure(yaml: string): void {
    writeFileSync(this.file, yaml);
  }

  /** Starts the process; see `ready` and `exit`. */
  launch(...args: string[]): void {
    this.#stdout = '';
    this.#stderr = '';
    const child = spawn(process.execPath, [CLI, 'serve', '--config', this.file, ...args], { env: this.#env });
    child.stdout.on('data', (chunk: Buffer) => (this.#stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()));
    this.#process = child;
  }

  async start(...args: string[]): Promise<void> {
    this.launch(...args);
    const isDone = (): boolean => this.#stdout.includes('is ready') || this.#ended();
    await until('readiness', isDone, START_MS).catch((error: Error) => {
      throw new Error(`${error.message}; stderr: ${this.#stderr}`);
    });
    if (this.#ended()) throw new Error(`did not start: ${this.#stderr}`);
  }

  /** Of the supervisor. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  get stdout(): string {
    return this.#stdout;
  }

  /** Whether what it prints is read. */
  listen(isListening: boolean): void {
    if (isListening) this.#process?.stdout?.resume();
    else this.#process?.stdout?.pause();
  }

  get stderr(): string {
    return this.#stderr;
  }

  get admin(): string {
    // Before readiness the log has it as well.
    const found = /admin (http:\S+);/.exec(this.#stdout) ?? /listening at (http:\/\/[\d.:]+)/.exec(this.#stderr);
    return found?.[1] ?? 'http://127.0.0.1:1';
  }

  get proxy(): string {
    return /ready on (https?:\/\/[\d.:]+)/.exec(this.#stdout)?.[1] ?? 'http://127.0.0.1:1';
  }

  /** The body, over a connection of its own, so that none is left for a drain to wait for. */
  get(path: string): Promise<string> {
    return new Promise((resolve, reject) => {
      get(`${this.proxy}${path}`, { agent: false }, (response) => {
        text(response).then(resolve, reject);
      }).once('error', reject);
    });
  }

  async status(): Promise<StatusView> {
    return (await (await fetch(`${this.admin}/v1/status`)).json()) as StatusView;
  }

  async route(name: string): Promise<RouteView> {
    return (await (await fetch(`${this.admin}/v1/routes/${name}`)).json()) as RouteView;
  }

  /** With If-Match, and waiting for the workers. */
  async setWeight(name: string, weight: number): Promise<RouteView> {
    const { revision } = await this.route(name);
    const response = await fetch(`${this.admin}/v1/routes/${name}/weight`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json', 'if-match': `"${revision}"` },
      body: JSON.stringify({ weight, reason: 'test', wait: 10_000 }),
    });
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
    return (await response.json()) as RouteView;
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  #ended(): boolean {
    const child = this.#process;
    return child === undefined || child.exitCode !== null || child.signalCode !== null;
  }

  /** Resolves with the exit code once the process has ended. */
  async exit(): Promise<number | null> {
    await until('exit', () => this.#ended());
    return this.#process?.exitCode ?? null;
  }

  async stop(): Promise<void> {
    if (!this.#ended()) {
      this.signal('SIGTERM');
      await this.exit();
    }
  }

  /** The supervisor, without a word; its workers end by themselves. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.exit();
  }

  async dispose(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A whole configuration; parts of it can be replaced. */
export function yamlOf(
  backends: { old: string; new: string },
  more: { routes?: string; head?: string; workers?: number } = {},
): string {
  return `
listeners: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0" }
store: file:state.json
workers: ${more.workers ?? 2}
drainTimeout: 5s
${more.head ?? ''}
backends:
  backend-old: { discovery: { static: ["${backends.old}"] } }
  backend-new: { discovery: { static: ["${backends.new}"] } }
routes:
  - { name: demo, match: { path: / }, old: backend-old, new: backend-new }
${more.routes ?? ''}
drainGrace: 0s
`;
}
