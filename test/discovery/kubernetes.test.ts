/** Endpoints of a Kubernetes service against an API server that behaves like a real one, and misbehaves like one. */
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { KubernetesApiServer } from '../../src/demo/kubernetes/api-server.ts';
import type { Discovery } from '../../src/discovery/discovery.ts';
import { Cluster } from '../../src/discovery/kubernetes/cluster.ts';
import { isNewer } from '../../src/discovery/kubernetes/slice-store.ts';
import { createKubernetesDiscovery, type Times } from '../../src/discovery/kubernetes/source.ts';
import { until } from '../supervisor/until.ts';

const PORTS = [{ name: 'http', protocol: 'TCP', port: 8080 }];

/** An endpoint as the API shows it. */
function pod(address: string, conditions: object = { ready: true, serving: true, terminating: false }): object {
  return {
    addresses: [address],
    conditions,
    nodeName: 'worker-1',
    targetRef: { kind: 'Pod', namespace: 'search', name: `search-${address}`, uid: `pod-${address}` },
    zone: 'eu-north-1a',
  };
}

let server: KubernetesApiServer;
let port: number;

beforeEach(async () => {
  server = new KubernetesApiServer({ bookmarkMs: 30 });
  port = await server.listen();
});
afterEach(() => server.close());

function slice(
  name: string,
  endpoints: readonly object[],
  ports: readonly object[] | null = PORTS,
  service = 'search',
) {
  server.objects.put({ namespace: 'search', name, service, endpoints, ports });
}

const TIMES = { leastWatchS: 240, silentMs: 80_000 };

function open(times: Partial<Times> = TIMES, wanted: string | number = 'http'): Discovery {
  const tools = { clock: () => performance.now(), random: () => 0.5, env: {} };
  const source = {
    kind: 'kubernetes',
    namespace: 'search',
    service: 'search',
    port: wanted,
    lookMs: 0,
    cluster: { api: `http://127.0.0.1:${port}` },
  } as const;
  const discovery = createKubernetesDiscovery(source, new Cluster(source.cluster, tools), tools, {
    ...TIMES,
    ...times,
    longestAwayMs: () => 200,
  });
  onTestFinished(() => discovery.close());
  return discovery;
}

const shown = (discovery: Discovery): string[] =>
  discovery.endpoints.map(({ host, port: at }) => `${host}:${at}`).sort();

function shows(discovery: Discovery, ...wanted: string[]): Promise<unknown> {
  return until(
    `${wanted.join(' ')}, not ${shown(discovery).join(' ')}`,
    () => shown(discovery).join() === wanted.join(),
  );
}

const lists = (): number => server.asked.filter((line) => line.startsWith('list')).length;
const looks = (): number => server.asked.filter((line) => /^list.*resourceVersion=0/.test(line)).length;
const watches = (): number => server.asked.filter((line) => line.startsWith('watch')).length;

describe('a service', () => {
  test('has the ready endpoints of all its slices, each once, with the port that has the name there', async () => {
    slice('search-a', [pod('10.1.0.1'), pod('10.1.0.2')]);
    slice(
      'search-b',
      [pod('10.1.0.2'), pod('10.1.0.3')],
      [{ name: 'http', protocol: 'TCP', port: 9090 }, ...PORTS.slice(1)],
    );
    slice('search-c', [pod('10.1.0.4')], [{ name: 'metrics', protocol: 'TCP', port: 9100 }]);
    slice('other-a', [pod('10.1.0.9')], PORTS, 'other');
    const discovery = open();
    await shows(discovery, '10.1.0.1:8080', '10.1.0.2:8080', '10.1.0.2:9090', '10.1.0.3:9090');
    expect(discovery.health).toMatchObject({ synced: true, alarm: null });
  });

  test('follows what is added, modified and deleted, without listing again', async () => {
    slice('search-a', [pod('10.1.0.1')]);
    const discovery = open();
    await shows(discovery, '10.1.0.1:8080');
    slice('search-a', [pod('10.1.0.1'), pod('10.1.0.2')]);
    slice('search-b', [pod('10.1.0.3')]);
    await shows(discovery, '10.1.0.1:8080', '10.1.0.2:8080', '10.1.0.3:8080');
    server.objects.remove('search', 'search-a');
    await shows(discovery, '10.1.0.3:8080');
    // Handed to another service: for who watches this one it is gone.
    slice('search-b', [pod('10.1.0.3')], PORTS, 'other');
    await shows(discovery);
    expect(discovery.health.alarm).toBe(
      'Kubernetes: the service search/search has no ready endpoint with the port http',
    );
    expect(lists()).toBe(1);
  });

  test('of many slices is listed page by page', async () => {
    for (let i = 0; i < 1_203; i++) slice(`search-${i}`, [pod(`10.2.${i >> 8}.${i & 255}`)]);
    const discovery = open();
    await until('all', () => discovery.endpoints.length === 1_203);
    expect(lists()).toBe(3);
  });

  test('that shows neither ready nor serving endpoints under a port says which ports there are', async () => {
    slice('search-a', [pod('10.1.0.1')], [{ name: 'grpc', protocol: 'TCP', port: 50051 }]);
    const discovery = open();
    await until('alarm', () => discovery.health.alarm);
    expect(discovery.health.alarm).toBe(
      'Kubernetes: the service search/search has no ready endpoint with the port http; its ports are grpc',
    );
  });
});

describe('the watch', () => {
  test('goes on from bookmarks when the server ends it, without another list', async () => {
    slice('search-a', [pod('10.1.0.1')]);
    const discovery = open({ leastWatchS: 0.05, silentMs: 80_000 });
    await shows(discovery, '10.1.0.1:8080');
    server.objects.tick();
    await until('three watches', () => watches() >= 3);
    slice('search-a', [pod('10.1.0.2')]);
    await shows(discovery, '10.1.0.2:8080');
    expect(server.asked.find((line) => line.startsWith('watch'))).toMatch(
      /allowWatchBookmarks=true.*resourceVersion=191/,
    );
  });

  test('that is cut goes on where it was; nothing is missed', async () => {
    slice('search-a', [pod('10.1.0.1')]);
    const discovery = open();
    await shows(discovery, '10.1.0.1:8080');
    await until('watch', () => watches() === 1);
    server.cut();
    slice('search-a', [pod('10.1.0.2')]);
    await shows(discovery, '10.1.0.2:8080');
    expect(lists()).toBe(1);
    expect(discovery.health.alarm).toBeNull();
  });

  test.each(['event', 'status'] as const)(
    'that has expired, said by %s, lists again and applies what differs',
    async (expiry) => {
      server.expiry = expiry;
      slice('search-a', [pod('10.1.0.1'), pod('10.1.0.2')]);
      const discovery = open();
      await shows(discovery, '10.1.0.1:8080', '10.1.0.2:8080');
      const patches: unknown[] = [];
      discovery.watch({ onEndpoints: (patch) => patches.push(patch), onHealth() {} });
      await until('watch', () => watches() === 1);
      const other = server.objects;
      server.cut();
      slice('search-a', [pod('10.1.0.2'), pod('10.1.0.3')]);
      other.compact();
      await shows(discovery, '10.1.0.2:8080', '10.1.0.3:8080');
      expect(patches.flat()).toEqual([{ removed: [0], added: [{ host: '10.1.0.3', port: 8080 }] }]);
      expect(discovery.health.alarm).toBeNull();
    },
  );

  test('that lies silent is taken up again, and what it kept back is seen', async () => {
    slice('search-a', [pod('10.1.0.1')]);
    const discovery = open({ leastWatchS: 240, silentMs: 300 });
    await shows(discovery, '10.1.0.1:8080');
    await until('watch', () => watches() === 1);
    server.silence();
    slice('search-a', [pod('10.1.0.2')]);
    await shows(discovery, '10.1.0.2:8080');
    expect([lists(), watches()]).toEqual([1, 2]);
  });

  test('that ends at once, again and again, does not become a storm', async () => {
    slice('search-a', [pod('10.1.0.1')]);
    const discovery = open({ leastWatchS: 0, silentMs: 80_000 });
    await shows(discovery, '10.1.0.1:8080');
    const start = performance.now();
    await until('some watches', () => watches() >= 6);
    expect(performance.now() - start).toBeGreaterThan(400);
  });
});

describe('two watches, and a comparison', () => {
  const quiet = { secondAfterMs: 0, lookMs: 0 };

  test('one that lies silent is not missed: the other tells, without another list', async () => {
    slice('search-a', [pod('10.1.0.1')]);
    const discovery = open({ guard: quiet });
    await shows(discovery, '10.1.0.1:8080');
    await until('two watches', () => server.watches.open === 2);
    server.silence(1);
    slice('search-a', [pod('10.1.0.2')]);
    await shows(discovery, '10.1.0.2:8080');
    server.objects.remove('search', 'search-a');
    await shows(discovery);
    expect([lists(), watches()]).toEqual([1, 2]);
  });

  test('what both tell is applied once, however late the other tells it', async () => {
    slice('search-a', [pod('10.1.0.1')]);
    const discovery = open({ guard: quiet });
    await until('two watches', () => server.watches.open === 2);
    const patches: unknown[] = [];
    discovery.watch({ onEndpoints: (patch) => patches.push(patch), onHealth() {} });
    for (let i = 2; i < 30; i++) slice('search-a', [pod(`10.1.0.${i}`)]);
    server.objects.remove('search', 'search-a');
    slice('search-a', [pod('10.1.0.99')]);
    await shows(discovery, '10.1.0.99:8080');
    expect(patches.length).toBeLessThanOrEqual(30);
  });

  test('the first one cut hides nothing, and is no reason for an alarm', async () => {
    slice('search-a', [pod('10.1.0.1')]);
    const discovery = open({ guard: quiet });
    await until('two watches', () => server.watches.open === 2);
    const alarms: (string | null)[] = [];
    discovery.watch({ onEndpoints() {}, onHealth: ({ alarm }) => alarms.push(alarm) });
    server.cut();
    slice('search-a', [pod('10.1.0.2')]);
    await shows(discovery, '10.1.0.2:8080');
    await until('two watches again', () => server.watches.open === 2);
    expect(alarms).toEqual([]);
  });

  test('all watches silent: the comparison finds out, and fresh ones go on', async () => {
    slice('search-a', [pod('10.1.0.1')]);
    const discovery = open({ guard: { secondAfterMs: 0, lookMs: 100 } });
    await until('two watches', () => server.watches.open === 2);
    server.silence();
    slice('search-b', [pod('10.1.0.2')]);
    server.objects.remove('search', 'search-a');
    await shows(discovery, '10.1.0.2:8080');
    expect(lists()).toBeGreaterThan(1);
    await until('watches that speak', () => server.watches.speaking === 2);
    const asked = watches();
    slice('search-b', [pod('10.1.0.3')]);
    await shows(discovery, '10.1.0.3:8080');
    expect(watches()).toBe(asked);
  });

  test('every connection frozen, that of the comparison too', async () => {
    slice('search-a', [pod('10.1.0.1')]);
    const discovery = open({ guard: { secondAfterMs: 0, lookMs: 100 } });
    await until('two watches and a look', () => server.watches.open === 2 && looks() > 0);
    server.freeze();
    slice('search-a', [pod('10.1.0.2')]);
    await shows(discovery, '10.1.0.2:8080');
  });

  test('as long as watches tell, a comparison asks for versions alone', async () => {
    slice('search-a', [pod('10.1.0.1')]);
    const discovery = open({ guard: { secondAfterMs: 0, lookMs: 100 } });
    await until('looks', () => looks() > 2);
    for (let i = 2; i < 9; i++) slice('search-a', [pod(`10.1.0.${i}`)]);
    await shows(discovery, '10.1.0.8:8080');
    const before = looks();
    await until('more looks', () => looks() > before + 2);
    expect([lists() - looks(), watches()]).toEqual([1, 2]);
  });

  test('an API server that went back to an older state', async () => {
    for (let i = 0; i < 5; i++) slice('search-a', [pod('10.1.0.1')]);
    const discovery = open({ guard: quiet });
    await until('two watches', () => server.watches.open === 2);
    await server.close();
    server = new KubernetesApiServer();
    slice('search-a', [pod('10.1.0.7')]);
    await server.listen(port);
    await shows(discovery, '10.1.0.7:8080');
    await until('two watches', () => server.watches.open === 2);
    slice('search-a', [pod('10.1.0.8')]);
    await shows(discovery, '10.1.0.8:8080');
  });
});

test.each([
  ['9', '10', false],
  ['10', '9', true],
  ['10', '10', false],
  ['18446744073709551615', '9007199254740993', true],
  ['9007199254740993', '9007199254740992', true],
])('version %s is newer than %s: %s', (version, than, is) => {
  expect(isNewer(version, than)).toBe(is);
});

describe('an API server', () => {
  test('that is away and comes back: the last endpoints stay, an alarm says why, and it is asked again', async () => {
    slice('search-a', [pod('10.1.0.1')]);
    const discovery = open();
    await shows(discovery, '10.1.0.1:8080');
    await server.close();
    const alarm = `Kubernetes API http://127.0.0.1:${port} refuses connections`;
    await until('alarm', () => discovery.health.alarm === alarm);
    expect(shown(discovery)).toEqual(['10.1.0.1:8080']);
    server = new KubernetesApiServer();
    slice('search-a', [pod('10.1.0.2')]);
    await server.listen(port);
    await shows(discovery, '10.1.0.2:8080');
    expect(discovery.health.alarm).toBeNull();
  });

  test('that went back to an older state is listed anew', async () => {
    for (let i = 0; i < 5; i++) slice('search-a', [pod('10.1.0.1')]);
    const discovery = open();
    await shows(discovery, '10.1.0.1:8080');
    await server.close();
    server = new KubernetesApiServer();
    slice('search-a', [pod('10.1.0.7')]);
    await server.listen(port);
    await shows(discovery, '10.1.0.7:8080');
  });

  test.each([429, 500, 503])('that answers %i at first is asked again', async (status) => {
    server.failures.push(status);
    slice('search-a', [pod('10.1.0.1')]);
    const discovery = open();
    await until('alarm', () => discovery.health.alarm?.includes(`answered ${status}`));
    await shows(discovery, '10.1.0.1:8080');
    expect(discovery.health.alarm).toBeNull();
  });

  test('that forbids it says what to grant', async () => {
    server.hidden.add('search');
    const discovery = open();
    await until('alarm', () => discovery.health.alarm);
    expect(discovery.health.alarm).toMatch(
      /answered 403: endpointslices\.discovery\.k8s\.io is forbidden: .*; grant list and watch on endpointslices in the namespace search$/,
    );
    expect(discovery.health.synced).toBe(false);
  });
});
