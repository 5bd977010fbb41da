/** Endpoints of a Helios job against a master that behaves like a real one, and misbehaves like one. */
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { HeliosMasterEmulator, type MasterFault } from '../../src/demo/helios/master.ts';
import { Discoveries } from '../../src/discovery/discoveries.ts';
import type { Discovery } from '../../src/discovery/discovery.ts';
import type { Resolver } from '../../src/discovery/dns/resolver.ts';
import { HeliosMasters } from '../../src/discovery/helios/masters.ts';
import { HeliosPoller } from '../../src/discovery/helios/poller.ts';
import type { HeliosSelection } from '../../src/domain/source.ts';
import { until } from '../supervisor/until.ts';

const HTTP = { http: { internalPort: 8080 } };
const TOOLS = { clock: () => performance.now(), random: () => 0.5, env: {} };

let master: HeliosMasterEmulator;
let url: string;

beforeEach(async () => {
  master = new HeliosMasterEmulator();
  url = `http://127.0.0.1:${await master.listen()}`;
});
afterEach(() => master.close());

function open(
  select: HeliosSelection,
  urls: readonly string[] = [url],
  discoveries = new Discoveries(TOOLS),
): Discovery {
  const discovery = discoveries.open({ kind: 'helios', master: { urls }, select, intervalMs: 50, tls: {} });
  onTestFinished(() => discovery.close());
  return discovery;
}

const BY_JOB = { job: 'search', port: 'http' };

/** A job `search` of a version, deployed with the given hosts and ports. */
function search(version: string, tasks: Readonly<Record<string, number>>, more: object = {}): string {
  const id = master.cluster.createJob({ name: 'search', version, ports: HTTP, gracePeriod: 10, ...more });
  for (const [host, port] of Object.entries(tasks)) master.cluster.deploy(id, host, { http: port });
  return id;
}

const shown = (discovery: Discovery): string[] => discovery.endpoints.map(({ host, port }) => `${host}:${port}`).sort();

function shows(discovery: Discovery, ...wanted: string[]): Promise<unknown> {
  return until(
    `${wanted.join(' ')}, not ${shown(discovery).join(' ')}`,
    () => shown(discovery).join() === wanted.join(),
  );
}

describe('a job', () => {
  test('by name and port: tasks of all its versions, at the port that the agent has given', async () => {
    search('1', { h1: 20_017, 'h2.example.net.': 20_018 });
    search('2', { h1: 20_030 });
    master.cluster.createJob({ name: 'search-indexer', version: '1', ports: HTTP });
    await shows(open(BY_JOB), 'h1:20017', 'h1:20030', 'h2.example.net:20018');
  });

  test('by registration, with or without a protocol, and by one of its ports', async () => {
    const ports = { http: { internalPort: 8080 }, hm: { internalPort: 5700 } };
    const registration = { 'find/http': ['http', 'hm'] };
    const id = master.cluster.createJob({ name: 'search', version: '1', ports, registration });
    master.cluster.deploy(id, 'h1', { http: 20_001, hm: 20_002 });
    const other = master.cluster.createJob({
      name: 'other',
      version: '1',
      ports: HTTP,
      registration: { 'find/grpc': ['http'] },
    });
    master.cluster.deploy(other, 'h1', { http: 20_009 });
    await shows(open({ registration: 'find', port: null }), 'h1:20001', 'h1:20002');
    await shows(open({ registration: 'find/http', port: 'hm' }), 'h1:20002');
  });

  test('a host that is down serves nothing, though its task is still shown as RUNNING', async () => {
    search('1', { h1: 20_001, h2: 20_002 });
    const discovery = open(BY_JOB);
    await shows(discovery, 'h1:20001', 'h2:20002');
    master.cluster.setHost('h2', false);
    await shows(discovery, 'h1:20001');
    master.cluster.setHost('h2', true);
    await shows(discovery, 'h1:20001', 'h2:20002');
  });

  test('only RUNNING tasks that are meant to run: not those that start, stop, have failed, or are about to be stopped', async () => {
    const id = search('1', { h1: 20_001, h2: 20_002, h3: 20_003, h4: 20_004, h5: 20_005 });
    master.cluster.change(id, 'h2', { state: 'STOPPING' });
    master.cluster.change(id, 'h3', { state: 'HEALTHCHECKING' });
    master.cluster.change(id, 'h4', { goal: 'STOP' });
    master.cluster.change(id, 'h5', { state: 'EXITED', throttled: 'FLAPPING' });
    await shows(open(BY_JOB), 'h1:20001');
  });

  test('whose port is bound to loopback, or is not TCP, is left out, and it is said', async () => {
    const ports = {
      http: { internalPort: 8080, ip: '127.0.0.1' },
      stats: { internalPort: 8125, protocol: 'udp' as const },
    };
    const id = master.cluster.createJob({ name: 'search', version: '1', ports });
    master.cluster.deploy(id, 'h1', { http: 20_001, stats: 20_002 });
    const discovery = open(BY_JOB);
    await until('alarm', () => discovery.health.alarm);
    expect(discovery.health.alarm).toBe(`Helios: job search with the port http listens on loopback only (${id} http)`);
    const other = open({ job: 'search', port: 'stats' });
    await until('alarm', () => other.health.alarm);
    expect([discovery.endpoints, other.endpoints]).toEqual([[], []]);
  });

  test('that nobody knows is an alarm, and the source counts as answering', async () => {
    const discovery = open(BY_JOB);
    await until('alarm', () => discovery.health.alarm === 'Helios: there is no job search with the port http');
    expect(discovery.health.synced).toBe(true);
  });
});

describe('a master', () => {
  const FAULTS: [string, MasterFault, RegExp][] = [
    ['answers 503', { kind: 'status', status: 503 }, /answered 503 to GET \/jobs; it runs Helios 0\.9\.283$/],
    ['answers 426', { kind: 'status', status: 426 }, /answered 426/],
    ['answers 400', { kind: 'status', status: 400 }, /answered 400/],
    ['answers 404', { kind: 'status', status: 404 }, /answered 404/],
    ['answers 200 and nothing', { kind: 'blank' }, /answered nothing to \/jobs$/],
    ['answers half a JSON text', { kind: 'truncated' }, /answered \d+ bytes that are not JSON to \/jobs$/],
    ['suddenly knows nothing', { kind: 'empty' }, /^Helios: there is no job search .*; the last 2 stay in use$/],
    ['answers after ages', { kind: 'slow', ms: 60_000 }, /did not answer within 5000 ms$/],
  ];

  test.each(FAULTS)('that %s: the last good endpoints stay, and an alarm says why', async (_, fault, alarm) => {
    search('1', { h1: 20_001, h2: 20_002 }, { token: 's3cret-token', env: { PASSWORD: 's3cret-env' } });
    const discovery = open(BY_JOB);
    await shows(discovery, 'h1:20001', 'h2:20002');
    master.fault = fault;
    await until('alarm', () => discovery.health.alarm);
    expect(discovery.health.alarm).toMatch(alarm);
    expect(discovery.health.alarm).not.toContain('s3cret');
    expect(shown(discovery)).toEqual(['h1:20001', 'h2:20002']);
    master.fault = null;
    await until('recovery', () => discovery.health.alarm === null);
  });

  test('that is away: the other one is asked', async () => {
    const other = new HeliosMasterEmulator();
    const second = `http://127.0.0.1:${await other.listen()}`;
    onTestFinished(() => other.close());
    search('1', { h1: 20_001 });
    other.cluster.deploy(other.cluster.createJob({ name: 'search', version: '1', ports: HTTP }), 'h2', {
      http: 20_002,
    });
    const discovery = open(BY_JOB, [url, second]);
    await shows(discovery, 'h1:20001');
    await master.close();
    await shows(discovery, 'h2:20002');
    expect(discovery.health.alarm).toBeNull();
  });

  test('is found by SRV, https before http, and asked for its jobs', async () => {
    search('1', { h1: 20_001 });
    const asked: string[] = [];
    const resolver: Resolver = {
      async srv(name) {
        asked.push(name);
        const port = Number(new URL(url).port);
        const records = name === '_helios._http.example.net' ? [{ priority: 1, port, target: '127.0.0.1' }] : [];
        return { records, addresses: new Map(), ttlMs: 60_000 };
      },
      addresses: () => Promise.reject(new Error('not asked for')),
    };
    const over = new AbortController();
    onTestFinished(() => over.abort());
    const source = {
      kind: 'helios',
      master: { domain: 'example.net' },
      select: BY_JOB,
      intervalMs: 20,
      tls: {},
    } as const;
    const masters = new HeliosMasters(source, resolver, TOOLS.clock, over.signal);
    const discovery = new HeliosPoller(masters, 20, TOOLS, over.signal).follow(BY_JOB, () => {});
    await shows(discovery, 'h1:20001');
    expect(asked).toEqual(['_helios._https.example.net', '_helios._http.example.net']);
  });

  test('is asked once for all backends, with full ids and a version, only by GET and the two POSTs that read', async () => {
    search('1', { h1: 20_001 });
    const discoveries = new Discoveries(TOOLS);
    const first = open(BY_JOB, [url], discoveries);
    const second = open({ job: 'search', port: 'http' }, [url], discoveries);
    await shows(first, 'h1:20001');
    await shows(second, 'h1:20001');
    const round = master.asked.slice(0, 3);
    expect(round.map(({ line }) => line)).toEqual([
      'GET /jobs',
      'POST /jobs/statuses',
      'POST /hosts/statuses?status=UP',
    ]);
    expect(new Set(master.asked.map(({ version }) => version))).toEqual(new Set(['0.9.0']));
    first.close();
    master.cluster.deploy(search('2', {}), 'h2', { http: 20_002 });
    await shows(second, 'h1:20001', 'h2:20002');
    expect(shown(first)).toEqual(['h1:20001']);
  });
});
