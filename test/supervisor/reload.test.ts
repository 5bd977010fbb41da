import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { StatusView } from '../../src/control/control.ts';
import { Origins, Replica, yamlOf } from './replica.ts';
import { until } from './until.ts';

let origins: Origins;
let backends: { old: string; new: string };
let replica: Replica;

/** What had been logged before the test. */
let before: number;

beforeAll(async () => {
  origins = new Origins();
  backends = await origins.start();
  replica = new Replica();
  replica.configure(yamlOf(backends));
  await replica.start();
});
afterAll(async () => {
  await replica.dispose();
  origins.stop();
});

/** One replica for all, which each finds as it was at its start. */
beforeEach(async () => {
  before = replica.stderr.length;
  reload(yamlOf(backends));
  await until('the first configuration', () => logged().includes('configuration in use'));
  await until('its two workers', async () => {
    const { workers, routes, ready } = await replica.status();
    return ready && routes === 1 && workers.length === 2 && workers.every((worker) => worker.ready);
  });
  await replica.setWeight('demo', 0);
  before = replica.stderr.length;
});

/** By the replica, since the test began. */
function logged(): string {
  return replica.stderr.slice(before);
}

/** Everything that a reload could have changed. */
async function served(): Promise<object> {
  const { workers, revision, routes, ready } = await replica.status();
  const demo = await replica.route('demo');
  return {
    workers,
    revision,
    routes,
    ready,
    endpoints: [demo.old.endpoints, demo.new.endpoints],
    answer: await replica.get('/'),
  };
}

function reload(yaml: string): void {
  replica.configure(yaml);
  replica.signal('SIGHUP');
}

async function statusWhen(what: string, holds: (status: StatusView) => boolean): Promise<StatusView> {
  return until(what, async () => {
    const status = await replica.status();
    return holds(status) && status;
  });
}

const route = (more: string): string => `  - { name: more, match: { path: /more/ }, old: backend-old, ${more} }`;
const listener = (more: string): string => yamlOf(backends).replace('"127.0.0.1:0" }]', `"127.0.0.1:0"${more} }]`);

describe('a file that cannot be served changes nothing, and log, events and status say where', () => {
  const wrong: [name: string, yaml: () => string, place: RegExp][] = [
    ['an unknown key', () => yamlOf(backends, { head: 'colour: red' }), /:7:1: colour: /],
    [
      'a weight of 101',
      () => yamlOf(backends, { routes: route('new: backend-new, weight: 101') }),
      /:13:\d+: routes\[1\]\.weight: /,
    ],
    [
      'a route without backend',
      () => yamlOf(backends, { routes: route('new: nowhere') }),
      /:13:\d+: routes\[1\]\.new: /,
    ],
    [
      'an unreadable certificate',
      () => listener(', tls: { certificate: none.crt, key: none.key }'),
      /:2:\d+: listeners\[0\]\.tls\.certificate: /,
    ],
    [
      'another admin address',
      () => yamlOf(backends).replace('admin: { address: "127.0.0.1:0"', 'admin: { address: "127.0.0.1:9"'),
      /: admin\.address: .* needs a restart/,
    ],
    ['another store', () => yamlOf(backends).replace('state.json', 'other.json'), /: store: .* needs a restart/],
    ['another fleet', () => yamlOf(backends, { head: 'fleet: another' }), /: fleet: .* needs a restart/],
  ];

  test.each(wrong)('%s', async (_name, yaml, place) => {
    const unchanged = await served();
    reload(yaml());
    const { alarm } = await statusWhen('the alarm', (status) => status.alarm !== null);
    const [first = ''] = (alarm ?? '').split('\n');
    expect(first).toContain(replica.file);
    expect(first).toMatch(place);
    expect(await served()).toEqual(unchanged);
    const refusals = logged()
      .split('\n')
      .filter((line) => line.includes('configuration refused'));
    expect(refusals).toHaveLength((alarm ?? '').split('\n').length);
    expect((JSON.parse(refusals[0] ?? '{}') as { msg: string }).msg).toContain(first);

    reload(yamlOf(backends));
    await statusWhen('the end of the alarm', (status) => status.alarm === null);
  });

  test('a listener whose port is in use', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await until('the port', () => taken.listening);
    const address = `127.0.0.1:${(taken.address() as AddressInfo).port}`;
    const unchanged = await served();
    reload(listener(` }, { address: "${address}"`));
    const { alarm } = await statusWhen('the alarm', (status) => status.alarm !== null);
    taken.close();
    expect(alarm).toContain(`listeners[1].address: ${address} is in use`);
    expect(await served()).toEqual(unchanged);
  });
});

describe('a file that can be served', () => {
  test('brings new routes with their first weight, and leaves the others where they are', async () => {
    await replica.setWeight('demo', 100);
    reload(yamlOf(backends, { routes: route('new: backend-new, weight: 100') }));
    await statusWhen('the route', (status) => status.routes === 2);
    const applied = await until('its being applied', async () => {
      const view = await replica.route('more');
      return view.applied.replicas === 1 && view;
    });
    expect(applied).toMatchObject({ weight: 100, state: 'steady' });
    expect(await replica.get('/more/')).toBe('new');
    expect(await replica.route('demo')).toMatchObject({ weight: 100 });
  });

  test('moves a backend to another endpoint', async () => {
    reload(yamlOf({ old: backends.new, new: backends.old }));
    await until('the other side', async () => (await replica.get('/')) === 'new');
    expect((await replica.route('demo')).old.endpoints).toEqual([backends.new]);
  });

  test('changes the number of workers, and the first ones stay', async () => {
    const [first, second] = (await replica.status()).workers.map(({ pid }) => pid);
    reload(yamlOf(backends).replace('workers: 2', 'workers: 3'));
    const more = await statusWhen('three workers', ({ workers }) => workers.filter(({ ready }) => ready).length === 3);
    expect(more.workers.map(({ pid }) => pid)).toEqual([first, second, expect.any(Number)]);
    reload(yamlOf(backends).replace('workers: 2', 'workers: 1'));
    const fewer = await statusWhen('one worker', ({ workers }) => workers.length === 1);
    expect(fewer.workers.map(({ pid }) => pid)).toEqual([first]);
    expect(await replica.get('/')).toBe('old');
  });

  test('opens and closes listeners', async () => {
    reload(listener(' }, { address: "127.0.0.2:0"'));
    await until('the log', () => logged().includes('configuration in use'));
    expect(await replica.get('/')).toBe('old');
    const metrics = await (await fetch(`${replica.admin}/metrics`)).text();
    for (const protocol of ['http1', 'h2']) {
      expect(metrics).toContain(`crossfade_connections{listener="127.0.0.2:0",protocol="${protocol}"} 0`);
    }
  });

  test('as often as it comes, while requests flow, fails none', async () => {
    const flowing = new AbortController();
    let answered = 0;
    const flow = Array.from({ length: 4 }, async () => {
      while (!flowing.signal.aborted) {
        expect(await replica.get('/')).toMatch(/^(old|new)$/);
        answered++;
      }
    });
    for (let i = 0; i < 10; i++) {
      reload(yamlOf(backends, i % 2 === 0 ? { routes: route('new: backend-new') } : {}));
      const since = answered;
      await until('requests', () => answered > since + 20);
    }
    flowing.abort();
    await Promise.all(flow);
    const { old, new: next } = await replica.route('demo');
    expect(old.faults + next.faults).toBe(0);
    expect((await replica.status()).alarm).toBeNull();
  });
});
