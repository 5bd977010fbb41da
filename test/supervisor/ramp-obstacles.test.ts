/** What keeps a ramp of a real replica from going on beside its verdict, and that it goes on by itself when that is over. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { AuditEntry, RouteView } from '../../src/control/control.ts';
import { run } from '../cli/harness.ts';
import { Load } from '../faults/load.ts';
import { Origins, Replica, yamlOf } from './replica.ts';
import { until } from './until.ts';

let replica: Replica;
let origins: Origins;
let load: Load | undefined;
let server: Server | undefined;

afterEach(async () => {
  await load?.stop();
  await replica.dispose();
  origins.stop();
  server?.close();
  server?.closeAllConnections();
  load = server = undefined;
});

/** A new side whose requests succeed always, and its checks when `health.isWell`. */
async function startChecked(health: { isWell: boolean }): Promise<string> {
  const checked = createServer((request, response) => {
    if (request.url === '/healthz' && !health.isWell) response.statusCode = 503;
    response.end('new');
  });
  server = checked;
  await new Promise<void>((resolve) => checked.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(checked.address() as AddressInfo).port}`;
}

async function start(newBackend: string): Promise<void> {
  replica = new Replica();
  origins = new Origins();
  const backends = await origins.start();
  const yaml = yamlOf(backends, { workers: 1 });
  replica.configure(yaml.replace(/backend-new: .*/, `backend-new: ${newBackend.replace('NEW', backends.new)}`));
  await replica.start();
}

const crossfade = (...argv: string[]) => run(argv, { CROSSFADE_ADMIN: replica.admin });

const shown = (what: string, is: (route: RouteView) => boolean, ms = 20_000): Promise<RouteView> =>
  until(
    what,
    async () => {
      const route = await replica.route('demo');
      return is(route) ? route : undefined;
    },
    ms,
  );

/** What the command line says of it, tree and sentence. */
async function told(): Promise<string> {
  const [watched, explained] = await Promise.all([crossfade('watch', 'demo', '--once'), crossfade('explain', 'demo')]);
  return `${watched.out}\n${explained.out}`;
}

async function verbs(): Promise<(string | undefined)[]> {
  const { out } = await crossfade('history', '-o', 'json', '--limit', '20');
  const { entries } = JSON.parse(out) as { entries: AuditEntry[] };
  return entries.map(({ verb }) => verb).toReversed();
}

test('endpoints that are known and ill hold a ramp; it goes on by itself when they are well', async () => {
  const health = { isWell: true };
  const check = 'interval: 100ms, timeout: 5s, rise: 1, fall: 1';
  await start(
    `{ discovery: { static: ["${await startChecked(health)}"] }, health: { http: { path: /healthz }, ${check} } }`,
  );
  // A step that is never over, so that what is seen is not its end.
  expect(await crossfade('ramp', 'demo', '--steps', '30:1h,100')).toMatchObject({ code: 0 });
  health.isWell = false;
  const held = await shown('the hold', ({ state }) => state === 'held');
  const reason = 'The new side cannot take traffic: of backend backend-new no endpoint is healthy: 127.0.0.1:';
  expect(held).toMatchObject({
    weight: 30,
    ramp: { step: 1, waiting: { for: 'endpoints', reason: expect.stringContaining(reason) } },
  });
  const text = await told();
  expect(text).toContain(`  │  ⚠ waits for endpoints: ${reason}`);
  expect(text).toContain(`it is held, at step 1 of 2 of a ramp (30%), waits for endpoints: ${reason}`);
  health.isWell = true;
  const on = await shown('the ramp', ({ state }) => state === 'ramping');
  expect(on.ramp?.since).toBeGreaterThan(held.ramp?.since ?? 0);
  expect(on.ramp?.waiting?.for).toBe('hold');
  expect((await verbs()).slice(-3)).toEqual(['ramp', 'hold', 'release']);
}, 60_000);

test('a step that the new side cannot carry is waited for, told of, and taken when there is less traffic', async () => {
  await start('{ discovery: { static: ["NEW"] }, maxRequestsPerEndpoint: 20 }');
  load = new Load([replica]);
  // For some seconds: what is told of the rate holds nothing of the first.
  await shown('traffic', ({ old }) => old.requests > 1_500);
  // Forced, since even the first step may be too much for so small a side.
  expect(await crossfade('ramp', 'demo', '--steps', '40:0s,100', '--force')).toMatchObject({ code: 0 });
  const waits = await shown('the wait', ({ ramp }) => ramp?.waiting?.for === 'capacity');
  expect(waits.ramp?.waiting?.reason).toMatch(
    /^The new side's 1 ready endpoints carry 20 requests a second \(maxRequestsPerEndpoint 20\); 100% of the route are \d+/,
  );
  expect(waits).toMatchObject({ weight: 40, ramp: { step: 1 } });
  const text = await told();
  expect(text).toContain("  │  ⚠ waits for capacity: The new side's 1 ready endpoints carry 20 requests a second");
  expect(text).toContain('(40%), waits for capacity: The new side');
  await load?.stop();
  expect(await shown('its end', ({ weight }) => weight === 100, 30_000)).toMatchObject({ state: 'completed' });
  expect((await verbs()).at(-1)).toBe('step');
}, 90_000);
