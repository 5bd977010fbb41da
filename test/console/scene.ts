/** A fleet under load with the console open in front of it. */
import { mkdirSync } from 'node:fs';
import { Agent, createServer, get, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { Replica } from '../supervisor/replica.ts';
import { CHROMIUM_ARGS } from './chromium.mjs';

const CHROMIUM = process.env['CROSSFADE_CHROMIUM'] ?? '/usr/bin/chromium';
/** Screenshots go here; whoever wants them says where. */
const PICTURES = process.env['CROSSFADE_PICTURES'] ?? join(tmpdir(), 'crossfade-pictures');

export function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: CHROMIUM_ARGS });
}

export async function picture(page: Page, name: string): Promise<void> {
  mkdirSync(PICTURES, { recursive: true });
  const path = join(PICTURES, `${name}.png`);
  await page.screenshot({ path });
  console.log(`picture: ${path}`);
}

/** Two platforms: of `/failing/` the new one fails every third request, and of `/slow/` it takes longer. */
export class Platforms {
  readonly #servers: Server[] = [];

  async start(): Promise<{ old: string; new: string }> {
    return { old: await this.#listen(false), new: await this.#listen(true) };
  }

  async #listen(isNew: boolean): Promise<string> {
    let asked = 0;
    const server = createServer((request, response) => {
      request.resume();
      const fails = isNew && request.url?.startsWith('/failing/') && ++asked % 3 === 0;
      response.statusCode = fails ? 503 : 200;
      const delayMs = 4 + Math.random() * 8 + (isNew && request.url?.startsWith('/slow/') ? 60 : 0);
      setTimeout(() => response.end('hello'), delayMs);
    });
    this.#servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  stop(): void {
    for (const server of this.#servers) {
      server.close();
      server.closeAllConnections();
    }
  }
}

/** Asks for each path so often a second, turn and turn about, until stopped. */
export function startLoad(replica: Replica, paths: readonly string[], perSecond: number): () => void {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  let next = 0;
  const timer = setInterval(() => {
    for (let i = 0; i < perSecond / 50; i++) {
      const path = paths[next++ % paths.length] ?? '/';
      get(`${replica.proxy}${path}`, { agent, headers: { 'x-user-id': `user-${next}` } }, (response) => {
        response.resume();
      }).on('error', () => undefined);
    }
  }, 20);
  return () => {
    clearInterval(timer);
    agent.destroy();
  };
}

/** Runs an action, waits for its effect on screen, and prints how long that took. */
export async function timed(what: string, act: () => Promise<unknown>, effect: () => Promise<unknown>): Promise<void> {
  const began = performance.now();
  await act();
  const acted = performance.now();
  await effect();
  const took = Math.round(performance.now() - acted);
  console.log(`${what.padEnd(28)} on screen ${took} ms after the click (which took ${Math.round(acted - began)} ms)`);
}
