import { readdirSync, readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { Client, credentials } from '@grpc/grpc-js';
import { afterEach, expect, test } from 'vitest';
import { until } from './until.ts';

/** The build's: it starts its servers from files beside it. */
const { startSampleBackends } = (await import(
  new URL('../../dist/demo/sample-backends.js', import.meta.url).href
)) as typeof import('../../src/demo/sample-backends.ts');

const same = (bytes: Buffer): Buffer => bytes;

let stop: () => Promise<void> = async () => {};
afterEach(() => stop());

async function freePort(): Promise<{ port: number; release: () => void }> {
  const server = createServer().listen(0, '127.0.0.1');
  await until('the port', () => server.listening);
  return { port: (server.address() as AddressInfo).port, release: () => server.close() };
}

/** Those that run a script. */
function childrenOf(parent: number, script: string): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const isChild = readFileSync(`/proc/${name}/status`, 'utf8').includes(`\nPPid:\t${parent}\n`);
      return isChild && readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(script) ? [Number(name)] : [];
    } catch {
      // Gone meanwhile.
      return [];
    }
  });
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
    { side: 'old', endpoint: old, protocol: 'http1' },
    { side: 'new', endpoint: next, protocol: 'http1' },
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

test('a signal to the whole process group leaves the sample backends to the proxy, which has requests to finish there', async () => {
  const { port, release } = await freePort();
  release();
  const backends = await startSampleBackends([
    { side: 'old', endpoint: { host: '127.0.0.1', port }, protocol: 'http1' },
  ]);
  stop = () => backends.stop();
  const pids = childrenOf(process.pid, 'demo/backend.js');
  expect(pids).toHaveLength(1);
  const slow = ask(port, '/slow?ms=300');
  for (const pid of pids) for (const signal of ['SIGTERM', 'SIGINT'] as const) process.kill(pid, signal);
  expect(await slow).toEqual([200, { side: 'old', sleptMs: 300 }]);
  expect(await ask(port, '/')).toEqual([200, { side: 'old' }]);
  await stop();
  await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow('fetch failed');
});

test('a sample backend whose port is in use is named, and none is left running', async () => {
  const taken = await freePort();
  const free = await freePort();
  free.release();
  const starting = startSampleBackends([
    { side: 'old', endpoint: { host: '127.0.0.1', port: free.port }, protocol: 'http1' },
    { side: 'new', endpoint: { host: '127.0.0.1', port: taken.port }, protocol: 'http1' },
  ]);
  await expect(starting).rejects.toThrow(`127.0.0.1:${taken.port} cannot listen`);
  await expect(fetch(`http://127.0.0.1:${free.port}/`)).rejects.toThrow('fetch failed');
  taken.release();
});

test('the sample backend of gRPC greets with its side, as its proto file says, and knows no other method', async () => {
  const { port, release } = await freePort();
  release();
  const backends = await startSampleBackends([{ side: 'new', endpoint: { host: '127.0.0.1', port }, protocol: 'h2' }]);
  stop = () => backends.stop();
  const proto = readFileSync(new URL('../../config/greeter.proto', import.meta.url), 'utf8');
  const service = `${/^package (\S+);/m.exec(proto)?.[1]}.${/^service (\S+) /m.exec(proto)?.[1]}`;
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const call = (method: string, message: Buffer): Promise<string> =>
    new Promise((resolve) => {
      const path = `/${service}/${method}`;
      client.makeUnaryRequest(path, same, same, message, (error, reply) => {
        // Behind the field's tag and the length.
        resolve(error === null ? String(reply?.subarray(2)) : `status ${error.code}`);
      });
    });
  expect(await call('Say', Buffer.alloc(0))).toBe('hello from new\n');
  expect(await call('Say', Buffer.from('\n\x03Ann'))).toBe('hello, Ann, from new\n');
  expect(await call('Sing', Buffer.alloc(0))).toBe('status 12');
  client.close();
});
