/** Clients of the field over TLS, which choose HTTP/2 by ALPN: curl, and a browser that loads a page while the weight moves. */
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { openBrowser } from '../console/scene.ts';
import { shows } from './harness.ts';
import { plane } from './scene.ts';

const path = (name: string): string => fileURLToPath(new URL(`../fixtures/tls/${name}`, import.meta.url));
const pem = (name: string): string => readFileSync(path(name), 'utf8');
const LOCALHOST = shows(pem('localhost.crt'), pem('localhost.key'));
const RESOURCES = 100;
const PAGE = Array.from({ length: RESOURCES }, (_, i) => `<script async src="/r/${i}.js"></script>`).join('\n');

/** A page and its scripts, each of which counts itself. */
async function origin(): Promise<{ port: number; asked: number }> {
  const seen = { port: 0, asked: 0 };
  const server = createServer((request, response) => {
    seen.asked++;
    const isPage = request.url === '/';
    response.setHeader('content-type', isPage ? 'text/html' : 'text/javascript');
    response.setHeader('cache-control', 'no-store');
    response.end(isPage ? PAGE : 'globalThis.loaded = (globalThis.loaded ?? 0) + 1;');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  seen.port = (server.address() as AddressInfo).port;
  return seen;
}

test('a browser loads a page of 100 resources over one connection of HTTP/2 while the weight moves', async () => {
  const [old, next] = [await origin(), await origin()];
  const proxy = await plane({ old: [old.port], new: [next.port], weightPpm: 500_000, tls: LOCALHOST });
  let revision = 1;
  const moving = setInterval(() => proxy.weight(300_000 + 100_000 * (++revision % 5), revision), 10);
  onTestFinished(() => clearInterval(moving));
  const browser = await openBrowser();
  onTestFinished(() => browser.close());
  const page = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
  await page.goto(`https://127.0.0.1:${proxy.port}/`);
  await page.waitForFunction((wanted) => (globalThis as { loaded?: number }).loaded === wanted, RESOURCES);
  const loads = await page.evaluate(() =>
    (performance.getEntriesByType('resource') as PerformanceResourceTiming[])
      .filter(({ name }) => name.endsWith('.js'))
      .map(({ connectStart, connectEnd, nextHopProtocol }) => `${nextHopProtocol} ${connectEnd - connectStart}`),
  );
  // None of them made a connection of its own.
  expect(loads).toEqual(Array.from({ length: RESOURCES }, () => 'h2 0'));
  expect(revision).toBeGreaterThan(2);
  expect(Math.min(old.asked, next.asked)).toBeGreaterThan(0);
});

const features = execFileSync('curl', ['--version']).toString();

test.skipIf(!/\bHTTP2\b/.test(features))('curl (this one speaks HTTP/2) asks often over one connection', async () => {
  const { port } = await origin();
  const client = { ca: pem('clients-ca.crt'), isRequired: true, isForwarded: true };
  const proxy = await plane({ old: [port], tls: { ...LOCALHOST, client } });
  const curl = (...args: string[]) =>
    promisify(execFile)('curl', [
      '--http2',
      '--silent',
      '--show-error',
      '--cacert',
      path('localhost.crt'),
      '--write-out',
      '%{stderr}%{http_version} %{http_code} %{num_connects}\n',
      ...args,
      `https://localhost:${proxy.port}/r/[1-30].js`,
    ]);
  const { stderr } = await curl('--cert', path('client.crt'), '--key', path('client.key'));
  expect(stderr.trim().split('\n')).toEqual(['2 200 1', ...Array.from({ length: 29 }, () => '2 200 0')]);
  // TLS 1.3 refuses when the client has taken the connection for made.
  await expect(curl()).rejects.toThrow(/alert certificate required|\b000\b/);
});
