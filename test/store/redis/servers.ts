/** Real Redis servers on free ports and folders of their own; each is stopped by its own process. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { until } from '../../supervisor/until.ts';

const run = promisify(execFile);
const TLS = fileURLToPath(new URL('../../fixtures/tls/', import.meta.url));

/** Some are not in use yet when the next is wanted. */
const given = new Set<number>();

export async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    if (given.has(port)) continue;
    given.add(port);
    return port;
  }
}

/** Tries again with other ports when somebody else has taken one before it was in use. */
async function onFreePorts<T>(start: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await start();
    } catch (error) {
      if (tries === 3 || !String(error).includes('Address already in use')) throw error;
    }
  }
}

export class RedisServer {
  static readonly #all = new Set<RedisServer>();

  /** Also those of a set-up that broke off. */
  static async disposeAll(): Promise<void> {
    await Promise.all([...RedisServer.#all].map((server) => server.dispose()));
  }

  readonly port: number;
  readonly folder = mkdtempSync(join(tmpdir(), 'crossfade-redis-'));
  readonly #args: readonly string[];
  #process: ChildProcess | undefined;
  #output = '';

  private constructor(port: number, args: readonly string[]) {
    this.port = port;
    this.#args = args;
    RedisServer.#all.add(this);
  }

  /** Without files of its own unless the arguments ask for them. */
  static async start(args: readonly string[] = [], port?: number): Promise<RedisServer> {
    if (port !== undefined) return RedisServer.#startOn(port, args);
    return onFreePorts(async () => RedisServer.#startOn(await freePort(), args));
  }

  static async #startOn(port: number, args: readonly string[]): Promise<RedisServer> {
    const server = new RedisServer(port, args);
    try {
      await server.start();
      return server;
    } catch (error) {
      await server.dispose();
      throw error;
    }
  }

  /** A sentinel; it keeps what it learns in its configuration file. */
  static async sentinel(configuration: string): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), ['--sentinel']);
    const file = join(server.folder, 'sentinel.conf');
    writeFileSync(file, `port ${server.port}\nbind 127.0.0.1\ndir ${server.folder}\n${configuration}`);
    await server.#spawn([file, '--sentinel'], 'Sentinel ID is');
    return server;
  }

  /** As it was left: with its files, if it has any. */
  async start(): Promise<void> {
    const port = this.#args.includes('--tls-port') ? [] : ['--port', String(this.port)];
    const basics = ['--bind', '127.0.0.1', '--dir', this.folder, '--save', '', '--daemonize', 'no'];
    await this.#spawn([...port, ...basics, ...this.#args], 'Ready to accept connections');
  }

  async #spawn(args: readonly string[], sign: string): Promise<void> {
    this.#output = '';
    const child = spawn('redis-server', args);
    child.stdout.on('data', (chunk: Buffer) => (this.#output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (this.#output += chunk.toString()));
    this.#process = child;
    await until(`redis-server on ${this.port}`, () => {
      if (child.exitCode !== null) throw new Error(`redis-server ended: ${this.#output}`);
      return this.#output.includes(sign);
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
    RedisServer.#all.delete(this);
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function tlsArgs(port: number): string[] {
  const files = ['--tls-cert-file', `${TLS}localhost.crt`, '--tls-key-file', `${TLS}localhost.key`];
  return ['--port', '0', '--tls-port', String(port), '--tls-auth-clients', 'no', ...files];
}

export const TLS_CA = `${TLS}localhost.crt`;

/** A primary with a replica, and a sentinel that makes the replica the primary within two seconds. */
export class SentinelGroup {
  readonly nodes: readonly [RedisServer, RedisServer];
  readonly sentinel: RedisServer;

  private constructor(nodes: readonly [RedisServer, RedisServer], sentinel: RedisServer) {
    this.nodes = nodes;
    this.sentinel = sentinel;
  }

  static async start(): Promise<SentinelGroup> {
    const quick = ['--repl-diskless-sync-delay', '0', '--repl-ping-replica-period', '1'];
    const primary = await RedisServer.start(quick);
    const replica = await RedisServer.start([...quick, '--replicaof', '127.0.0.1', String(primary.port)]);
    await until('replication', async () =>
      (await replica.cli('info', 'replication')).includes('master_link_status:up'),
    );
    const sentinel = await RedisServer.sentinel(
      `sentinel monitor main 127.0.0.1 ${primary.port} 1\nsentinel down-after-milliseconds main 500\nsentinel failover-timeout main 2000\n`,
    );
    await until('the sentinel to know the replica', async () =>
      (await sentinel.cli('sentinel', 'replicas', 'main')).includes(String(replica.port)),
    );
    return new SentinelGroup([primary, replica], sentinel);
  }

  /** As the sentinel sees it. */
  async primary(): Promise<RedisServer> {
    const [, port] = (await this.sentinel.cli('sentinel', 'get-master-addr-by-name', 'main')).split('\n');
    return this.nodes.find((node) => String(node.port) === port) as RedisServer;
  }
}

/** Three primaries that share the slots, and a replica of the first. */
export class ClusterGroup {
  readonly nodes: readonly RedisServer[];

  private constructor(nodes: readonly RedisServer[]) {
    this.nodes = nodes;
  }

  static async start(): Promise<ClusterGroup> {
    const nodes = await Promise.all(
      [0, 1, 2, 3].map(() =>
        onFreePorts(async () => {
          const bus = await freePort();
          const cluster = `--cluster-enabled yes --cluster-node-timeout 1000 --cluster-port ${bus}`;
          return RedisServer.start(`${cluster} --repl-diskless-sync-delay 0`.split(' '), await freePort());
        }),
      ),
    );
    const group = new ClusterGroup(nodes);
    const [first, second, third, replica] = nodes as [RedisServer, RedisServer, RedisServer, RedisServer];
    await Promise.all([second, third, replica].map((node) => meet(first, node)));
    const ranges = [
      [0, 5460],
      [5461, 10_922],
      [10_923, 16_383],
    ];
    await Promise.all(
      [first, second, third].map((node, i) => node.cli('cluster', 'addslotsrange', ...(ranges[i] ?? []).map(String))),
    );
    const id = await first.cli('cluster', 'myid');
    await until('all nodes to know each other', async () => {
      const known = await Promise.all(nodes.map((node) => node.cli('cluster', 'info')));
      return known.every((info) => info.includes('cluster_known_nodes:4'));
    });
    await replica.cli('cluster', 'replicate', id);
    await until('the cluster', async () => {
      const states = await Promise.all(nodes.map((node) => node.cli('cluster', 'info')));
      const link = await replica.cli('info', 'replication');
      return states.every((info) => info.includes('cluster_state:ok')) && link.includes('master_link_status:up');
    });
    return group;
  }
}

async function meet(node: RedisServer, other: RedisServer): Promise<void> {
  const bus = await other.cli('config', 'get', 'cluster-port');
  await node.cli('cluster', 'meet', '127.0.0.1', String(other.port), bus.split('\n')[1] as string);
}
