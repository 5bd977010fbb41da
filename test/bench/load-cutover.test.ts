import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, test } from 'vitest';

const program = fileURLToPath(new URL('../../bench/load-cutover.mjs', import.meta.url));
const servers: http.Server[] = [];
const children: ChildProcess[] = [];
const directory = mkdtempSync(join(tmpdir(), 'load-cutover-'));

afterEach(async () => {
  for (const child of children.splice(0)) {
    const ended = once(child, 'exit');
    if (child.exitCode === null && child.kill('SIGKILL')) await ended;
  }
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function listen(handler: http.RequestListener): Promise<string> {
  const server = http.createServer(handler);
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no address');
  return `http://127.0.0.1:${address.port}`;
}

const GOLDEN = (Math.sqrt(5) - 1) / 2;

interface Pretence {
  /** The share that really goes to the new side; default: the weight. */
  served?: number;
  /** Answers of the new side. */
  status?: number;
  /** Closes the connection instead of every so manyth answer. */
  drop?: number;
}

/** A proxy with one route `r` at 0 percent, and its admin API, as far as the load test asks. */
async function pretend({ served, status = 200, drop = 0 }: Pretence = {}) {
  const route = { weight: 0, revision: 1, state: 'steady', applied: { replicas: 1, of: 1, ms: 1 } };
  const weights: number[] = [];
  let count = 0;
  const target = await listen((_request, response) => {
    count += 1;
    if (drop > 0 && count % drop === 0) {
      response.socket?.destroy();
      return;
    }
    // Spread as evenly as can be, so that no honest split is ever outside by chance.
    const isNew = ((count * GOLDEN) % 1) * 100 < (served ?? route.weight);
    response.writeHead(isNew ? status : 200, { 'x-side': isNew ? 'new' : 'old' }).end();
  });
  const admin = await listen((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (bytes: Buffer) => chunks.push(bytes));
    request.on('end', () => {
      const fresh = request.method === 'GET' || request.headers['if-match'] === `"${route.revision}"`;
      if (request.method === 'PUT' && fresh) {
        route.weight = (JSON.parse(Buffer.concat(chunks).toString()) as { weight: number }).weight;
        route.revision += 1;
        weights.push(route.weight);
      }
      response.writeHead(fresh ? 200 : 412, { etag: `"${route.revision}"` });
      response.end(JSON.stringify(route));
    });
  });
  return { target, admin, route, weights };
}

async function load(args: string[]): Promise<{ status: number; out: string; err: string }> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  let out = '';
  let err = '';
  child.stdout.on('data', (bytes) => (out += String(bytes)));
  child.stderr.on('data', (bytes) => (err += String(bytes)));
  const [status] = (await once(child, 'close')) as [number];
  return { status, out, err };
}

const short = ['--hold', '400ms', '--rate', '400', '--closed', '1', '--closed-rate', '100'];
const ramp = (admin: string) => ['--admin', admin, '--route', 'r', '--steps', '10,100'];

describe('load:cutover', () => {
  test('walks the ramp, says that all is well, puts the weight back and writes the report', async () => {
    const { target, admin, weights } = await pretend();
    const file = join(directory, 'report.md');
    const { status, out } = await load(['--target', target, ...ramp(admin), ...short, '--report', file]);
    expect(out).toContain('verdict: all is well');
    expect(status).toBe(0);
    expect(weights).toEqual([10, 100, 0]);
    expect(out).toMatch(/open loop: \*\*0 failed\*\*, [1-9]/);
    expect(out).toMatch(/closed loop: \*\*0 failed\*\*, [1-9]/);
    expect(out).toMatch(/\| 100 % \| (\d+) \| \1 \| 100\.000 % \|/);
    expect(readFileSync(file, 'utf8')).toBe(out);
  });

  test('a split that is not the weight fails the run', async () => {
    const { target, admin } = await pretend({ served: 40 });
    const { status, out } = await load(['--target', target, ...ramp(admin), ...short]);
    expect(out).toMatch(/At 10 % \d+ of \d+ answers came from new: outside/);
    expect(status).toBe(1);
  });

  test('errors of one side fail the run and stand with that side', async () => {
    const { target, admin } = await pretend({ status: 503 });
    const { status, out } = await load(['--target', target, ...ramp(admin), ...short]);
    expect(status).toBe(1);
    expect(out).toMatch(/open loop: \*\*(\d+) failed\*\* \(\1 status 503\)/);
    expect(out).toMatch(/\| 100 % \| new \| (\d+) \| \1 \| 100\.000 % \|/);
  });

  test('connections closed without an answer fail the run in both loops, without an admin API too', async () => {
    const { target } = await pretend({ drop: 20 });
    const { status, out } = await load(['--target', target, '--steps', '0', ...short]);
    expect(status).toBe(1);
    expect(out).toMatch(/open loop: \*\*[1-9]\d* failed\*\* \(\d+ (?:CLOSED|ECONNRESET)/);
    expect(out).toMatch(/closed loop: \*\*[1-9]\d* failed\*\*/);
  });

  test('a route that somebody else moves fails the run', async () => {
    const { target, admin, route } = await pretend();
    const running = load(['--target', target, ...ramp(admin), ...short, '--steps', '100', '--hold', '2s']);
    await expect.poll(() => route.weight, { timeout: 10_000 }).toBe(100);
    Object.assign(route, { weight: 0, revision: 9, state: 'rolledBack' });
    const { status, out } = await running;
    expect(out).toContain('At 100 % somebody moved the route: weight 0 %, rolledBack, at revision 9.');
    expect(status).toBe(1);
  });

  test('an admin API that does not answer ends the ramp and fails the run', async () => {
    const { target } = await pretend();
    const { status, out } = await load(['--target', target, ...ramp('http://127.0.0.1:1'), ...short]);
    expect(out).toContain('The ramp ended early');
    expect(status).toBe(1);
  });

  test.each([
    ['--steps', '1,101'],
    ['--rate', 'fast'],
    ['--hold', '5 days'],
    ['--route', 'r'],
    ['--header', 'no colon'],
  ])('refuses %s %s', async (...args) => {
    const { status, err } = await load(args);
    expect(status).toBe(64);
    expect(err).toContain('usage: npm run load:cutover');
  });
});
