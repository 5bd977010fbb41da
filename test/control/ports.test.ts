import { type AddressInfo, createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { Claims } from '../../src/control/ports.ts';

const HOST = '127.0.0.1';

async function listen(port: number): Promise<number> {
  const server = createServer();
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, HOST, resolve));
  return (server.address() as AddressInfo).port;
}

test('no two addresses that leave the choice of their port get the same, and all can be listened on afterwards', async () => {
  const claims = new Claims();
  const found = [];
  for (let i = 0; i < 50; i++) found.push(await claims.claim(HOST, 0));
  const ports = found.map((claim) => (claim.kind === 'free' ? claim.port : 0));
  expect(new Set(ports).size).toBe(50);
  expect(ports).not.toContain(0);
  await claims.release();
  expect(await Promise.all(ports.map(listen))).toEqual(ports);
});

test('an address that is wanted twice, and one that somebody else has, are told apart', async () => {
  const claims = new Claims();
  onTestFinished(() => claims.release());
  const first = await claims.claim(HOST, 0);
  const { port } = first as { port: number };
  const reason = 'is given to another address of this file: choose another port';
  expect(await claims.claim(HOST, port)).toEqual({ kind: 'taken', reason });
  expect(await claims.claim(HOST, await listen(0))).toEqual({
    kind: 'taken',
    reason: 'is in use by another process: stop that or choose another port',
  });
});
