import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { describeSchema } from '../../src/config/schema.ts';
import { sized } from '../size.ts';
import { ConfigFolder } from './files.ts';

const folder = new ConfigFolder();
afterAll(() => folder.remove());

type Mapping = Record<string, unknown>;
const design = parse(readFileSync(new URL('whole.yaml', import.meta.url), 'utf8')) as Mapping;

/** The design's configuration and what that does not show. */
const whole: Mapping = {
  ...design,
  admin: {
    ...(design.admin as Mapping),
    prometheus: { url: 'https://prometheus.example', ca: 'a', token: 't' },
  },
  listeners: [
    ...(design.listeners as Mapping[]),
    {
      address: '0.0.0.0:9443',
      tls: [{ certificate: 'a', key: 'b' }],
      clientCertificate: { ca: 'a', verify: 'optional', forward: true },
    },
  ],
  ticketRotation: '1h',
  limits: {
    headBytes: 2048,
    fields: 9,
    targetBytes: 99,
    bodyBytes: 9,
    connections: 9,
    connectionsPerClient: 9,
    concurrentStreams: 9,
    workerMemoryBytes: 9,
  },
  accessLog: { sample: 1, slow: '2s', faults: 'sampled', file: 'access.log' },
  emulators: {
    helios: { address: '127.0.0.1:5801', job: 'a', port: 'a', hosts: ['127.0.0.1'] },
    kubernetes: { address: '127.0.0.1:6443', namespace: 'a', service: 'a', port: 'a', podPort: 80, pods: 3 },
    rehearsal: true,
  },
  backends: {
    ...(design.backends as Mapping),
    secured: {
      maxRequestsPerEndpoint: 100,
      discovery: { dns: { name: 'a.example', type: 'A', port: 80, servers: ['10.0.0.2'] } },
      tls: { ca: 'a', certificate: 'b', key: 'c', serverName: 'd', verify: true },
      health: {
        http: { path: '/', host: 'h', status: [200] },
        interval: '1s',
        timeout: '1s',
        rise: 1,
        fall: 1,
        jitter: 5,
      },
      ejection: { consecutive: 5, base: '10s', longest: '5m', successRate: true },
      slowStart: 0,
      limits: { connections: 1, pending: 1, pendingTimeout: '1s' },
      panicBelow: 50,
    },
    open: { discovery: { dns: { name: 'a.example', port: 80 } }, health: { grpc: { service: 'p.S' } } },
    behind: {
      discovery: {
        helios: {
          domain: 'a.example',
          registration: 'a/http',
          interval: '2s',
          tls: { ca: 'a', certificate: 'b', key: 'c' },
        },
      },
    },
    elsewhere: { discovery: { kubernetes: { namespace: 'a', service: 'a', port: 80, kubeconfig: 'k', context: 'c' } } },
    proxied: {
      discovery: {
        kubernetes: { namespace: 'a', service: 'a', port: 80, api: 'http://127.0.0.1:8001', compare: '2s' },
      },
    },
    raw: { discovery: { dns: { name: 'a.example', port: 80 } }, health: { tcp: {} } },
  },
  routes: [
    ...(design.routes as Mapping[]),
    {
      name: 'root',
      match: { path: { exact: '/' } },
      old: 'raw',
      new: 'open',
      rescue: { safeMethods: ['p.S/M'], responseField: 'x-rescued' },
      timeouts: { connect: 0, requestHead: 0, responseHead: 0, idle: 0, total: 0 },
      ramp: [{ weight: 1, hold: 0, gate: { newRequests: 1 } }],
    },
  ],
};

/** Paths of all mappings whose keys the schema fixes: not those of named backends and ramps, nor of headers. */
function mappingsOf(value: unknown, path: (string | number)[] = []): (string | number)[][] {
  if (Array.isArray(value)) return value.flatMap((item, i) => mappingsOf(item, [...path, i]));
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.entries(value).flatMap(([key, item]) => mappingsOf(item, [...path, key]));
  const free = /^(?:backends|ramps|.*,headers)$/.test(path.join());
  return free ? inner : [path, ...inner];
}

/** Every key that the schema has anywhere. */
function keysOf(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const { properties } = schema as { properties?: Mapping };
  return [...Object.keys(properties ?? {}), ...Object.values(schema).flatMap(keysOf)];
}

function at(root: Mapping, path: (string | number)[]): Mapping {
  return path.reduce<unknown>((value, step) => (value as Mapping)[step], root) as Mapping;
}

const MARK = 'stands-on-this-line';
const mappings = mappingsOf(whole);
const known = new Set(keysOf(describeSchema()));

function withKey(path: (string | number)[], key: string): string {
  const copy = structuredClone(whole);
  Object.defineProperty(at(copy, path), key, { value: MARK, enumerable: true });
  return stringify(copy, { lineWidth: 0 });
}

describe('no key is ignored', () => {
  test('the configuration tried here has every key of the schema', () => {
    const used = new Set(mappings.flatMap((path) => Object.keys(at(whole, path))));
    expect(known.size).toBeGreaterThan(70);
    expect([...known].filter((key) => !used.has(key))).toEqual([]);
  });

  test('an unknown key, in whichever mapping, is refused at its line', async () => {
    const unknown = fc
      .oneof(
        fc.string({ minLength: 1, maxLength: 12 }),
        fc.constantFrom('__proto__', 'constructor', 'toString', '<<', 'wieght', '0'),
      )
      .filter((key) => !known.has(key));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...mappings), unknown, async (path, key) => {
        const text = withKey(path, key);
        const line = text.split('\n').findIndex((candidate) => candidate.includes(MARK)) + 1;
        const refused = (await folder.lines(text, { OVERRIDE_SECRET: 'x' })).filter((problem) =>
          problem.includes(': unknown key'),
        );
        expect(refused).toHaveLength(1);
        expect(refused[0]?.startsWith(`crossfade.yaml:${line}:`)).toBe(true);
      }),
      { numRuns: sized(150, 40) },
    );
  });

  test('in every mapping at least once', async () => {
    for (const path of mappings) {
      const text = withKey(path, 'noSuchKey');
      const line = text.split('\n').findIndex((candidate) => candidate.includes(MARK)) + 1;
      const problems = await folder.lines(text, { OVERRIDE_SECRET: 'x' });
      expect(
        problems.filter((problem) => /noSuchKey: unknown key/.test(problem)),
        path.join(),
      ).toEqual([expect.stringContaining(`crossfade.yaml:${line}:`)]);
    }
  });
});
