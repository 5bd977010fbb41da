import { Agent, get } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Replica } from '../supervisor/replica.ts';

/** Connections to each replica. */
const CONNECTIONS = 4;
/** Between an answer and the next request of a connection. */
const PAUSE_MS = 4;

export interface Served {
  readonly requests: number;
  readonly failed: number;
  /** What went wrong, the first few; none is what a fault of the store may cost. */
  readonly failures: readonly string[];
  readonly toNew: number;
}

/** Requests to all replicas at once, until it is stopped. */
export class Load {
  readonly #loops: Promise<void>[];
  readonly #agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  readonly #failures: string[] = [];
  #requests = 0;
  #toNew = 0;
  #stopped = false;
  readonly #patienceMs: number;

  /** @param patienceMs how long a client waits for its answer before it asks anew; default: for ever */
  constructor(replicas: readonly Replica[], patienceMs = 0, path = '/') {
    this.#patienceMs = patienceMs;
    const urls = replicas.map(({ proxy }) => `${proxy}${path}`);
    this.#loops = urls.flatMap((url) => Array.from({ length: CONNECTIONS }, () => this.#loop(url)));
  }

  async #loop(url: string): Promise<void> {
    while (!this.#stopped) {
      try {
        const { status, body } = await this.#ask(url);
        if (status !== 200) this.#failures.push(`status ${status}`);
        if (body === 'new') this.#toNew++;
      } catch (error) {
        this.#failures.push(String(error));
      }
      this.#requests++;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  #ask(url: string): Promise<{ status: number | undefined; body: string }> {
    return new Promise((resolve, reject) => {
      const request = get(url, { agent: this.#agent, timeout: this.#patienceMs }, (response) => {
        text(response).then((body) => resolve({ status: response.statusCode, body }), reject);
      });
      request.once('error', reject);
      request.once('timeout', () => request.destroy(new Error('no answer in time')));
    });
  }

  async stop(): Promise<Served> {
    this.#stopped = true;
    await Promise.all(this.#loops);
    this.#agent.destroy();
    return {
      requests: this.#requests,
      failed: this.#failures.length,
      failures: this.#failures.slice(0, 5),
      toNew: this.#toNew,
    };
  }
}

/** Whether so many of so many are what a share of them would be, but for a chance of one in a million. */
export function isShare(count: number, of: number, share: number): boolean {
  return Math.abs(count - of * share) <= 5 * Math.sqrt(of * share * (1 - share));
}
