import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { text as readText } from 'node:stream/consumers';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  AT_ATTEMPTS,
  AT_DURATION,
  AT_DURATION_SUM,
  AT_FAULTS,
  AT_GRPC,
  AT_INFLIGHT,
  AT_REQUESTS,
  AT_RESCUES,
  CODE_CLASSES,
  cellCount,
  cellsOf,
  PROTOCOLS,
} from '../../src/domain/counts.ts';
import { FAULT_KINDS } from '../../src/domain/errors.ts';
import { NEW, OLD } from '../../src/domain/route.ts';
import { createMetrics, type Metrics } from '../../src/telemetry/metrics.ts';
import { tableSource } from './table.ts';

const requestCell = (protocol: (typeof PROTOCOLS)[number], code: (typeof CODE_CLASSES)[number]) =>
  AT_REQUESTS + PROTOCOLS.indexOf(protocol) * CODE_CLASSES.length + CODE_CLASSES.indexOf(code);

const scrape = (metrics: Metrics): Promise<string> => readText(metrics.text());

/** Value of the series with exactly these labels; undefined when there is none. */
function value(text: string, name: string, labels: Record<string, string> = {}): number | undefined {
  const wanted = Object.entries(labels).map(([key, label]) => `${key}="${label}"`);
  for (const line of text.split('\n')) {
    const match = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (match === null || match[1] !== name) continue;
    const found = match[2] === undefined ? [] : match[2].split(/,(?=\w+=")/);
    if (found.length === wanted.length && wanted.every((label) => found.includes(label))) return Number(match[3]);
  }
  return undefined;
}

const promtool = '/usr/bin/promtool';
function check(text: string): string {
  if (!existsSync(promtool)) {
    throw new Error(`${promtool} is missing: npm test installs it (Debian package prometheus)`);
  }
  const run = spawnSync(promtool, ['check', 'metrics'], { input: text, encoding: 'utf8' });
  return `${run.stdout}${run.stderr}exit ${run.status}`;
}

describe('series of configured routes', () => {
  test('exist at 0 before the first request', async () => {
    const text = await scrape(createMetrics(tableSource(['search'])));
    for (const side of ['old', 'new']) {
      for (const code of ['2xx', '4xx', '5xx']) {
        expect(value(text, 'crossfade_requests_total', { route: 'search', side, protocol: 'http1', code })).toBe(0);
      }
      expect(value(text, 'crossfade_request_duration_seconds_count', { route: 'search', side })).toBe(0);
      for (const outcome of ['ok', 'fault', 'clientError', 'cancelled']) {
        expect(value(text, 'crossfade_upstream_attempts_total', { route: 'search', side, outcome })).toBe(0);
      }
      expect(value(text, 'crossfade_faults_total', { route: 'search', side, kind: 'status5xx' })).toBe(0);
      expect(value(text, 'crossfade_inflight_requests', { route: 'search', side })).toBe(0);
      expect(value(text, 'crossfade_rescues_total', { route: 'search', from: side })).toBe(0);
    }
    expect(value(text, 'crossfade_route_weight_ratio', { route: 'search' })).toBe(0);
    expect(value(text, 'crossfade_evidence_log10', { route: 'search' })).toBe(0);
    expect(value(text, 'crossfade_rollbacks_total', { route: 'search', reason: 'manual' })).toBe(0);
    expect(text).not.toContain('websocket');
    expect(text).not.toContain('grpc_status');
  });

  test('show what was counted', async () => {
    const source = tableSource(['search', 'playlist'], {
      weightsPpm: () => [0, 55_000],
      rollbacks: () => [{ route: 'playlist', reason: 'manual', value: 3 }],
    });
    const first = cellsOf(1, NEW);
    source.cells[first + requestCell('h2', '2xx')] = 7;
    source.cells[first + requestCell('websocket', '1xx')] = 2;
    source.cells[first + AT_GRPC + 14] = 5;
    source.cells[first + AT_ATTEMPTS + 1] = 4;
    source.cells[first + AT_FAULTS + FAULT_KINDS.indexOf('connectRefused')] = 6;
    source.cells[cellsOf(1, OLD) + AT_INFLIGHT] = 9;
    source.cells[first + AT_RESCUES] = 1;
    const text = await scrape(createMetrics(source));
    const route = { route: 'playlist' };
    const side = { ...route, side: 'new' };
    expect(value(text, 'crossfade_requests_total', { ...side, protocol: 'h2', code: '2xx' })).toBe(7);
    expect(value(text, 'crossfade_requests_total', { ...side, protocol: 'websocket', code: '1xx' })).toBe(2);
    expect(value(text, 'crossfade_requests_total', { ...side, protocol: 'http1', code: '2xx' })).toBe(0);
    expect(value(text, 'crossfade_grpc_responses_total', { ...side, grpc_status: 'UNAVAILABLE' })).toBe(5);
    expect(value(text, 'crossfade_upstream_attempts_total', { ...side, outcome: 'fault' })).toBe(4);
    expect(value(text, 'crossfade_faults_total', { ...side, kind: 'connectRefused' })).toBe(6);
    expect(value(text, 'crossfade_inflight_requests', { ...route, side: 'old' })).toBe(9);
    expect(value(text, 'crossfade_rescues_total', { ...route, from: 'new' })).toBe(1);
    expect(value(text, 'crossfade_route_weight_ratio', route)).toBe(0.055);
    expect(value(text, 'crossfade_rollbacks_total', { ...route, reason: 'manual' })).toBe(3);
    expect(value(text, 'crossfade_rollbacks_total', { route: 'search', reason: 'manual' })).toBe(0);
  });

  test('duration buckets add up to the count', async () => {
    const source = tableSource(['search']);
    const first = cellsOf(0, OLD);
    for (let bucket = 0; bucket < 15; bucket++) source.cells[first + AT_DURATION + bucket] = 1;
    source.cells[first + AT_DURATION_SUM] = 12.5;
    const text = await scrape(createMetrics(source));
    const labels = { route: 'search', side: 'old' };
    const name = 'crossfade_request_duration_seconds';
    expect(value(text, `${name}_bucket`, { ...labels, le: '0.005' })).toBe(1);
    expect(value(text, `${name}_bucket`, { ...labels, le: '10' })).toBe(14);
    expect(value(text, `${name}_bucket`, { ...labels, le: '+Inf' })).toBe(15);
    expect(value(text, `${name}_count`, labels)).toBe(15);
    expect(value(text, `${name}_sum`, labels)).toBe(12.5);
  });

  test('requests without a route are counted under none', async () => {
    const source = tableSource(['search']);
    source.cells[cellsOf(1, OLD) + requestCell('http1', '4xx')] = 8;
    const text = await scrape(createMetrics(source));
    const labels = { route: 'none', side: 'none', protocol: 'http1' };
    expect(value(text, 'crossfade_requests_total', { ...labels, code: '4xx' })).toBe(8);
    expect(value(text, 'crossfade_requests_total', { ...labels, code: '5xx' })).toBe(0);
    expect(text.match(/route="none"/g)).toHaveLength(3);
  });

  test('follow a new table', async () => {
    const source = tableSource(['search']);
    const metrics = createMetrics(source);
    await scrape(metrics);
    source.routes = ['cart'];
    source.cells = new Float64Array(cellCount(1));
    const text = await scrape(metrics);
    expect(text).not.toContain('search');
    expect(value(text, 'crossfade_evidence_log10', { route: 'cart' })).toBe(0);
  });
});

test('metrics of the replica', async () => {
  const source = tableSource([], {
    connections: () => [{ listener: '0.0.0.0:8080', protocol: 'http1', value: 12 }],
    endpoints: () => [
      { backend: 'search-old', state: 'healthy', value: 2 },
      { backend: 'search-old', state: 'unhealthy', value: 0 },
    ],
    storeUp: () => false,
    revision: () => 41,
    stateAgeSeconds: () => 2.5,
  });
  const metrics = createMetrics(source);
  for (let round = 0; round < 2; round++) {
    const text = await scrape(metrics);
    expect(value(text, 'crossfade_connections', { listener: '0.0.0.0:8080', protocol: 'http1' })).toBe(12);
    expect(value(text, 'crossfade_endpoints', { backend: 'search-old', state: 'healthy' })).toBe(2);
    expect(value(text, 'crossfade_endpoints', { backend: 'search-old', state: 'unhealthy' })).toBe(0);
    expect(value(text, 'crossfade_store_up')).toBe(0);
    expect(value(text, 'crossfade_state_revision')).toBe(41);
    expect(value(text, 'crossfade_state_age_seconds')).toBe(2.5);
    expect(value(text, 'crossfade_build_info', { version: '0.1.0', node: process.version })).toBe(1);
    expect(value(text, 'process_start_time_seconds')).toBeGreaterThan(0);
    // Its distribution would only tell the pace at which it is looked at.
    expect(text).toMatch(/^nodejs_eventloop_lag_seconds /m);
    expect(text).not.toMatch(/^nodejs_eventloop_lag_(?!seconds)/m);
  }
});

describe('promtool check metrics', () => {
  test('has nothing to say about a table with every cell in use', async () => {
    const source = tableSource(['search', 'a "quoted"\\route\nwith a second line', 'none'], {
      weightsPpm: () => [1_000_000, 0, 1],
      connections: () => [{ listener: '[::]:8080', protocol: 'http1', value: 1 }],
      endpoints: () => [{ backend: 'b', state: 'healthy', value: 1 }],
    });
    source.cells.fill(3);
    const metrics = createMetrics(source);
    expect(metrics.contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(check(await scrape(metrics))).toBe('exit 0');
  });

  test('has nothing to say before the first request, without routes, and of overlapping scrapes', async () => {
    expect(check(await scrape(createMetrics(tableSource(['search']))))).toBe('exit 0');
    expect(check(await scrape(createMetrics(tableSource([]))))).toBe('exit 0');
    const many = createMetrics(tableSource(Array.from({ length: 500 }, (_, i) => `route-${i}`)));
    const texts = await Promise.all([scrape(many), scrape(many), scrape(many)]);
    for (const text of texts) expect(check(text)).toBe('exit 0');
    const ours = texts.map((text) => text.split('\n').filter((line) => line.startsWith('crossfade_')));
    expect(ours[1]).toEqual(ours[0]);
    expect(ours[2]).toEqual(ours[0]);
  });

  test('has something to say about text that is wrong', () => {
    expect(check('# TYPE x_total gauge\nx_total 1\n')).not.toBe('exit 0');
  });
});

test('no label value can break out of its quotes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.string({ unit: 'binary' }), { maxLength: 4 }), async (routes) => {
      const text = await scrape(createMetrics(tableSource(routes)));
      const samples = text.split('\n').filter((line) => line.startsWith('crossfade_evidence_log10{'));
      expect(samples).toHaveLength(routes.length);
      for (const line of samples) expect(line).toMatch(/^\w+\{route="(?:[^"\\]|\\[\\"n])*"\} 0$/s);
    }),
    { numRuns: 50 },
  );
});

test('a scrape of many routes lets other work run in between', async () => {
  const metrics = createMetrics(tableSource(Array.from({ length: 2_000 }, (_, i) => `route-${i}`)));
  let turns = 0;
  let done = false;
  const turn = () => {
    turns++;
    if (!done) setImmediate(turn);
  };
  setImmediate(turn);
  const text = await scrape(metrics);
  done = true;
  expect(text.split('\n').length).toBeGreaterThan(100_000);
  expect(turns).toBeGreaterThan(30);
});
