/** The main job, told as an operator lives it, on processes as they are shipped. */
import { Agent, get } from 'node:http';
import autocannon from 'autocannon';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isShare } from '../faults/load.ts';
import { sized } from '../size.ts';
import { Origins, Replica, yamlOf } from '../supervisor/replica.ts';

let origins: Origins;
let backends: { old: string; new: string };
let replicas: Replica[];
const agent = new Agent({ keepAlive: true, maxSockets: 32 });

beforeEach(async () => {
  origins = new Origins();
  backends = await origins.start();
  replicas = [];
});

afterEach(async () => {
  agent.destroy();
  await Promise.all(replicas.map((replica) => replica.dispose()));
  origins.stop();
});

async function started(yaml: string): Promise<Replica> {
  const replica = new Replica();
  replicas.push(replica);
  replica.configure(yaml);
  await replica.start();
  return replica;
}

const STICKY =
  '  - { name: users, match: { path: /users/ }, old: backend-old, new: backend-new, sticky: [{ header: x-user-id }] }';

/** The more, the nearer: with a quarter of them half as near. */
const REQUESTS = sized(100_000, 16_000);
/** Points; 3.6 standard deviations of a fair draw: chance alone fails this once in 3,500 runs. */
const NEAR = 0.25 * Math.sqrt(100_000 / REQUESTS);

test(`${REQUESTS} requests at 5 percent: the share of the new side is right to ${NEAR} of a point`, async () => {
  const replica = await started(yamlOf(backends));
  await replica.setWeight('demo', 5);
  const load = await autocannon({ url: replica.proxy, connections: 32, amount: REQUESTS });
  expect({ ok: load['2xx'], other: load.non2xx, errors: load.errors }).toEqual({ ok: REQUESTS, other: 0, errors: 0 });
  const route = await replica.route('demo');
  expect(route.old.requests + route.new.requests).toBe(REQUESTS);
  expect(Math.abs((100 * route.new.requests) / REQUESTS - 5)).toBeLessThan(NEAR);
});

const USERS = sized(10_000, 600);

test(`${USERS} users land on the same side on two workers that never spoke, and raising the weight moves none of them back`, async () => {
  const one = await started(yamlOf(backends, { routes: STICKY }).replace('workers: 2', 'workers: 1'));
  const two = await started(yamlOf(backends, { routes: STICKY }).replace('workers: 2', 'workers: 1'));
  await Promise.all([one.setWeight('users', 5), two.setWeight('users', 5)]);
  const [atOne, atTwo] = await Promise.all([sidesOf(one), sidesOf(two)]);
  expect(atTwo).toEqual(atOne);
  await Promise.all([one.setWeight('users', 6), two.setWeight('users', 50)]);
  const [atSix, atFifty] = await Promise.all([sidesOf(one), sidesOf(two)]);
  expect(newUsers(atOne).filter((user) => atSix[user] === 'old')).toEqual([]);
  expect(newUsers(atSix).filter((user) => atFifty[user] === 'old')).toEqual([]);
  for (const [sides, share] of [
    [atOne, 0.05],
    [atSix, 0.06],
    [atFifty, 0.5],
  ] as const) {
    expect(isShare(newUsers(sides).length, USERS, share), `${newUsers(sides).length} users`).toBe(true);
  }
});

function newUsers(sides: string[]): number[] {
  return sides.flatMap((side, user) => (side === 'new' ? [user] : []));
}

/** The side of each user. */
async function sidesOf(replica: Replica): Promise<string[]> {
  const sides: string[] = Array.from({ length: USERS }, () => '');
  let next = 0;
  const ask = async (): Promise<void> => {
    for (let user = next++; user < sides.length; user = next++) sides[user] = await sideOf(replica, `user-${user}`);
  };
  await Promise.all(Array.from({ length: 32 }, ask));
  return sides;
}

function sideOf(replica: Replica, user: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(`${replica.proxy}/users/`, { agent, headers: { 'x-user-id': user } }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      response.on('end', () => resolve(body));
      response.on('error', reject);
    }).on('error', reject);
  });
}

test('64 connections ask without a pause while the weight moves and the configuration is reloaded: not one request fails', async () => {
  const replica = await started(yamlOf(backends));
  let moves = 0;
  const over = new AbortController();
  const mover = (async () => {
    while (!over.signal.aborted) {
      await replica.setWeight('demo', [0, 100, 50, 5][moves % 4] as number);
      moves++;
      if (moves % 5 === 0) replica.signal('SIGHUP');
    }
  })();
  const load = await autocannon({ url: replica.proxy, connections: 64, duration: sized(6, 4) });
  over.abort();
  await mover;
  expect({ other: load.non2xx, errors: load.errors, timeouts: load.timeouts }).toEqual({
    other: 0,
    errors: 0,
    timeouts: 0,
  });
  expect(load['2xx']).toBeGreaterThan(1000);
  expect(moves).toBeGreaterThan(10);
  const route = await replica.route('demo');
  expect(Math.min(route.old.requests, route.new.requests)).toBeGreaterThan(100);
  expect([route.old.faults, route.new.faults]).toEqual([0, 0]);
}, 60_000);
