/** `npm start -- --config config/helios-to-kubernetes.yaml`: the whole migration that it plays, to its last line. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import type { StatusView } from '../../src/control/control.ts';
import type { RouteExamination } from '../../src/domain/doctor.ts';
import { until } from '../supervisor/until.ts';

const CLI = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const SAMPLE = new URL('../../config/helios-to-kubernetes.yaml', import.meta.url);

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Takes two minutes: `npm run rehearsal` plays it, the default suite only moves half of the traffic. */
const isWhole = process.env['REHEARSAL'] === 'whole';

/** The sample configuration, on ports that are free here and with a state of its own. */
async function launch(rehearsal: boolean): Promise<{ child: ChildProcess; output: () => string }> {
  const folder = mkdtempSync(join(tmpdir(), 'crossfade-migration-'));
  const text = readFileSync(SAMPLE, 'utf8')
    .replaceAll('127.0.0.1:5801', `127.0.0.1:${await freePort()}`)
    .replaceAll('127.0.0.1:6443', `127.0.0.1:${await freePort()}`)
    .replace('0.0.0.0:8080', '127.0.0.1:0')
    .replace('127.0.0.1:9900', '127.0.0.1:0')
    .replace('8081', String(await freePort()))
    .replaceAll('../data/', './')
    .replace('rehearsal: true', `rehearsal: ${rehearsal}`);
  writeFileSync(join(folder, 'crossfade.yaml'), text);
  const child = spawn(process.execPath, [CLI, 'serve', '--config', join(folder, 'crossfade.yaml')]);
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  onTestFinished(() => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  return { child, output: () => printed };
}

test.runIf(isWhole)(
  'not one request fails, from everything on Helios to everything on Kubernetes',
  async () => {
    const { child, output } = await launch(true);
    await until('the end', () => output().includes('The migration is done') || child.exitCode !== null, 300_000);
    expect(output()).toMatch(/The migration is done: \d{4,} requests, 0 failed/);
    expect(output()).toMatch(/search at 0% .* new 0, failed 0/);
    expect(output()).toMatch(/all watches lie silent, and a rollout .* new \d+, failed 0/);
    expect(output()).toMatch(/search at 100% .* old \d+, new \d+, failed 0/);
    child.kill('SIGTERM');
    await until('exit', () => child.exitCode !== null);
    expect(child.exitCode).toBe(0);
  },
  330_000,
);

test('both platforms run beside the proxy, which finds what runs on them', async () => {
  const { child, output } = await launch(false);
  const [, proxy = '', admin = ''] = await until('readiness', () => /ready on (\S+); admin (\S+);/.exec(output()));
  const side = async (): Promise<string> => ((await (await fetch(proxy)).json()) as { side: string }).side;
  expect(await side()).toBe('old');
  const headers = { 'content-type': 'application/json', 'if-match': '*' };
  const body = JSON.stringify({ weight: 100, reason: 'all of it', wait: 5_000 });
  await fetch(`${admin}/v1/routes/search/weight`, { method: 'PUT', headers, body });
  expect(await side()).toBe('new');
  const { backends } = (await (await fetch(`${admin}/v1/status`)).json()) as StatusView;
  expect(backends).toMatchObject([
    { name: 'search-helios', discovery: 'helios', endpoints: 3, alarm: null },
    { name: 'search-kubernetes', discovery: 'kubernetes', endpoints: 3, alarm: null },
  ]);
  const doctor = await fetch(`${admin}/v1/doctor`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ route: 'search' }),
  });
  const seen = { endpoints: 3, tried: 3, unreachable: [], protocols: ['http1'], sample: { status: 200 } };
  const [examined] = ((await doctor.json()) as { routes: RouteExamination[] }).routes;
  expect(examined).toMatchObject({ request: 'GET /', old: seen, new: seen });
  expect(examined?.findings.filter(({ severity }) => severity === 'breaks')).toEqual([]);
  child.kill('SIGTERM');
  await until('exit', () => child.exitCode !== null);
});
