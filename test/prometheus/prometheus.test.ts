/** What Prometheus and Grafana are given: checked by promtool, by the dashboard linter's rules, and against a live fleet. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Platforms, startLoad } from '../console/scene.ts';
import { freePort } from '../store/redis/servers.ts';
import { Replica, yamlOf } from '../supervisor/replica.ts';
import { until } from '../supervisor/until.ts';

const run = promisify(execFile);
const FOLDER = fileURLToPath(new URL('../../config/prometheus', import.meta.url));
const DASHBOARD = fileURLToPath(new URL('../../config/grafana/dashboard.json', import.meta.url));

interface Query {
  readonly refId: string;
  readonly expr: string;
  readonly legendFormat: string;
  readonly datasource: { readonly uid: string };
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { readonly uid: string };
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly targets?: readonly Query[];
}

const dashboard = JSON.parse(readFileSync(DASHBOARD, 'utf8')) as {
  readonly uid: string;
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string; readonly query: unknown }[];
  };
  readonly annotations: { readonly list: readonly { readonly name: string; readonly expr: string }[] };
};
const panels = dashboard.panels.filter(({ type }) => type !== 'row');
const queries = panels.flatMap(({ title, targets = [] }) => targets.map((target) => ({ title, ...target })));

/** As Grafana would send it, with everything selected. */
function filled(expr: string): string {
  return expr.replaceAll(/\$(?:job|instance|route)\b/g, '.+').replaceAll(/\$__rate_interval|\$__range/g, '30s');
}

describe('promtool', () => {
  test('takes the configuration and the rules, and the rules do what their tests say', async () => {
    expect((await run('promtool', ['check', 'config', join(FOLDER, 'prometheus.yml')])).stdout).toContain('SUCCESS');
    expect((await run('promtool', ['test', 'rules', join(FOLDER, 'tests/rules.test.yml')])).stdout).toContain(
      'SUCCESS',
    );
  });
});

describe("the dashboard, by the linter's rules", () => {
  test('has variables for its data source, job, replica and route', () => {
    expect(dashboard.templating.list.map(({ name, type }) => [name, type])).toEqual([
      ['datasource', 'datasource'],
      ['job', 'query'],
      ['instance', 'query'],
      ['route', 'query'],
    ]);
    expect([dashboard.uid, dashboard.schemaVersion]).toEqual(['crossfade', 41]);
  });

  test.each(panels.map((panel) => [panel.title, panel] as const))(
    '%s says what it is, in which unit, from where',
    (title, panel) => {
      expect(title).not.toBe('');
      expect(panel.description).toMatch(/\w.*[.]$/);
      expect(panel.fieldConfig?.defaults.unit).toMatch(/\w/);
      expect(panel.datasource?.uid).toBe('${datasource}');
      expect(panel.targets?.length).toBeGreaterThan(0);
    },
  );

  test('ids are unique', () => {
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
  });

  test.each(queries.map((query) => [query.title, query] as const))(
    'the query of %s selects by job and replica, and takes its rate interval from Grafana',
    (_title, query) => {
      expect(query.datasource.uid).toBe('${datasource}');
      expect(query.legendFormat).toMatch(/\{\{\w+\}\}/);
      for (const [selector] of query.expr.matchAll(/crossfade_\w+(?:\{[^}]*\})?|process_\w+(?:\{[^}]*\})?/g)) {
        expect(selector).toContain('job=~"$job",instance=~"$instance"');
      }
      for (const [, interval] of query.expr.matchAll(/\[([^\]]+)\]/g))
        expect(interval).toMatch(/^\$__(?:rate_interval|range)$/);
      // A counter by itself tells nothing.
      if (/_total\{/.test(query.expr)) expect(query.expr).toMatch(/rate\(|increase\(/);
    },
  );

  test('marks changes of weight and rollbacks', () => {
    expect(dashboard.annotations.list.map(({ name }) => name)).toEqual(['Weight changed', 'Rolled back']);
  });
});

/** A call that its backend, which knows no gRPC, leaves without a status: that is counted, too. */
async function callGrpc(proxy: string): Promise<void> {
  await fetch(proxy, { method: 'POST', headers: { 'content-type': 'application/grpc' } }).then((answer) =>
    answer.text(),
  );
}

describe('on a Prometheus that scrapes two replicas under load', () => {
  const platforms = new Platforms();
  const replicas = [new Replica(), new Replica()];
  const folder = mkdtempSync(join(tmpdir(), 'crossfade-prometheus-'));
  let prometheus: ChildProcess;
  let url: string;
  let stopLoad: () => void;
  let calls: NodeJS.Timeout;

  beforeAll(async () => {
    const backends = await platforms.start();
    for (const replica of replicas) {
      replica.configure(yamlOf(backends));
      await replica.start();
    }
    const [first] = replicas as [Replica, Replica];
    stopLoad = startLoad(first, ['/'], 100);
    // One may be under way when the proxy ends.
    calls = setInterval(() => void callGrpc(first.proxy).catch(() => {}), 200);
    // The very file, but for the targets and a beat that a test can wait for.
    const targets = replicas.map(({ admin }) => JSON.stringify(new URL(admin).host)).join(', ');
    const yaml = readFileSync(join(FOLDER, 'prometheus.yml'), 'utf8')
      .replace('["127.0.0.1:9900"]', `[${targets}]`)
      .replaceAll(': 15s', ': 1s')
      .replace('rules.yml', join(FOLDER, 'rules.yml'));
    writeFileSync(join(folder, 'prometheus.yml'), yaml);
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const args = [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ];
    prometheus = spawn('prometheus', args, { stdio: 'ignore' });
    await until('Prometheus', () =>
      fetch(`${url}/-/ready`).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
    await first.setWeight('demo', 30);
    await until('three scrapes', async () => ((await value('max(count_over_time(crossfade_store_up[1m]))')) ?? 0) >= 3);
    await fetch(`${first.admin}/v1/routes/demo/rollback`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
  }, 60_000);
  afterAll(async () => {
    stopLoad();
    clearInterval(calls);
    const ended = new Promise((resolve) => prometheus.once('exit', resolve));
    prometheus.kill();
    await ended;
    await Promise.all(replicas.map((replica) => replica.dispose()));
    platforms.stop();
    rmSync(folder, { recursive: true });
  });

  async function results(expr: string): Promise<{ value: [number, string] }[]> {
    const response = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query: expr }).toString()}`);
    const { status, data, error } = (await response.json()) as {
      status: string;
      error?: string;
      data: { result: { value: [number, string] }[] };
    };
    if (status !== 'success') throw new Error(`${expr}: ${error}`);
    return data.result;
  }

  const value = async (expr: string): Promise<number | undefined> => {
    const [first] = await results(expr);
    return first === undefined ? undefined : Number(first.value[1]);
  };

  test.each(queries.map(({ title, refId, expr }) => [title, refId, expr] as const))(
    '%s %s has data',
    async (_title, _refId, expr) => {
      const found = await until(expr, async () => {
        const all = await results(filled(expr));
        return all.some(({ value: [, text] }) => Number.isFinite(Number(text))) ? all : undefined;
      });
      expect(found.length).toBeGreaterThan(0);
    },
  );

  test.each(dashboard.annotations.list.map(({ name, expr }) => [name, expr] as const))(
    '%s is marked at some time',
    async (_name, expr) => {
      await until(expr, async () => {
        const end = Date.now() / 1_000;
        const range = { query: filled(expr), start: String(end - 120), end: String(end), step: '5' };
        const response = await fetch(`${url}/api/v1/query_range?${new URLSearchParams(range).toString()}`);
        const { data } = (await response.json()) as { data: { result: unknown[] } };
        return data.result.length > 0;
      });
    },
  );

  test('the rules are loaded and none of them fails', async () => {
    const groups = await until('evaluated rules', async () => {
      const response = await fetch(`${url}/api/v1/rules`);
      const { data } = (await response.json()) as { data: { groups: { rules: { health: string; name: string }[] }[] } };
      const rules = data.groups.flatMap((group) => group.rules);
      return rules.every(({ health }) => health !== 'unknown') ? rules : undefined;
    });
    expect(groups.filter(({ health }) => health !== 'ok')).toEqual([]);
    expect(groups.length).toBe(17);
  });
}, 60_000);
