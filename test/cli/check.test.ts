import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from './harness.ts';

const GOOD = `listeners: [{ address: "127.0.0.1:8080" }]
store: file:state.json
backends:
  a: { discovery: { static: ["127.0.0.1:8081"] } }
  b: { discovery: { static: ["127.0.0.1:8082"] } }
routes:
  - { name: all, match: { path: / }, old: a, new: b, weight: 0 }
`;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'crossfade-check-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

test('a good configuration is counted', async () => {
  const path = await file('good.yaml', GOOD);
  expect(await run(['check', path])).toEqual({ code: 0, out: `${path}: ok (1 route, 2 backends)`, err: '' });
  const { out } = await run(['check', path, '-o', 'json']);
  expect(JSON.parse(out)).toEqual({ file: path, ok: true, routes: 1, backends: 2 });
});

test('each problem is one line on stderr, with its place; exit 78', async () => {
  const path = await file('bad.yaml', GOOD.replace('weight: 0', 'weight: 101, wieght: 1').replace('store:', 'stoer:'));
  const { code, out, err } = await run(['check', path]);
  expect({ code, out }).toEqual({ code: 78, out: '' });
  const lines = err.split('\n');
  expect(lines.length).toBeGreaterThan(1);
  for (const line of lines) expect(line.startsWith(`${path}:`)).toBe(true);
  expect(err).toMatch(/bad\.yaml:2:\d+: .*stoer/);
  expect(err).toMatch(/bad\.yaml:7:\d+: .*weight/);
});

test('places that cannot be written are warned of', async () => {
  const path = await file('places.yaml', GOOD.replace('file:state.json', 'file:/proc/1/none/state.json'));
  const { code, err } = await run(['check', path]);
  expect(code).toBe(0);
  expect(err).toMatch(/places\.yaml: store: warning: \/proc\/1\/none\/state\.json: \/proc\/1 cannot be written to/);
});

test('an expired certificate is warned of, where it stands', async () => {
  const fixtures = fileURLToPath(new URL('../fixtures/tls', import.meta.url));
  const tls = `tls: { certificate: ${join(fixtures, 'expired.crt')}, key: ${join(fixtures, 'shop.key')} }`;
  const path = await file('expired.yaml', GOOD.replace(/(address: "?127\.0\.0\.1:\d+"?)/, `$1, ${tls}`));
  const { code, err } = await run(['check', path]);
  expect(code).toBe(0);
  expect(err).toMatch(/expired\.yaml:\d+:\d+: listeners\[0\]\.tls\.certificate: warning: expired on 2020-02-01/);
});

test('a file that is not there', async () => {
  const { code, err } = await run(['check', join(folder, 'none.yaml')]);
  expect(code).toBe(78);
  expect(err).toContain('none.yaml');
});
