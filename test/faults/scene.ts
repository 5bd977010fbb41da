/** Backends of their own processes behind a replica, and a steady load on it: every request is counted, sent, answered, failed, and seen. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { freePort } from '../proxy/harness.ts';
import { Replica } from '../supervisor/replica.ts';
import { until } from '../supervisor/until.ts';
import { addRow } from './table.ts';

const BACKEND = fileURLToPath(new URL('backend.mjs', import.meta.url));
/** Requests a second, and for how long; `npm run faults` asks for more. */
export const RATE = Number(process.env['CROSSFADE_FAULT_RATE'] ?? 300);
export const PHASE_MS = Number(process.env['CROSSFADE_FAULT_PHASE_MS'] ?? 700);

/** What becomes of a request that was answered in time to be of use. */
export interface Answer {
  /** That the answer names; '' when it was none. */
  readonly side: string;
  readonly status: number;
  readonly ms: number;
  /** When it was sent. */
  readonly sentAt: number;
}

export interface Place {
  readonly port: number;
  readonly name: string;
}

export class Scene {
  readonly replica = new Replica();
  readonly file = join(this.replica.folder, 'seen');
  /** As many as may wait a second for a side that hangs, so that no request waits here. */
  readonly #agent = new Agent({ keepAlive: true, maxSockets: Math.max(128, RATE) });
  readonly failures: string[] = [];
  readonly answers: Answer[] = [];
  sent = 0;
  answered = 0;
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

  /** @param policy of the route; by default it is not judged */
  async serve(old: readonly Place[], fresh: readonly Place[], policy = 'judge: { adviseOnly: true }'): Promise<void> {
    const list = (places: readonly Place[]): string => places.map(({ port }) => `"127.0.0.1:${port}"`).join(', ');
    this.replica.configure(`
listeners: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0" }
store: file:state.json
workers: 1
backends:
  old: { discovery: { static: [${list(old)}] } }
  new: { discovery: { static: [${list(fresh)}] } }
routes:
  - { name: demo, match: { path: / }, old: old, new: new, ${policy} }
`);
    await this.replica.start();
    await this.replica.setWeight('demo', 50);
  }

  /** Begins to ask at the steady rate, whatever the answers do. */
  load(method: 'GET' | 'POST'): void {
    const url = new URL(this.replica.proxy);
    // One after the other: several at once would wait for each other, and a time-out of one then meets the next.
    let dueAt = performance.now();
    this.#pump = setInterval(() => {
      const now = performance.now();
      for (; dueAt <= now; dueAt += 1000 / RATE) this.#ask(url, method, ++this.sent);
    }, 1);
  }

  #ask(url: URL, method: string, id: number): void {
    const sentAt = performance.now();
    const asked = request(url, { method, agent: this.#agent, headers: { 'x-id': String(id) } }, (response) => {
      const status = response.statusCode ?? 0;
      if (status !== 200) this.failures.push(`status ${status}`);
      const settle = (side: string): void => {
        this.answers.push({ side, status, ms: performance.now() - sentAt, sentAt });
        this.answered++;
      };
      text(response).then(
        (body) => settle(status === 200 ? body : ''),
        (error: Error) => {
          this.failures.push(`body: ${error.message}`);
          settle('');
        },
      );
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

  /** @param limit in the table @param figure beside the rate */
  async rest(fault: string, limit = '0 failed', figure = () => ''): Promise<void> {
    clearInterval(this.#pump);
    await until('every answer', () => this.answered === this.sent, 60_000);
    const { sent, failures } = this;
    const counted = { sent, answered: sent - failures.length, failed: failures.length };
    addRow({ fault, ...counted, seenTwice: this.seenTwice().length, figure: `${RATE} a second${figure()}`, limit });
  }

  /** Requests that backends have seen more than once. */
  seenTwice(): string[] {
    const lines = readFileSync(this.file, 'utf8').trim().split('\n');
    return [...lines.reduce((counts, line) => counts.set(line, (counts.get(line) ?? 0) + 1), new Map<string, number>())]
      .filter(([, count]) => count > 1)
      .map(([line]) => line);
  }
}

export async function places(...names: string[]): Promise<Place[]> {
  const found: Place[] = [];
  for (const name of names) found.push({ port: await freePort(), name });
  return found;
}
