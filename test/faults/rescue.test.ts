/** Backends that die, close and are replaced under a steady load: what a client sees of it. Every request is counted, sent, answered, failed, and seen. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../proxy/harness.ts';
import { Replica } from '../supervisor/replica.ts';
import { until } from '../supervisor/until.ts';

const BACKEND = fileURLToPath(new URL('backend.mjs', import.meta.url));
/** Requests a second, and for how long; `npm run faults` asks for more. */
const RATE = Number(process.env['CROSSFADE_FAULT_RATE'] ?? 300);
const PHASE_MS = Number(process.env['CROSSFADE_FAULT_PHASE_MS'] ?? 700);
const BEAT_MS = 5;

interface Place {
  readonly port: number;
  readonly name: string;
}

class Scene {
  readonly replica = new Replica();
  readonly file = join(this.replica.folder, 'seen');
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 128 });
  readonly failures: string[] = [];
  sent = 0;
  answered = 0;
  #toSend = 0;
  #pump: NodeJS.Timeout | undefined;

  constructor() {
    writeFileSync(this.file, '');
    onTestFinished(async () => {
      clearInterval(this.#pump);
      this.#agent.destroy();
      await this.replica.dispose();
    });
  }

  async backend({ port, name }: Place, mode = ''): Promise<ChildProcess> {
    const child = spawn(process.execPath, [BACKEND, String(port), name, this.file, mode]);
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    return child;
  }

  async serve(old: readonly Place[], fresh: readonly Place[]): Promise<void> {
    const list = (places: readonly Place[]): string => places.map(({ port }) => `"127.0.0.1:${port}"`).join(', ');
    this.replica.configure(`
listeners: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0" }
store: file:state.json
workers: 2
backends:
  old: { discovery: { static: [${list(old)}] } }
  new: { discovery: { static: [${list(fresh)}] } }
routes:
  - { name: demo, match: { path: / }, old: old, new: new, judge: { adviseOnly: true } }
`);
    await this.replica.start();
    await this.replica.setWeight('demo', 50);
  }

  /** Begins to ask at the steady rate, whatever the answers do. */
  load(method: 'GET' | 'POST'): void {
    const url = new URL(this.replica.proxy);
    this.#pump = setInterval(() => {
      this.#toSend += (RATE * BEAT_MS) / 1000;
      for (; this.#toSend >= 1; this.#toSend--) this.#ask(url, method, ++this.sent);
    }, BEAT_MS);
  }

  #ask(url: URL, method: string, id: number): void {
    const asked = request(url, { method, agent: this.#agent, headers: { 'x-id': String(id) } }, (response) => {
      if (response.statusCode !== 200) this.failures.push(`status ${response.statusCode}`);
      response.resume().on('end', () => this.answered++);
    });
    asked.on('error', (error) => {
      this.failures.push(String(error));
      this.answered++;
    });
    asked.end(method === 'POST' ? 'body' : undefined);
  }

  async pass(phases: number): Promise<void> {
    const goal = this.sent + (RATE * PHASE_MS * phases) / 1000;
    await until('more requests', () => this.sent >= goal, 60_000);
  }

  async rest(): Promise<void> {
    clearInterval(this.#pump);
    await until('every answer', () => this.answered === this.sent, 60_000);
    process.stdout.write(`${expect.getState().currentTestName}: sent ${this.sent}, failed ${this.failures.length}\n`);
  }

  /** Requests that backends have seen more than once. */
  seenTwice(): string[] {
    const lines = readFileSync(this.file, 'utf8').trim().split('\n');
    return [...lines.reduce((counts, line) => counts.set(line, (counts.get(line) ?? 0) + 1), new Map<string, number>())]
      .filter(([, count]) => count > 1)
      .map(([line]) => line);
  }
}

async function places(...names: string[]): Promise<Place[]> {
  const found: Place[] = [];
  for (const name of names) found.push({ port: await freePort(), name });
  return found;
}

test('the only endpoint of new is killed at weight 50: no GET fails', async () => {
  const scene = new Scene();
  const [old, fresh] = (await places('old', 'new')) as [Place, Place];
  await scene.backend(old);
  const victim = await scene.backend(fresh);
  await scene.serve([old], [fresh]);
  scene.load('GET');
  await scene.pass(1);
  victim.kill('SIGKILL');
  await scene.pass(2);
  await scene.rest();
  expect(scene.failures).toEqual([]);
  const { new: side } = await scene.replica.route('demo');
  expect(side.faults).toBeGreaterThan(0);
  expect(side.ailing).toMatchObject([{ state: 'unreachable' }]);
});

test('the same with POSTs: those under way may fail, none is seen twice', async () => {
  const scene = new Scene();
  const [old, fresh] = (await places('old', 'new')) as [Place, Place];
  await scene.backend(old);
  const victim = await scene.backend(fresh);
  await scene.serve([old], [fresh]);
  scene.load('POST');
  await scene.pass(1);
  const underWay = scene.sent - scene.answered;
  victim.kill('SIGKILL');
  await scene.pass(2);
  await scene.rest();
  expect(scene.seenTwice()).toEqual([]);
  // Sent between the last look and the death: a few beats' worth.
  expect(scene.failures.length).toBeLessThanOrEqual(underWay + Math.ceil(RATE / 20));
});

test('a backend that closes each connection right after its answer: no GET fails', async () => {
  const scene = new Scene();
  const [old, fresh] = (await places('old', 'new')) as [Place, Place];
  await scene.backend(old, 'closing');
  await scene.backend(fresh, 'closing');
  await scene.serve([old], [fresh]);
  scene.load('GET');
  await scene.pass(3);
  await scene.rest();
  expect(scene.failures).toEqual([]);
  const { new: side } = await scene.replica.route('demo');
  expect(side.faults).toBe(0);
});

test('each of four endpoints of new is replaced in turn with SIGTERM: nothing fails, and nothing counts against new', async () => {
  const scene = new Scene();
  const [old, ...fresh] = (await places('old', 'a', 'b', 'c', 'd')) as [Place, ...Place[]];
  await scene.backend(old);
  const pods = await Promise.all(fresh.map((place) => scene.backend(place)));
  await scene.serve([old], fresh);
  scene.load('GET');
  await scene.pass(1);
  for (const [i, pod] of pods.entries()) {
    pod.kill('SIGTERM');
    await once(pod, 'exit');
    await scene.pass(0.5);
    await scene.backend(fresh[i] as Place);
    await scene.pass(0.5);
  }
  await scene.rest();
  expect(scene.failures).toEqual([]);
  const { new: side, weight, state } = await scene.replica.route('demo');
  expect({ faults: side.faults, weight, state }).toEqual({ faults: 0, weight: 50, state: 'steady' });
});
