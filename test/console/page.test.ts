/** The page as it is built and served: small, from here alone, and under a policy that says so. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createAdmin } from '../../src/admin/server.ts';
import { FakeControl } from '../admin/fake-control.ts';

const BUILT = fileURLToPath(new URL('../../dist/console', import.meta.url));
const MOST_BYTES = 300_000;

let admin: ReturnType<typeof createAdmin>;
let url: string;
let access: Parameters<typeof createAdmin>[1]['access'];

beforeEach(async () => {
  access = () => ({ tokens: [], openMetrics: false });
  admin = createAdmin(new FakeControl('search'), {
    version: '0.1.0',
    address: '127.0.0.1:0',
    access: () => access(),
    page: BUILT,
  });
  url = await admin.listen({ host: '127.0.0.1', port: 0 });
});
afterEach(() => admin.close());

test('the whole page is under 300 KB compressed', () => {
  const files = readdirSync(BUILT, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.gz'));
  const bytes = files.reduce((sum, file) => sum + readFileSync(join(BUILT, file)).length, 0);
  expect(files.length).toBeGreaterThan(2);
  expect(bytes).toBeLessThan(MOST_BYTES);
});

test('nothing in it asks for anything elsewhere', () => {
  const html = readFileSync(join(BUILT, 'index.html'), 'utf8');
  const addresses = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address ?? '');
  expect(addresses.length).toBeGreaterThan(2);
  expect(addresses.filter((address) => !address.startsWith('/'))).toEqual([]);
  expect(html).not.toMatch(/<style|style=|<script(?![^>]*src=)/);
});

test('it is served with a strict policy, whether or not there are tokens', async () => {
  access = () => ({ tokens: [{ name: 'otto', role: 'operator', sha256: '0'.repeat(64) }], openMetrics: false });
  const page = await fetch(url);
  expect(page.status).toBe(200);
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
  const policy = page.headers.get('content-security-policy') ?? '';
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toContain('unsafe');
  expect(policy).toContain("frame-ancestors 'none'");
  expect((await fetch(`${url}/v1/status`)).status).toBe(401);
});

test('assets are sent compressed and kept for ever, the page itself is asked for again', async () => {
  const page = await fetch(url);
  expect(page.headers.get('cache-control')).toBe('no-cache');
  const script = /src="(\/assets\/[^"]+)"/.exec(await page.text())?.[1] ?? '';
  const asset = await fetch(url + script, { headers: { 'accept-encoding': 'gzip, br' } });
  expect([asset.status, asset.headers.get('content-encoding')]).toEqual([200, 'br']);
  expect(asset.headers.get('cache-control')).toContain('immutable');
  const plain = await fetch(url + script, { headers: { 'accept-encoding': 'identity' } });
  expect(plain.headers.get('content-encoding')).toBeNull();
  expect(await plain.text()).toBe(await asset.text());
  const again = await fetch(url, { headers: { 'if-none-match': page.headers.get('etag') ?? '' } });
  expect(again.status).toBe(304);
});

test('what is not there is answered as before', async () => {
  const missing = await fetch(`${url}/assets/nothing.js`);
  expect([missing.status, missing.headers.get('content-type')]).toEqual([
    404,
    expect.stringContaining('application/problem+json'),
  ]);
});
