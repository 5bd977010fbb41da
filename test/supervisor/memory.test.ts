/** Real memory pressure: clients that do not read what they asked for. */
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { Replica, yamlOf } from './replica.ts';
import { until } from './until.ts';

const MIB = 2 ** 20;

/** Answers with this many bytes. */
async function largeOrigin(bytes: number): Promise<string> {
  const body = Buffer.alloc(bytes, 'x');
  const server: Server = createServer((request, response) => response.end(request.url === '/large' ? body : 'small'));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('a worker at its limit of memory turns requests away, says so, and serves again when the memory is free', async () => {
  const origin = await largeOrigin(8 * MIB);
  const replica = new Replica();
  onTestFinished(() => replica.dispose());
  const yaml = yamlOf({ old: origin, new: origin }).replace('workers: 2', 'workers: 1');
  replica.configure(yaml);
  await replica.start();
  const url = new URL(replica.proxy);
  const unread: ReturnType<typeof connect>[] = [];
  onTestFinished(() => {
    for (const socket of unread) socket.destroy();
  });
  const hog = (): void => {
    const socket = connect(Number(url.port), url.hostname).on('error', () => {});
    socket.pause().write('GET /large HTTP/1.1\r\nHost: x\r\n\r\n');
    unread.push(socket);
  };
  // Not much more than a worker without work has.
  replica.configure(`${yaml}limits: { workerMemoryBytes: ${120 * MIB} }\n`);
  replica.signal('SIGHUP');
  await until('the new configuration', () => replica.stderr.includes('configuration in use'));
  await until(
    'a request that is turned away',
    async () => {
      for (let i = 0; i < 20; i++) hog();
      const answer = await fetch(replica.proxy, { headers: { connection: 'close' } });
      return answer.status === 503 && (await answer.text()).includes('memoryExhausted');
    },
    60_000,
  );
  await until('the log to say it', () => replica.stderr.includes('worker shedding'));
  const metrics = await (await fetch(`${replica.admin}/metrics`)).text();
  expect(metrics).toMatch(/^crossfade_rejections_total\{.*reason="memoryExhausted".*\} [1-9]/m);
  for (const socket of unread) socket.destroy();
  await until('service', async () => (await fetch(replica.proxy, { headers: { connection: 'close' } })).ok, 60_000);
  await until('the log to say it', () => replica.stderr.includes('worker relieved'));
}, 150_000);
