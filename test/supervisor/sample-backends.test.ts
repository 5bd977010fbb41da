import { type AddressInfo, createServer } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { until } from './until.ts';

/** The build's: it starts its servers from files beside it. */
const { startSampleBackends } = (await import(
  new URL('../../dist/demo/sample-backends.js', import.meta.url).href
)) as typeof import('../../src/demo/sample-backends.ts');

let stop: () => Promise<void> = async () => {};
afterEach(() => stop());

async function freePort(): Promise<{ port: number; release: () => void }> {
  const server = createServer().listen(0, '127.0.0.1');
  await until('the port', () => server.listening);
  return { port: (server.address() as AddressInfo).port, release: () => server.close() };
}

async function ask(port: number, path: string, init?: RequestInit): Promise<readonly [number, unknown]> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
  return [response.status, await response.json()];
}

test('the sample backends say their side, and answer late, wrong or with what they were sent when asked to', async () => {
  const ports = [await freePort(), await freePort()];
  for (const { release } of ports) release();
  const [old, next] = ports.map(({ port }) => ({ host: '127.0.0.1', port }));
  if (old === undefined || next === undefined) throw new Error('no ports');
  const backends = await startSampleBackends([
    { side: 'old', endpoint: old },
    { side: 'new', endpoint: next },
  ]);
  stop = () => backends.stop();
  expect(await ask(old.port, '/')).toEqual([200, { side: 'old' }]);
  expect(await ask(next.port, '/')).toEqual([200, { side: 'new' }]);
  expect(await ask(next.port, '/status/503')).toEqual([503, { side: 'new', status: 503 }]);
  expect(await ask(old.port, '/slow?ms=20')).toEqual([200, { side: 'old', sleptMs: 20 }]);
  const [, echo] = await ask(old.port, '/echo?x', { method: 'POST', body: 'hello', headers: { 'x-a': 'b' } });
  expect(echo).toMatchObject({ side: 'old', method: 'POST', url: '/echo?x', headers: { 'x-a': 'b' }, bodyBytes: 5 });
  await stop();
  await expect(fetch(`http://127.0.0.1:${old.port}/`)).rejects.toThrow('fetch failed');
});

test('a sample backend whose port is in use is named, and none is left running', async () => {
  const taken = await freePort();
  const free = await freePort();
  free.release();
  const starting = startSampleBackends([
    { side: 'old', endpoint: { host: '127.0.0.1', port: free.port } },
    { side: 'new', endpoint: { host: '127.0.0.1', port: taken.port } },
  ]);
  await expect(starting).rejects.toThrow(`127.0.0.1:${taken.port} cannot listen`);
  await expect(fetch(`http://127.0.0.1:${free.port}/`)).rejects.toThrow('fetch failed');
  taken.release();
});
