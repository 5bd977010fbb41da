import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, expectTypeOf, test } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { RouteSpec } from '../../src/domain/route.ts';
import type { BackendSpec, Limits, ListenerSpec } from '../../src/seam.ts';
import { ConfigFolder, GOOD } from './files.ts';

const folder = new ConfigFolder();
afterAll(() => folder.remove());

const DEFAULT_HEALTH = {
  check: null,
  ejection: { consecutive: 5, baseMs: 10_000, longestMs: 300_000, bySuccessRate: true },
  slowStartMs: 10_000,
  panicBelow: 0.5,
};

describe('a good file', () => {
  test("the demo's configuration", async () => {
    const file = new URL('../../config/crossfade.yaml', import.meta.url).pathname;
    const result = await loadConfig(file, {});
    expect(result).toMatchObject({
      kind: 'ok',
      config: {
        file,
        listeners: [{ address: '0.0.0.0:8080', host: '0.0.0.0', port: 8080 }],
        admin: { address: '127.0.0.1:9900', host: '127.0.0.1', port: 9900 },
        store: { kind: 'file', path: new URL('../../data/state.json', import.meta.url).pathname },
        stateFile: new URL('../../data/last-9900.json', import.meta.url).pathname,
        backends: [
          { name: 'demo-old', source: { kind: 'static', endpoints: [{ host: '127.0.0.1', port: 9101 }] } },
          { name: 'demo-new', source: { kind: 'static', endpoints: [{ host: '127.0.0.1', port: 9102 }] } },
          { name: 'greeter-old', protocol: 'h2', source: { endpoints: [{ host: '127.0.0.1', port: 9103 }] } },
          { name: 'greeter-new', protocol: 'h2', source: { endpoints: [{ host: '127.0.0.1', port: 9104 }] } },
        ],
        routes: [
          { name: 'demo', match: { path: '/' }, old: 0, new: 1, weightPpm: 0, sticky: [] },
          { name: 'greeter', match: { grpc: { service: 'crossfade.demo.v1.Greeter' } }, old: 2, new: 3, weightPpm: 0 },
        ],
      },
    });
  });

  test('the samples have the admin port in common, but neither store nor last state: one after the other is no dispute', async () => {
    const kept = await Promise.all(
      ['crossfade', 'helios-to-kubernetes'].map(async (name) => {
        const file = new URL(`../../config/${name}.yaml`, import.meta.url).pathname;
        const { config } = (await loadConfig(file, {})) as { config: Config };
        return [(config.store as { path: string }).path, config.stateFile];
      }),
    );
    expect(new Set(kept.flat()).size).toBe(4);
  });

  test('what is left out has the documented defaults', async () => {
    const timeouts = { connectMs: 1000, requestHeadMs: 10_000, responseHeadMs: 60_000, idleMs: 60_000, totalMs: 0 };
    expect(await folder.config(GOOD.replace('    weight: 5\n', ''))).toEqual({
      file: folder.file,
      listeners: [{ address: '127.0.0.1:8080', host: '127.0.0.1', port: 8080 }],
      admin: { address: '127.0.0.1:9900', host: '127.0.0.1', port: 9900, tokens: [], openMetrics: false },
      store: { kind: 'file', path: join(folder.folder, '../data/state.json') },
      fleet: 'default',
      stateFile: join(folder.folder, '../data/last-9900.json'),
      ticketRotationMs: 43_200_000,
      workers: 'auto',
      trustedProxies: [],
      drainMs: 30_000,
      drainGraceMs: 1_000,
      override: null,
      accessLog: null,
      limits: {
        headBytes: 16_384,
        fields: 100,
        targetBytes: 8192,
        bodyBytes: 0,
        connections: 20_000,
        connectionsPerClient: 0,
        workerMemoryBytes: 0,
        concurrentStreams: 1024,
      },
      timeouts,
      backends: [
        {
          name: 'a',
          source: { kind: 'static', endpoints: [{ host: '127.0.0.1', port: 9101 }] },
          health: DEFAULT_HEALTH,
          connections: 0,
          maxRequestsPerEndpoint: 0,
        },
        {
          name: 'b',
          source: { kind: 'static', endpoints: [{ host: '127.0.0.1', port: 9102 }] },
          health: DEFAULT_HEALTH,
          connections: 0,
          maxRequestsPerEndpoint: 0,
        },
      ],
      emulators: null,
      ramps: {},
      webhooks: [],
      routes: [
        {
          name: 'one',
          match: { path: '/' },
          old: 0,
          new: 1,
          sticky: [],
          salt: 'one',
          timeouts,
          rescue: { budget: 0.2, toNew: false, bodyBytes: 65_536 },
          weightPpm: 0,
          ramp: null,
          judge: {
            alpha: 0.001,
            rho: 1,
            delta: 0.001,
            latency: { factor: 1.25, slackMs: 25 },
            ceiling: 0.25,
            adviseOnly: false,
          },
        },
      ],
    });
  });

  test('a route is judged by what it says itself, and otherwise by the defaults', async () => {
    const { routes } = await folder.config(`${GOOD}    judge: { delta: 0.01, latency: { slack: 50ms } }
defaults: { judge: { alpha: 0.01, ceiling: 40, latency: { factor: 2 } } }
`);
    expect(routes[0]?.judge).toEqual({
      alpha: 0.01,
      rho: 1,
      delta: 0.01,
      latency: { factor: 2, slackMs: 50 },
      ceiling: 0.4,
      adviseOnly: false,
    });
  });

  test('what is given is resolved', async () => {
    const config = await folder.config(`
listeners: [{ address: "[::1]:0" }, { address: localhost:0 }, { address: localhost:0 }]
admin: { address: "[::1]:9911", openMetrics: true, tokens: [{ name: ci, role: viewer, sha256: ${'AB'.repeat(32)} }] }
store: file:state/s.json
fleet: eu-1
workers: ${availableParallelism()}
trustedProxies: [10.0.0.0/8, "fd00::/8", 192.0.2.1]
drainTimeout: 0
overrideHeader: { name: X-Side, secret: s3cret }
limits: { targetBytes: 4096, bodyBytes: 1000000, connectionsPerClient: 50 }
accessLog: { sample: 2.5, slow: 2s, file: access.log }
defaults: { timeouts: { connect: 250ms, idle: 1h } }
backends:
  z:
    discovery: { static: ["Search.Example:80", "[::1]:81"] }
    limits: { connections: 256 }
    protocol: http1
    health: { http: { path: /healthz, host: h, status: [200, 204] }, interval: 2s, timeout: 500ms, rise: 1, fall: 4, jitter: 50 }
    ejection: { consecutive: 3, base: 1s, longest: 1m, successRate: false }
    slowStart: 0
    panicBelow: 30
  "1": { discovery: { static: ["10.0.0.7:8080"] } }
routes:
  - name: search
    match: { hosts: [API.example.com, "*.Example.org"], path: /search/, methods: [GET, PURGE], headers: { X-Tier: Gold } }
    old: z
    new: "1"
    weight: 0.0001
    sticky: [{ header: X-User-Id }, { cookie: Uid }, { address: true }, { generate: true }]
    group: search-group
    timeouts: { total: 5m, connect: 2s }
`);
    expect(config).toMatchObject({
      listeners: [
        { host: '::1', port: 0 },
        { host: 'localhost', port: 0 },
        { host: 'localhost', port: 0 },
      ],
      admin: { openMetrics: true, tokens: [{ name: 'ci', role: 'viewer', sha256: 'ab'.repeat(32) }] },
      store: { kind: 'file', path: join(folder.folder, 'state/s.json') },
      fleet: 'eu-1',
      stateFile: join(folder.folder, 'state/last-9911.json'),
      workers: availableParallelism(),
      trustedProxies: ['10.0.0.0/8', 'fd00::/8', '192.0.2.1'],
      drainMs: 0,
      drainGraceMs: 1_000,
      override: { name: 'x-side', secret: 's3cret' },
      accessLog: { samplePpm: 25_000, slowMs: 2000, allFaults: true, file: join(folder.folder, 'access.log') },
      limits: { headBytes: 16_384, targetBytes: 4096, bodyBytes: 1_000_000, connectionsPerClient: 50 },
      timeouts: { connectMs: 250, requestHeadMs: 10_000, idleMs: 3_600_000 },
    });
    const [route] = config.routes;
    expect(config.backends[route?.old ?? -1]).toEqual({
      name: 'z',
      source: {
        kind: 'static',
        endpoints: [
          { host: 'search.example', port: 80 },
          { host: '::1', port: 81 },
        ],
      },
      connections: 256,
      maxRequestsPerEndpoint: 0,
      health: {
        check: {
          ask: { kind: 'http', path: '/healthz', host: 'h', statuses: [200, 204] },
          intervalMs: 2_000,
          timeoutMs: 500,
          rise: 1,
          fall: 4,
          jitter: 0.5,
        },
        ejection: { consecutive: 3, baseMs: 1_000, longestMs: 60_000, bySuccessRate: false },
        slowStartMs: 0,
        panicBelow: 0.3,
      },
    });
    expect(config.backends[route?.new ?? -1]?.name).toBe('1');
    expect(route).toMatchObject({
      match: {
        hosts: ['api.example.com', '*.example.org'],
        path: '/search/',
        methods: ['GET', 'PURGE'],
        headers: { 'x-tier': 'Gold' },
      },
      weightPpm: 1,
      sticky: [
        { kind: 'header', name: 'x-user-id' },
        { kind: 'cookie', name: 'Uid' },
        { kind: 'address' },
        { kind: 'generate' },
      ],
      salt: 'search-group',
      timeouts: { connectMs: 2000, requestHeadMs: 10_000, responseHeadMs: 60_000, idleMs: 3_600_000, totalMs: 300_000 },
    });
  });

  test('an admin port that other machines reach, with tokens', async () => {
    const token = `{ name: ci, role: viewer, sha256: ${'ab'.repeat(32)} }`;
    const config = await folder.config(`admin: { address: 0.0.0.0:9900, tokens: [${token}] }\n${GOOD}`);
    expect(config.admin).toMatchObject({ host: '0.0.0.0', tokens: [{ name: 'ci' }] });
  });

  test('an own place for the last state', async () => {
    const config = await folder.config(`stateFile: ../mine.json\n${GOOD}`);
    expect(config.stateFile).toBe(join(folder.folder, '../mine.json'));
  });

  test('anchors share what is the same', async () => {
    const text = GOOD.replace(
      'weight: 5',
      'timeouts: &t { total: 5s }\n  - { name: two, match: { path: /x }, old: a, new: b, timeouts: *t }',
    );
    const config = await folder.config(text);
    expect(config.routes.map((route) => route.timeouts.totalMs)).toEqual([5000, 5000]);
  });

  test('has the shapes that control hands to workers', () => {
    expectTypeOf<Config['listeners'][number]>().toExtend<ListenerSpec>();
    expectTypeOf<Config['backends'][number]>().toExtend<BackendSpec>();
    expectTypeOf<Config['routes'][number]>().toExtend<RouteSpec>();
    expectTypeOf<Config['limits']>().toExtend<Limits>();
  });

  test('nothing in it can be changed', async () => {
    const config = await folder.config(GOOD);
    const open: unknown[] = [];
    const visit = (value: unknown) => {
      if (typeof value !== 'object' || value === null) return;
      if (!Object.isFrozen(value)) open.push(value);
      Object.values(value).forEach(visit);
    };
    visit(config);
    expect(open).toEqual([]);
  });
});

/** The override secret that a file with this text for it has. */
async function secret(written: string, env: Record<string, string>): Promise<string | undefined> {
  const config = await folder.config(`overrideHeader: { name: x-side, secret: ${written} }\n${GOOD}`, env);
  return config.override?.secret;
}

describe('variables', () => {
  test('stand for what the environment has', async () => {
    expect(await secret('"${A}-${B_2}"', { A: 'one', B_2: 'two' })).toBe('one-two');
  });

  test('are text, never YAML', async () => {
    expect(await secret('"${A}"', { A: 'x }, fleet: other # "' })).toBe('x }, fleet: other # "');
    expect(await secret('"${A}"', { A: '12' })).toBe('12');
  });

  test('are not looked for in what they stand for', async () => {
    expect(await secret('"${A}"', { A: '${B}', B: 'no' })).toBe('${B}');
  });

  test('are written literally with a second dollar', async () => {
    expect(await secret('"$${A} $A $$"', {})).toBe('${A} $A $$');
  });

  test('every one that is not set is named', async () => {
    const lines = await folder.lines(`overrideHeader: { name: "\${N}", secret: "\${S}" }\n${GOOD}`);
    expect(lines).toEqual([
      'crossfade.yaml:1:19: overrideHeader.name: the environment variable N is not set',
      'crossfade.yaml:1:33: overrideHeader.secret: the environment variable S is not set',
    ]);
  });
});
