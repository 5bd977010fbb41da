/** Leaving Crossfade: only with a proof, and with a route of the Gateway API that does the same. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { gatewayRoute } from '../../src/cli/graduation.ts';
import { runCli } from '../../src/cli/run.ts';

const CONFIG = `
listeners: [{ address: "127.0.0.1:0" }]
backends:
  helios: { discovery: { helios: { master: "http://helios:5801", job: search, port: http } } }
  kubernetes: { discovery: { kubernetes: { namespace: search, service: search-api, port: http } } }
routes:
  - { name: search, match: { hosts: [api.example.com], path: /search/ }, old: helios, new: kubernetes }
`;

/** An admin API that has the route at a weight, and a Prometheus that has hours and requests on record. */
async function scene({
  weight = 100,
  hours = 336,
  requests = 0,
}): Promise<{ run: (...more: string[]) => Promise<Ran> }> {
  const server = createServer((request, response) => {
    const query = new URL(request.url ?? '', 'http://x').searchParams.get('query') ?? '';
    const value = query.startsWith('count_over_time') ? hours : requests;
    const prometheus = { status: 'success', data: { resultType: 'vector', result: [{ value: [0, String(value)] }] } };
    const route = { name: 'search', weight, state: 'completed' };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(request.url?.startsWith('/api/v1/query') ? prometheus : route));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const folder = mkdtempSync(join(tmpdir(), 'crossfade-graduate-'));
  onTestFinished(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });
  writeFileSync(join(folder, 'crossfade.yaml'), CONFIG);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const run = async (...more: string[]): Promise<Ran> => {
    const out: string[] = [];
    const err: string[] = [];
    const io = { env: {}, out: (line: string) => void out.push(line), err: (line: string) => void err.push(line) };
    const args = ['graduate', 'search', '--admin', url, '--config', join(folder, 'crossfade.yaml'), ...more];
    return { code: await runCli(args, io), out: out.join('\n'), err: err.join('\n') };
  };
  return { run: (...more) => run('--prometheus', url, '--port', '80', ...more) };
}

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

describe('graduate', () => {
  test('prints the proof beside the route that takes its place', async () => {
    const { code, out, err } = await (await scene({})).run('--gateway', 'edge');
    expect([code, err]).toEqual([
      0,
      '# search is at 100%\n# old had no request for 14 days (crossfade_requests_total{route="search",side="old"}, 336 of 336 hours on record)',
    ]);
    expect(parse(out)).toEqual({
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name: 'search', namespace: 'search' },
      spec: {
        parentRefs: [{ name: 'edge' }],
        hostnames: ['api.example.com'],
        rules: [
          {
            matches: [{ path: { type: 'PathPrefix', value: '/search' } }],
            backendRefs: [{ name: 'search-api', port: 80 }],
          },
        ],
      },
    });
  });

  test.each([
    [{ weight: 99 }, 'search is at 99% (completed); it graduates from 100%'],
    [{ requests: 2.3 }, 'old had about 3 requests of search in the last 14 days'],
    [{ hours: 40 }, 'Prometheus has search on record for 40 hours of the last 336: that proves nothing for 14 days'],
  ])('is refused at %o', async (state, message) => {
    const { code, out, err } = await (await scene(state)).run();
    expect([code, out, err]).toEqual([2, '', `crossfade: ${message}`]);
  });
});

test('methods, headers and exact paths are matched as before; gRPC becomes a GRPCRoute', () => {
  const common = {
    name: 'My_Route',
    service: { namespace: 'n', name: 's', port: 1 },
    gateway: 'g',
    timeouts: { totalMs: 5_000 },
  };
  const match = { path: { exact: '/' }, methods: ['GET', 'HEAD'], headers: { 'x-tier': 'gold' } };
  const headers = [{ type: 'Exact', name: 'x-tier', value: 'gold' }];
  expect(gatewayRoute({ ...common, match })).toMatchObject({
    metadata: { name: 'my-route' },
    spec: {
      rules: [
        {
          timeouts: { request: '5000ms' },
          matches: ['GET', 'HEAD'].map((method) => ({ path: { type: 'Exact', value: '/' }, method, headers })),
        },
      ],
    },
  });
  const grpc = { service: 'playlist.v1.Playlists', method: 'Get' };
  expect(gatewayRoute({ ...common, match: { grpc } })).toMatchObject({
    kind: 'GRPCRoute',
    spec: { rules: [{ matches: [{ method: grpc }] }] },
  });
});
