/** One fault of the store under load: what must not happen meanwhile, and how long what must happen took. */
import { expect } from 'vitest';
import type { StatusView } from '../../src/control/control.ts';
import { setWeight, type TestFleet } from '../fleet/fleet.ts';
import { until } from '../supervisor/until.ts';
import { isShare, Load } from './load.ts';
import { addRow } from './table.ts';

/** How long a fault lasts: short in `npm test`, 20 s in `npm run faults`. */
export const OUTAGE_MS = Number(process.env['CROSSFADE_OUTAGE_MS'] ?? 1_000);
/** Percent, while it lasts. */
export const WEIGHT = 30;

export interface Fault {
  /** In the table of times. */
  readonly name: string;
  readonly fleet: TestFleet;
  /** At least; default OUTAGE_MS. */
  readonly outageMs?: number;
  /** In the table; default what holds for all. */
  readonly limit?: string;
  /** Begins the fault. */
  begin(): Promise<void>;
  /** What else is to be seen while it lasts; it ends after OUTAGE_MS at the earliest. */
  meanwhile?(note: (what: string, ms: number) => void): Promise<void>;
  /** Ends it, and changes the weight so that all replicas can be seen to serve something new. Returns when it ended (`performance.now()`). */
  end(): Promise<number>;
}

export async function suffer(fault: Fault): Promise<void> {
  const { name, fleet } = fault;
  const times: string[] = [];
  const note = (what: string, ms: number): void => void times.push(`${what} ${Math.round(ms)} ms`);
  expect((await setWeight(fleet.replica(0), WEIGHT)).status).toBe(200);
  const [before] = await fleet.agreed();
  const load = new Load(fleet.replicas);
  const watch = new RevisionWatch(fleet);
  const began = performance.now();
  await fault.begin();
  await fault.meanwhile?.(note);
  await sleep((fault.outageMs ?? OUTAGE_MS) - (performance.now() - began));
  const lastedMs = performance.now() - began;
  const served = await load.stop();
  const after = new Load(fleet.replicas);
  const ended = await fault.end();
  await until(
    'all replicas to serve a newer state',
    async () => (await fleet.agreed()).every(({ revision }) => revision > (before?.revision ?? 0)),
    30_000,
  );
  note('new state served after', performance.now() - ended);
  const servedAfter = await after.stop();
  await watch.stop();
  const shown = `${served.toNew} of ${served.requests} to new at weight ${WEIGHT}`;
  const sent = served.requests + servedAfter.requests;
  const failed = served.failed + servedAfter.failed;
  addRow({
    fault: `${name} for ${Math.round(lastedMs / 1000)} s`,
    sent,
    answered: sent - failed,
    failed,
    seenTwice: 0,
    figure: `${times.join('; ')}; ${shown}`,
    limit: fault.limit ?? '0 failed, the split holds, served at most 1.5 s after the end',
  });
  expect([served.failures, servedAfter.failures]).toEqual([[], []]);
  expect(served.requests).toBeGreaterThan(20);
  expect(isShare(served.toNew, served.requests, WEIGHT / 100), shown).toBe(true);
}

/** Asks until a replica takes a write: the store has just come back. Returns when it was asked first. */
export async function changed(fleet: TestFleet): Promise<number> {
  const now = performance.now();
  await until('a write', async () => (await setWeight(fleet.replica(0), 60, { waitMs: 0 })).ok, 30_000);
  return now;
}

/** A write, which must be refused, with the reason; how soon is printed (the promise is 2 s). */
export async function refusedWrite(fleet: TestFleet, note: (what: string, ms: number) => void): Promise<string> {
  const start = performance.now();
  const response = await setWeight(fleet.replica(1), WEIGHT + 1);
  const ms = performance.now() - start;
  expect(response.status).toBe(503);
  note('write refused after', ms);
  return ((await response.json()) as { detail: string }).detail;
}

/** Every replica says so, in its status and its metrics. */
export async function alarmed(fleet: TestFleet, note: (what: string, ms: number) => void): Promise<StatusView[]> {
  const start = performance.now();
  const all = await until('the alarm', async () => {
    const statuses = await fleet.statuses();
    return statuses.every(({ store }) => !store.up) ? statuses : undefined;
  });
  note('alarm after', performance.now() - start);
  for (const { store } of all) expect(store.reason).toMatch(/Redis/);
  const metrics = await (await fetch(`${fleet.replica(2).admin}/metrics`)).text();
  expect(metrics).toMatch(/^crossfade_store_up 0$/m);
  return all;
}

/** Looks again and again; no replica may ever fall back. */
class RevisionWatch {
  readonly #fleet: TestFleet;
  readonly #highest = new Map<number, number>();
  readonly #fallen: string[] = [];
  readonly #watching: Promise<void>;
  #stopped = false;

  constructor(fleet: TestFleet) {
    this.#fleet = fleet;
    this.#watching = this.#watch();
  }

  async #watch(): Promise<void> {
    while (!this.#stopped) {
      for (const [i, { revision }] of (await this.#fleet.statuses()).entries()) {
        const highest = this.#highest.get(i) ?? 0;
        if (revision < highest) this.#fallen.push(`replica ${i} fell from ${highest} to ${revision}`);
        this.#highest.set(i, Math.max(revision, highest));
      }
      await sleep(50);
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#watching;
    expect(this.#fallen).toEqual([]);
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
