/** Real Redis servers on free ports and folders of their own; each is stopped by its own process. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { until } from '../../supervisor/until.ts';

const run = promisify(execFile);
const TLS = fileURLToPath(new URL('../../fixtures/tls/', import.meta.url));

export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export class RedisServer {
  readonly port: number;
  readonly folder = mkdtempSync(join(tmpdir(), 'crossfade-redis-'));
  readonly #args: readonly string[];
  #process: ChildProcess | undefined;
  #output = '';

  private constructor(port: number, args: readonly string[]) {
    this.port = port;
    this.#args = args;
  }

  /** Without files of its own unless the arguments ask for them. */
  static async start(args: readonly string[] = [], port?: number): Promise<RedisServer> {
    const server = new RedisServer(port ?? (await freePort()), args);
    await server.start();
    return server;
  }

  /** As it was left: with its files, if it has any. */
  async start(): Promise<void> {
    const port = this.#args.includes('--tls-port') ? [] : ['--port', String(this.port)];
    const basics = ['--bind', '127.0.0.1', '--dir', this.folder, '--save', '', '--daemonize', 'no'];
    this.#output = '';
    const child = spawn('redis-server', [...port, ...basics, ...this.#args]);
    child.stdout.on('data', (chunk: Buffer) => (this.#output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (this.#output += chunk.toString()));
    this.#process = child;
    await until(`redis-server on ${this.port}`, () => {
      if (child.exitCode !== null) throw new Error(`redis-server ended: ${this.#output}`);
      return this.#output.includes('Ready to accept connections');
    });
  }

  /** The answer, as text. */
  async cli(...args: string[]): Promise<string> {
    return (await run('redis-cli', ['-p', String(this.port), ...args])).stdout.trim();
  }

  freeze(): void {
    this.#process?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process?.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  async dispose(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function tlsArgs(port: number): string[] {
  const files = ['--tls-cert-file', `${TLS}localhost.crt`, '--tls-key-file', `${TLS}localhost.key`];
  return ['--port', '0', '--tls-port', String(port), '--tls-auth-clients', 'no', ...files];
}

export const TLS_CA = `${TLS}localhost.crt`;
