/** Sources that are away when a replica starts. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { KubernetesApiServer } from '../../src/demo/kubernetes/api-server.ts';
import { Discoveries } from '../../src/discovery/discoveries.ts';
import type { Discovery } from '../../src/discovery/discovery.ts';
import { LastEndpoints } from '../../src/store/last-endpoints.ts';
import { until } from '../supervisor/until.ts';

let folder: string;
let path: string;
let server: KubernetesApiServer;
let port: number;
let now = 0;
let failures: string[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'crossfade-remembered-'));
  path = join(folder, 'deep', 'last.json.endpoints');
  now = Date.UTC(2026, 0, 2, 3, 4, 5);
  failures = [];
  server = new KubernetesApiServer();
  port = await server.listen();
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

const openMemory = () =>
  LastEndpoints.open(path, { clock: () => now, onFailure: (message) => void failures.push(message) });

function put(...addresses: readonly string[]): void {
  const endpoints = addresses.map((address) => ({ addresses: [address], conditions: { ready: true } }));
  const ports = [{ name: 'http', protocol: 'TCP', port: 8080 }];
  server.objects.put({ namespace: 'search', name: 'search-a', service: 'search', endpoints, ports });
}

function follow(memory: LastEndpoints, service = 'search'): Discovery {
  const tools = { clock: () => performance.now(), random: () => 0.5, env: {}, last: { memory, wall: () => now } };
  const cluster = { api: `http://127.0.0.1:${port}` };
  const source = { kind: 'kubernetes', namespace: 'search', service, port: 'http', lookMs: 0, cluster } as const;
  const discovery = new Discoveries(tools).open(source);
  onTestFinished(() => discovery.close());
  return discovery;
}

const shown = ({ endpoints }: Discovery): string => endpoints.map(({ host }) => host).join();

/** One life of a replica that knows the service; leaves the file behind. */
async function live(...addresses: readonly string[]): Promise<void> {
  put(...addresses);
  const memory = await openMemory();
  const discovery = follow(memory);
  await until('the endpoints', () => shown(discovery) === addresses.join());
  discovery.close();
  await memory.close();
}

test('the last endpoints are used, with an alarm and their age, until the source answers', async () => {
  await live('10.1.0.1', '10.1.0.2');
  await server.close();
  now += 90_000;
  const memory = await openMemory();
  const discovery = follow(memory);
  const patches: unknown[] = [];
  discovery.watch({ onEndpoints: (patch) => patches.push(patch), onHealth() {} });
  await until('what was known', () => shown(discovery) === '10.1.0.1,10.1.0.2');
  expect(discovery.health.synced).toBe(true);
  expect(discovery.health.alarm).toBe(
    `Kubernetes API http://127.0.0.1:${port} refuses connections; in use are the endpoints of before the start, of 2026-01-02 03:04:05Z`,
  );
  expect(performance.now() - (discovery.health.confirmedAtMs ?? 0)).toBeGreaterThan(89_000);
  await memory.close();
  // Nobody has said anything new: they are as old as they were.
  expect((await openMemory()).recall([...keys()][0] ?? '')?.at).toBe(now - 90_000);

  server = new KubernetesApiServer();
  put('10.1.0.2', '10.1.0.3');
  await server.listen(port);
  await until('what is there now', () => shown(discovery) === '10.1.0.2,10.1.0.3');
  // Those that are still there were never taken away.
  expect(patches.at(-1)).toEqual({ removed: [0], added: [{ host: '10.1.0.3', port: 8080 }] });
  expect(discovery.health).toMatchObject({ synced: true, alarm: null });
});

function keys(): Set<string> {
  return new Set(Object.keys(JSON.parse(readFileSync(path, 'utf8').split('\n')[1] ?? '{}') as object));
}

test('a source that answers at the start is believed alone, and of another source nothing is taken', async () => {
  await live('10.1.0.1');
  put('10.1.0.9');
  const memory = await openMemory();
  const discovery = follow(memory);
  const patches: unknown[] = [];
  discovery.watch({ onEndpoints: (patch) => patches.push(patch), onHealth() {} });
  await until('the endpoints', () => shown(discovery) === '10.1.0.9');
  expect(patches).toHaveLength(1);
  await server.close();
  const other = follow(memory, 'other');
  await until('an alarm', () => other.health.alarm);
  expect([shown(other), other.health.synced]).toEqual(['', false]);
  await memory.close();
});

test.each([
  ['cut', (text: string) => text.slice(0, -9)],
  ['with a changed bit', (text: string) => text.replace('10.1.0.1', '10.1.0.3')],
  ['of something else', () => 'hello\n'],
])('a file %s is not believed, said, and written anew', async (_what, damage) => {
  await live('10.1.0.1');
  writeFileSync(path, damage(readFileSync(path, 'utf8')));
  const memory = await openMemory();
  expect(failures).toEqual([`the last endpoints are not used: ${path}: it is damaged`]);
  const discovery = follow(memory);
  await until('the endpoints', () => shown(discovery) === '10.1.0.1');
  await memory.close();
  failures = [];
  expect((await openMemory()).recall([...keys()][0] ?? '')?.endpoints).toEqual([{ host: '10.1.0.1', port: 8080 }]);
  expect(failures).toEqual([]);
});
