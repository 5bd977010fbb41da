/** Workers are replaced while clients of all kinds go on. */
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import autocannon from 'autocannon';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Replica, yamlOf } from '../supervisor/replica.ts';
import { until } from '../supervisor/until.ts';

let server: Server;
let replica: Replica;

beforeEach(async () => {
  server = createServer((_request, response) => response.end('ok'));
  server.on('upgrade', (_request, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
    socket.pipe(socket);
    socket.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  replica = new Replica();
  replica.configure(yamlOf({ old: address, new: address }).replace('drainTimeout: 5s', 'drainTimeout: 20s'));
  await replica.start();
});

afterEach(async () => {
  await replica.dispose();
  server.close();
  server.closeAllConnections();
});

const pids = async (): Promise<number[]> => (await replica.status()).workers.map(({ pid }) => pid);

/** Waits until all workers that were there have gone and as many serve in their place. */
async function replaced(before: number[]): Promise<void> {
  await until('the successors alone', async () => {
    const { workers } = await replica.status();
    return workers.length === before.length && workers.every(({ pid, ready }) => ready && !before.includes(pid));
  });
}

test('a worker that is told to end by a signal goes only when its successor serves', async () => {
  const before = await pids();
  process.kill(before[0] as number, 'SIGTERM');
  await until('a successor', async () => {
    const now = await pids();
    return now.length === 2 && !now.includes(before[0] as number);
  });
  expect(await pids()).toContain(before[1]);
});

test('all workers are replaced under load, twice: no request fails', async () => {
  const load = autocannon({ url: replica.proxy, connections: 32, duration: 4 });
  for (let round = 0; round < 2; round++) {
    const before = await pids();
    replica.signal('SIGUSR2');
    await replaced(before);
  }
  const { errors, non2xx, timeouts, '2xx': ok } = await load;
  expect({ errors, non2xx, timeouts }).toEqual({ errors: 0, non2xx: 0, timeouts: 0 });
  expect(ok).toBeGreaterThan(1000);
});

test('100 WebSockets echo 200 messages each while weights move and workers are replaced: none is lost, none out of order', async () => {
  const before = await pids();
  const all = Promise.all(Array.from({ length: 100 }, () => echo(200)));
  replica.signal('SIGUSR2');
  for (const weight of [50, 100, 10, 0]) await replica.setWeight('demo', weight);
  expect(new Set(await all)).toEqual(new Set(['whole']));
  await replaced(before);
});

/** Sends numbered lines through a tunnel, the next when the last has come back; tells whether all came back in order. */
function echo(count: number): Promise<string> {
  return new Promise((resolve) => {
    const { port } = new URL(replica.proxy);
    const socket = connect(Number(port), '127.0.0.1');
    let received = '';
    let next = 0;
    socket.write('GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    socket.on('data', (bytes: Buffer) => {
      received += bytes.toString('latin1');
      if (next === 0 && !received.includes('\r\n\r\n')) return;
      if (next === 0) received = received.slice(received.indexOf('\r\n\r\n') + 4);
      else if (!received.endsWith('\n')) return;
      if (next < count) socket.write(`${next++}\n`);
      else socket.end();
    });
    const expected = Array.from({ length: count }, (_, i) => `${i}\n`).join('');
    socket.on('error', (error) => resolve(error.message));
    socket.on('close', () => resolve(received === expected ? 'whole' : `after ${next}: ${received.slice(-50)}`));
  });
}
