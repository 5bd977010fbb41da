/** A day and a week in the console, from a real Prometheus: what nobody was there to count is a gap, not nothing. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freePort } from '../store/redis/servers.ts';
import { Replica, yamlOf } from '../supervisor/replica.ts';
import { until } from '../supervisor/until.ts';
import { openBrowser, Platforms, picture } from './scene.ts';

const run = promisify(execFile);
const HOUR = 3_600;
/** Hours ago in which nothing was scraped. */
const GAP = { from: 16, to: 8 };

let folder: string;
let prometheus: ChildProcess | undefined;
let replica: Replica;
let platforms: Platforms;
let browser: Browser;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'crossfade-long-'));
  platforms = new Platforms();
  replica = new Replica();
  browser = await openBrowser();
}, 60_000);
afterEach(async () => {
  await browser.close();
  await replica.dispose();
  platforms.stop();
  if (prometheus !== undefined) {
    const gone = new Promise((resolve) => prometheus?.once('exit', resolve));
    prometheus.kill('SIGKILL');
    await gone;
  }
  rmSync(folder, { recursive: true });
}, 60_000);

/** A week of a route that had 10 requests a second on old and 2 on new, in OpenMetrics' text. */
function week(now: number): string {
  const day = now - 25 * HOUR;
  const at = [
    ...Array.from({ length: Math.ceil((7 * 24 - 25) * 6) }, (_, i) => now - 7 * 24 * HOUR + i * 600),
    ...Array.from({ length: 25 * 60 }, (_, i) => day + i * 60),
  ].filter((second) => second < now - GAP.from * HOUR || second > now - GAP.to * HOUR);
  const since = (second: number) => second - (now - 8 * 24 * HOUR);
  const rows: string[] = [];
  const family = (
    name: string,
    type: string,
    series: readonly [labels: string, value: (second: number) => number][],
  ) => {
    rows.push(`# TYPE ${name.replace(/_total$|_bucket$/, '')} ${type}`);
    for (const [labels, value] of series) {
      const all = `job="crossfade",instance="px-1",route="demo"${labels}`;
      for (const second of at) rows.push(`${name}{${all}} ${value(second)} ${second}`);
    }
  };
  const sides = [
    ['old', 10],
    ['new', 2],
  ] as const;
  family('crossfade_route_weight_ratio', 'gauge', [['', () => 0.2]]);
  family(
    'crossfade_requests_total',
    'counter',
    sides.map(([side, rate]) => [`,side="${side}",protocol="http1",code="2xx"`, (second) => rate * since(second)]),
  );
  family(
    'crossfade_upstream_attempts_total',
    'counter',
    sides.map(([side, rate]) => [`,side="${side}",outcome="ok"`, (second) => rate * since(second)]),
  );
  family(
    'crossfade_request_duration_seconds_bucket',
    'unknown',
    sides.flatMap(([side, rate]) =>
      ['0.1', '+Inf'].map((le) => [`,side="${side}",le="${le}"`, (second: number) => rate * since(second)] as const),
    ) as [string, (second: number) => number][],
  );
  return `${rows.join('\n')}\n# EOF\n`;
}

async function startPrometheus(address: string): Promise<void> {
  const data = join(folder, 'data');
  writeFileSync(join(folder, 'week.om'), week(Math.floor(Date.now() / 60_000) * 60));
  await run('promtool', ['tsdb', 'create-blocks-from', 'openmetrics', join(folder, 'week.om'), data]);
  writeFileSync(join(folder, 'prometheus.yml'), 'global: {}\n');
  const args = [
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${data}`,
    `--web.listen-address=${address}`,
  ];
  prometheus = spawn('prometheus', args, { stdio: 'ignore' });
  await until('Prometheus', () =>
    fetch(`http://${address}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
}

/** Of each chart, the columns (in parts of its width) in which something has the colour of old or of new. */
function paintedParts(page: Page): Promise<number[][]> {
  return page.evaluate(() => {
    const style = getComputedStyle(document.documentElement);
    const probe = document.createElement('canvas').getContext('2d') as CanvasRenderingContext2D;
    const colors = ['--old', '--new'].map((name) => {
      probe.fillStyle = style.getPropertyValue(name).trim();
      probe.fillRect(0, 0, 1, 1);
      return Array.from(probe.getImageData(0, 0, 1, 1).data.slice(0, 3));
    });
    const near = (data: Uint8ClampedArray, at: number) =>
      colors.some((color) => color.every((value, i) => Math.abs(value - (data[at + i] ?? 0)) < 24));
    return [...document.querySelectorAll<HTMLCanvasElement>('.chart canvas')].map((canvas) => {
      const over = canvas.parentElement?.querySelector<HTMLElement>('.u-over');
      const scale = canvas.width / canvas.clientWidth;
      const left = Math.round((over?.offsetLeft ?? 0) * scale);
      const width = Math.round((over?.clientWidth ?? 0) * scale);
      const { data } = (canvas.getContext('2d') as CanvasRenderingContext2D).getImageData(
        left,
        0,
        width,
        canvas.height,
      );
      const parts: number[] = [];
      for (let x = 0; x < width; x++) {
        for (let y = 0; y < canvas.height; y++) {
          if (!near(data, 4 * (y * width + x))) continue;
          parts.push(x / width);
          break;
        }
      }
      return parts;
    });
  });
}

test('24 h and 7 d are drawn, with gaps where nothing was scraped', async () => {
  const backends = await platforms.start();
  const address = `127.0.0.1:${await freePort()}`;
  const yaml = yamlOf(backends, { workers: 1 });
  replica.configure(
    yaml.replace(
      'admin: { address: "127.0.0.1:0" }',
      `admin: { address: "127.0.0.1:0", prometheus: { url: "http://${address}" } }`,
    ),
  );
  await replica.start();
  await startPrometheus(address);
  const page = await browser.newPage({ viewport: { width: 1600, height: 1000 }, colorScheme: 'dark' });
  await page.goto(replica.admin);
  await page.locator('.row .name button', { hasText: 'demo' }).click();
  for (const [label, hours] of [
    ['24 h', 24],
    ['7 d', 168],
  ] as const) {
    await page.locator('.ranges button', { hasText: label }).click();
    await page.getByText('All replicas together, by Prometheus').waitFor();
    const begins = 1 - GAP.from / hours;
    const ends = 1 - GAP.to / hours;
    // The axis ends at the last half hour, a value is a mean over the half hour before it, and a line has a width:
    // together up to 65 minutes by which an edge can lie later than it was.
    const soft = 2 / hours;
    await until(`lines on both sides of the gap in ${label}`, async () => {
      const charts = await paintedParts(page);
      const drawn = charts.filter(
        (parts) => parts.some((x) => x < begins - soft) && parts.some((x) => x > ends + soft),
      );
      return charts.length === 4 && drawn.length === 4;
    });
    const inGap = (await paintedParts(page)).map((parts) => parts.filter((x) => x > begins + soft && x < ends - soft));
    expect(inGap).toEqual([[], [], [], []]);
    expect(await page.locator('.charts').innerText()).toMatch(/Requests a second\s+old 10, new 2\.0/);
    await picture(page, `range-${label.replace(' ', '')}`);
  }
}, 120_000);
