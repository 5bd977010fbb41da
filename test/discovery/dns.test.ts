/** Endpoints by DNS records, asked of a real name server on this machine; and what becomes of them when it fails. */
import type { Answer } from 'dns-packet';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { findEndpoints } from '../../src/discovery/dns/endpoints.ts';
import { candidates, parseResolvConf } from '../../src/discovery/dns/resolv-conf.ts';
import { createResolver, type Resolver } from '../../src/discovery/dns/resolver.ts';
import { createDnsDiscovery } from '../../src/discovery/dns/source.ts';
import type { DnsSource } from '../../src/domain/source.ts';
import { DnsServer, NXDOMAIN, SERVFAIL } from './dns-server.ts';

function a(name: string, data: string, ttl: number): Answer {
  return { type: 'A', name, ttl, data };
}

function srv(name: string, priority: number, port: number, target: string, ttl: number, weight = 1): Answer {
  return { type: 'SRV', name, ttl, data: { priority, weight, port, target } };
}

function source(parts: Partial<DnsSource>): DnsSource {
  return { kind: 'dns', name: 'search.example.net', type: 'A', port: 8080, servers: [], ...parts };
}

describe('records', () => {
  let server: DnsServer;
  let resolver: Resolver;

  beforeEach(async () => {
    server = await new DnsServer().start();
    resolver = createResolver([{ host: '127.0.0.1', port: server.port }]);
  });
  afterEach(() => server.stop());

  test('of type A: every address at the configured port, with the least TTL of the chain', async () => {
    server.zone.set('A search.example.net', {
      answers: [
        { type: 'CNAME', name: 'search.example.net', ttl: 20, data: 'real.example.net' },
        a('real.example.net', '10.0.0.7', 60),
        a('real.example.net', '10.0.0.8', 60),
      ],
    });
    const found = await findEndpoints(resolver, source({}));
    expect(found.endpoints).toEqual([
      { host: '10.0.0.7', port: 8080, name: 'search.example.net' },
      { host: '10.0.0.8', port: 8080, name: 'search.example.net' },
    ]);
    expect(found.ttlMs).toBe(20_000);
  });

  test('of type SRV, as skydns and Spotify name them: the addresses come along or are asked for', async () => {
    const name = '_spotify-search._hm.lon3.spotify.net';
    server.zone.set(`SRV ${name}`, {
      answers: [
        srv(name, 5000, 8181, 'a1.lon3.spotify.net', 60),
        srv(name, 5000, 8182, 'a2.lon3.spotify.net', 30),
        srv(name, 6000, 8183, 'spare.lon3.spotify.net', 60),
      ],
      additionals: [a('A1.lon3.spotify.net', '10.0.0.1', 60)],
    });
    server.zone.set('A a2.lon3.spotify.net', { answers: [a('a2.lon3.spotify.net', '10.0.0.2', 12)] });
    const found = await findEndpoints(resolver, source({ name, type: 'SRV', port: null }));
    expect(found.endpoints).toEqual([
      { host: '10.0.0.1', port: 8181, name: 'a1.lon3.spotify.net' },
      { host: '10.0.0.2', port: 8182, name: 'a2.lon3.spotify.net' },
    ]);
    expect(found.ttlMs).toBe(12_000);
  });

  test('of type SRV whose target has only an IPv6 address, is an address itself, or has none', async () => {
    const name = '_grpc._tcp.playlist.svc';
    server.zone.set(`SRV ${name}`, {
      answers: [srv(name, 0, 1, 'six.svc', 30), srv(name, 0, 2, '10.9.9.9', 30), srv(name, 0, 3, 'gone.svc', 30)],
    });
    server.zone.set('A six.svc', {});
    server.zone.set('AAAA six.svc', { answers: [{ type: 'AAAA', name: 'six.svc', ttl: 30, data: 'fd00::6' }] });
    const found = await findEndpoints(resolver, source({ name, type: 'SRV', port: null }));
    expect(found.endpoints).toEqual([
      { host: 'fd00::6', port: 1, name: 'six.svc' },
      { host: '10.9.9.9', port: 2 },
    ]);
    expect(found.alarm).toBe('DNS SRV _grpc._tcp.playlist.svc: gone.svc has no address');
  });

  test('of type SRV of another priority are not used while one target of the first has an address', async () => {
    const name = '_http._tcp.search.consul';
    server.zone.set(`SRV ${name}`, {
      answers: [
        srv(name, 20, 3, 'spare.consul', 30),
        srv(name, 10, 1, 'gone.consul', 30),
        srv(name, 10, 2, 'last.consul', 30),
      ],
    });
    for (const [i, host] of ['last', 'spare'].entries()) {
      server.zone.set(`A ${host}.consul`, { answers: [a(`${host}.consul`, `10.0.0.${i}`, 30)] });
    }
    const found = await findEndpoints(resolver, source({ name, type: 'SRV', port: null }));
    expect(found.endpoints).toEqual([{ host: '10.0.0.0', port: 2, name: 'last.consul' }]);
    expect(server.asked.map(({ question }) => question)).not.toContain('A spare.consul');
  });

  test('of type SRV of the next priority are used when no target of the first has an address, with an alarm', async () => {
    const name = '_http._tcp.search.consul';
    server.zone.set(`SRV ${name}`, {
      answers: [
        srv(name, 30, 4, 'last-resort.consul', 30),
        srv(name, 20, 3, 'spare.consul', 30),
        srv(name, 10, 1, 'gone.consul', 30),
        srv(name, 10, 2, 'gone-too.consul', 30),
      ],
      additionals: [a('last-resort.consul', '10.0.0.4', 30)],
    });
    server.zone.set('A spare.consul', { answers: [a('spare.consul', '10.0.0.3', 30)] });
    const found = await findEndpoints(resolver, source({ name, type: 'SRV', port: null }));
    expect(found.endpoints).toEqual([{ host: '10.0.0.3', port: 3, name: 'spare.consul' }]);
    expect(found.alarm).toBe(`DNS SRV ${name}: gone.consul, gone-too.consul has no address`);
    server.zone.set('A gone.consul', { answers: [a('gone.consul', '10.0.0.1', 30)] });
    const back = await findEndpoints(resolver, source({ name, type: 'SRV', port: null }));
    expect(back.endpoints).toEqual([{ host: '10.0.0.1', port: 1, name: 'gone.consul' }]);
  });

  test('of type SRV are taken alike within a priority, whatever their weight, 0 too', async () => {
    const name = '_http._tcp.search.consul';
    server.zone.set(`SRV ${name}`, {
      answers: [srv(name, 1, 1, '10.0.0.1', 30, 0), srv(name, 1, 2, '10.0.0.2', 30, 65_535)],
    });
    const found = await findEndpoints(resolver, source({ name, type: 'SRV', port: null }));
    expect(found.endpoints).toEqual([
      { host: '10.0.0.1', port: 1 },
      { host: '10.0.0.2', port: 2 },
    ]);
  });

  test('of type SRV with the target "." say that there is no such service', async () => {
    server.zone.set('SRV none.example.net', { answers: [srv('none.example.net', 0, 0, '.', 30)] });
    const found = await findEndpoints(resolver, source({ name: 'none.example.net', type: 'SRV', port: null }));
    expect(found.endpoints).toEqual([]);
  });

  test('that do not fit into a datagram are asked for again by TCP', async () => {
    const many = Array.from({ length: 200 }, (_, i) => a('search.example.net', `10.0.1.${i}`, 5));
    server.zone.set('A search.example.net', { answers: many, truncated: true });
    const found = await findEndpoints(resolver, source({}));
    expect(found.endpoints).toHaveLength(200);
    expect(server.asked.map(({ tcp }) => tcp)).toEqual([false, true]);
  });

  test('that are not there hold as not being there for as long as the SOA says', async () => {
    server.zone.set('A search.example.net', {
      rcode: NXDOMAIN,
      authorities: [
        {
          type: 'SOA',
          name: 'example.net',
          ttl: 9,
          data: { mname: 'ns', rname: 'root', serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 7 },
        },
      ],
    });
    expect(await resolver.addresses('search.example.net', 'A')).toEqual({ records: [], ttlMs: 7_000 });
  });

  test('are asked of the next server when one fails; when all do, it is said in one sentence', async () => {
    const sick = await new DnsServer().start();
    onTestFinished(() => sick.stop());
    sick.zone.set('A search.example.net', { rcode: SERVFAIL });
    server.zone.set('A search.example.net', { answers: [a('search.example.net', '10.0.0.7', 60)] });
    const sickAddress = { host: '127.0.0.1', port: sick.port };
    const both = createResolver([sickAddress, { host: '127.0.0.1', port: server.port }]);
    expect((await both.addresses('search.example.net', 'A')).records).toEqual(['10.0.0.7']);
    await expect(createResolver([sickAddress]).addresses('search.example.net', 'A')).rejects.toThrow(
      `DNS A search.example.net: 127.0.0.1:${sick.port} answered SERVFAIL`,
    );
  });
});

describe('/etc/resolv.conf', () => {
  test('names servers, search domains and options', () => {
    const conf = parseResolvConf(
      '# written by kubelet\nsearch search.svc.cluster.local svc.cluster.local cluster.local.\nnameserver 10.96.0.10\noptions ndots:5 timeout:1\n',
    );
    expect(conf).toEqual({
      servers: [{ host: '10.96.0.10', port: 53 }],
      search: ['search.svc.cluster.local', 'svc.cluster.local', 'cluster.local'],
      ndots: 5,
      timeoutMs: 1000,
      attempts: 2,
    });
  });

  test('names with few dots are looked for in the search domains first; a last dot ends the search', () => {
    const conf = { search: ['svc.cluster.local', 'cluster.local'], ndots: 5 };
    expect(candidates('_http._tcp.search.svc', conf)).toEqual([
      '_http._tcp.search.svc.svc.cluster.local',
      '_http._tcp.search.svc.cluster.local',
      '_http._tcp.search.svc',
    ]);
    expect(candidates('search.example.net.', conf)).toEqual(['search.example.net']);
    expect(candidates('search.example.net', { ...conf, ndots: 1 })[0]).toBe('search.example.net');
  });
});

/** Answers, in their order, and the last of them for ever; and how often it was asked. */
function open(answers: readonly (readonly string[] | Error)[], ttlMs: number) {
  const asked = { times: 0 };
  const resolver: Resolver = {
    srv: () => Promise.reject(new Error('not asked for')),
    async addresses() {
      const answer = answers[Math.min(asked.times++, answers.length - 1)] as readonly string[] | Error;
      if (answer instanceof Error) throw answer;
      return { records: answer, ttlMs };
    },
  };
  const tools = { clock: () => Date.now(), random: () => 0.5, env: {} };
  const discovery = createDnsDiscovery(source({}), tools, resolver);
  onTestFinished(() => discovery.close());
  const hosts = (): string[] => discovery.endpoints.map(({ host }) => host);
  return { discovery, asked, hosts };
}

describe('a discovery', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('asks again when the TTL ends and not before', async () => {
    const { asked, hosts } = open([['10.0.0.1'], ['10.0.0.2']], 5_000);
    await vi.advanceTimersByTimeAsync(4_990);
    expect([asked.times, hosts()]).toEqual([1, ['10.0.0.1']]);
    await vi.advanceTimersByTimeAsync(20);
    expect([asked.times, hosts()]).toEqual([2, ['10.0.0.2']]);
  });

  test('keeps the last endpoints while DNS does not answer, with an alarm, however long', async () => {
    const { discovery, hosts } = open([['10.0.0.1'], new Error('DNS A search.example.net: away')], 5_000);
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(hosts()).toEqual(['10.0.0.1']);
    expect(discovery.health.alarm).toBe('DNS A search.example.net: away');
  });

  test('keeps them for a minute when there are no records any more, then believes it', async () => {
    const { discovery, hosts } = open([['10.0.0.1'], []], 5_000);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(hosts()).toEqual(['10.0.0.1']);
    expect(discovery.health.alarm).toContain('there are no such records; the last ones are kept for 60 s');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(hosts()).toEqual([]);
  });

  test('is closed for good, also while a question is under way', async () => {
    const { discovery, asked } = open([['10.0.0.1']], 1_000);
    await vi.advanceTimersByTimeAsync(0);
    discovery.close();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked.times).toBe(1);
  });
});
