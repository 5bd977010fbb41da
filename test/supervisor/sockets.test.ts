/** No descriptor left for another socket. */
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { Origins, Replica, yamlOf } from './replica.ts';

/** The process opens no file and no socket from now on. */
async function takeDescriptors(pid: number): Promise<void> {
  const taken = new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
  let free = 0;
  while (taken.has(free)) free++;
  await promisify(execFile)('prlimit', [`--pid=${pid}`, `--nofile=${free}:`]);
}

test('regression: a worker without a descriptor for a connection blamed the backend, and a route went back for it', async () => {
  const origins = new Origins();
  const replica = new Replica();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(async () => {
    agent.destroy();
    await replica.dispose();
    origins.stop();
  });
  replica.configure(yamlOf(await origins.start(), { workers: 1 }));
  await replica.start();
  const ask = (): Promise<{ status: number | undefined; body: string }> =>
    new Promise((resolve, reject) => {
      get(replica.proxy, { agent }, (response) => {
        text(response).then((body) => resolve({ status: response.statusCode, body }), reject);
      }).once('error', reject);
    });
  expect(await ask()).toEqual({ status: 200, body: 'old' });
  await replica.setWeight('demo', 100);
  const { workers } = await replica.status();
  const pid = workers[0]?.pid as number;
  await takeDescriptors(pid);
  for (let i = 0; i < 100; i++) {
    const { status, body } = await ask();
    expect([status, JSON.parse(body)]).toMatchObject([503, { code: 'socketsExhausted' }]);
  }
  const metrics = await (await fetch(`${replica.admin}/metrics`)).text();
  expect(metrics).toMatch(/^crossfade_rejections_total\{.*reason="socketsExhausted".*\} 100$/m);
  expect(metrics).not.toMatch(/^crossfade_faults_total\{.*\} [1-9]/m);
  expect(await replica.route('demo')).toMatchObject({ weight: 100, state: 'steady' });

  await promisify(execFile)('prlimit', [`--pid=${pid}`, '--nofile=1024:']);
  expect(await ask()).toEqual({ status: 200, body: 'new' });
}, 60_000);
