import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Tally {
  readonly requests: number;
  /** Without an answer, or with one from 500 on. */
  readonly failed: number;
  readonly old: number;
  readonly new: number;
}

const CLIENTS = 8;
const BETWEEN_MS = 20;

/** Clients that ask over kept connections, all the time, and count who answers. */
export class Clients {
  readonly #url: string;
  readonly #agent = new http.Agent({ keepAlive: true });
  readonly #running: Promise<void>[];
  #isOver = false;
  #requests = 0;
  #failed = 0;
  #old = 0;
  #new = 0;

  constructor(url: string) {
    this.#url = url;
    this.#running = Array.from({ length: CLIENTS }, () => this.#run());
  }

  tally(): Tally {
    return { requests: this.#requests, failed: this.#failed, old: this.#old, new: this.#new };
  }

  /** In words, what has happened since. */
  since(before: Tally): string {
    const count = (key: keyof Tally): number => this.tally()[key] - before[key];
    return `old ${count('old')}, new ${count('new')}, failed ${count('failed')}`;
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#running);
    this.#agent.destroy();
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      const side = await this.#ask();
      this.#requests++;
      if (side === 'old') this.#old++;
      else if (side === 'new') this.#new++;
      else this.#failed++;
      await sleep(BETWEEN_MS);
    }
  }

  /** The side that answered; null: nobody did, or with a failure. */
  #ask(): Promise<string | null> {
    return new Promise((resolve) => {
      const request = http.get(this.#url, { agent: this.#agent }, (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => {
          body += chunk.toString();
        });
        response.on('error', () => resolve(null));
        response.on('end', () => {
          const isOk = (response.statusCode ?? 500) < 500;
          resolve(isOk ? (/"side":"(old|new)"/.exec(body)?.[1] ?? null) : null);
        });
      });
      request.on('error', () => resolve(null));
    });
  }
}
