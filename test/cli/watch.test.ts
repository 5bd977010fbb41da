import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Ramp, Route, Status } from '../../src/cli/api.ts';
import { painted, unpainted } from '../../src/cli/paint.ts';
import { Rates } from '../../src/cli/rates.ts';
import { treeOf } from '../../src/cli/watch-tree.ts';
import { FakeControl } from '../admin/fake-control.ts';
import { type Admin, startAdmin } from '../admin/harness.ts';
import { run } from './harness.ts';

const MAIN = new URL('../../dist/cli/main.js', import.meta.url).pathname;

const side = (backend: string, requests: number, faults: number, endpoints = ['10.0.0.7:80']) => {
  return { backend, requests, faults, endpoints };
};

const route = (name: string, more: Partial<Route> = {}): Route => ({
  name,
  weight: 0,
  revision: 1,
  state: 'steady',
  reason: 'first start',
  frozen: false,
  old: side('helios', 9120, 2),
  new: side('kubernetes', 1011, 0),
  evidence: { verdict: 'healthy', reason: 'new 0 of 1,011 failed' },
  ramp: null,
  applied: { replicas: 1, of: 1, ms: 9 },
  ...more,
});

const status: Status = {
  version: '0.1.0',
  fleet: 'default',
  revision: 42,
  stateAgeMs: 40,
  store: { kind: 'redis', up: true, reason: null },
  ready: true,
  notReady: null,
  workers: [{ ready: true }],
  applied: { replicas: 6, of: 6, ms: 9 },
  replicas: [],
  alarm: null,
};

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);
const ramp: Ramp = {
  template: 'careful',
  step: 2,
  of: 3,
  since: NOW - 60_000,
  steps: [
    { weight: 1, hold: 60_000, gate: null },
    { weight: 10, hold: 240_000, gate: { newRequests: 1000 } },
    { weight: 100, hold: 0, gate: null },
  ],
  next: { weight: 100, at: NOW + 180_000 },
  newRequests: 700,
  waiting: null,
};

const tree = (routes: readonly Route[], rows = 1000, seen: Partial<Status> = {}, columns = 1000): string[] =>
  treeOf({ status: { ...status, ...seen }, routes, rates: new Map(), now: NOW }, { rows, columns }).map(unpainted);

describe('the tree', () => {
  test('a ramp: its steps, how far the hold is, when the next is due', () => {
    expect(tree([route('search', { state: 'ramping', weight: 10, ramp })])).toEqual([
      'fleet default   revision 42   ✔ 6/6 applied   ✔ store redis',
      '▶ search  [███░░░░░░░░░░░░░░░░░░░░░░░░░░░] 10% new   ramping',
      '  ├─ old helios                 2 of 9,120 failed   1 endpoint',
      '  ├─ new kubernetes             0 of 1,011 failed   1 endpoint',
      '  ├─ healthy: new 0 of 1,011 failed',
      '  ├─ ramp careful: step 2 of 3, then 100% in 3m',
      '  │  ✔       1%      1m  healthy',
      '  │  ▶      10%      4m  healthy, 1,000 new requests   [█████░░░░░░░░░░░░░░░] 25%',
      '  │        100%      0s  healthy',
      '  └─ first start',
    ]);
  });

  test('what needs somebody comes first and whole; what does not fit is counted', () => {
    const routes = [
      ...Array.from({ length: 500 }, (_, i) => route(`calm-${i}`)),
      route('broken', { state: 'rolledBack' }),
      route('waiting', { state: 'held', ramp: { ...ramp, waiting: { for: 'verdict', reason: 'too few requests' } } }),
    ];
    const lines = tree(routes, 40);
    expect(lines).toHaveLength(40);
    expect(lines[1]).toContain('✖ broken');
    expect(lines.slice(2).find((line) => /^\S/.test(line))).toContain('◌ waiting');
    expect(lines.join('\n')).toContain('⚠ waits for verdict: too few requests');
    expect(lines.filter((line) => line.includes('calm-')).length).toBeGreaterThan(15);
    expect(lines.at(-1)).toMatch(/^… and 4\d\d more routes/);
  });

  test('what is wrong is on top', () => {
    const lines = tree([], 40, {
      alarm: 'one\ntwo',
      ready: false,
      notReady: 'no state',
      store: { kind: 'redis', up: false, reason: 'refused' },
      applied: { replicas: 5, of: 6, ms: null },
    });
    expect(lines).toEqual([
      'fleet default   revision 42   ⚠ 6 replicas when last seen   ✖ store DOWN: refused',
      '✖ NOT READY: no state',
      '⚠ ALARM: one',
      '⚠ ALARM: two',
    ]);
  });

  test('regression: an alarm and a reason that are longer than a narrow terminal were cut', () => {
    const reason =
      'new 31 of 204 failed, old 2 of 9,120: worse than tolerated at a level of 0.001 since the last raise';
    const evidence = { verdict: 'breach', reason };
    const alarm = 'the store contradicts what is served: revision 40 there, 42 here; see crossfade adopt';
    const lines = tree([route('search', { evidence, reason })], 40, { alarm }, 60);
    expect(lines.slice(1, 3)).toEqual([
      '⚠ ALARM: the store contradicts what is served: revision 40',
      '  there, 42 here; see crossfade adopt',
    ]);
    expect(lines.slice(6, 8)).toEqual([
      '  ├─ breach: new 31 of 204 failed, old 2 of 9,120: worse',
      '  │    than tolerated at a level of 0.001 since the last',
    ]);
    const words = lines.join(' ').replaceAll(/[│├└─\s]+/g, ' ');
    expect(words).toContain(`breach: ${reason}`);
    expect(words.split(reason)).toHaveLength(3);
  });

  test('a word that is longer than a line keeps its line to itself', () => {
    const alarm = `see ${'x'.repeat(30)} now`;
    expect(tree([], 40, { alarm }, 20).slice(1)).toEqual(['⚠ ALARM: see', `  ${'x'.repeat(30)}`, '  now']);
  });

  test('a weight that is not nothing is not drawn as nothing, and a name cannot act on the terminal', () => {
    expect(tree([route('a', { weight: 0.01 })])[1]).toContain('[█░');
    expect(tree([route('a', { weight: 99.99 })])[1]).toContain('█░]');
    expect(tree([route('a', { reason: '\u001b[2J' })]).join('')).not.toContain('\u001b');
  });
});

test('rates are those of the last looks; a replica started anew begins at 0', () => {
  const rates = new Rates(5_000);
  expect(rates.add([route('a')], 0)).toEqual(new Map());
  const later = route('a', { old: side('helios', 9220, 4) });
  expect(rates.add([later], 2_000).get('a')).toEqual({
    old: { requests: 50, faults: 1 },
    new: { requests: 0, faults: 0 },
  });
  expect(rates.add([later], 7_000).get('a')?.old).toEqual({ requests: 0, faults: 0 });
  expect(rates.add([route('a', { old: side('helios', 3, 0) })], 8_000).get('a')?.old.requests).toBe(0);
});

test('a line is cut by what is seen of it, not by its colours', () => {
  const line = [{ text: 'abc', tone: 'bad' }, 'defg'] as const;
  expect(painted(line, 5, true)).toBe('\u001b[31mabc\u001b[0mde');
  expect(painted(line, 2, false)).toBe('ab');
});

describe('on what it is told', () => {
  let admin: Admin;
  beforeEach(async () => {
    admin = await startAdmin(new FakeControl('search', 'cart'));
  });
  afterEach(() => admin.close());

  test('without a terminal a line for each change, not for each look', async () => {
    const { code, out, err } = await run(['watch', '--times', '3'], { CROSSFADE_ADMIN: admin.url });
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out.split('\n').map((line) => line.replace(/^\S+ {2}/, ''))).toEqual([
      'search  0% new  steady  rev 1  inconclusive',
      'cart  0% new  steady  rev 2  inconclusive',
    ]);
  });

  /** `script` gives it a terminal of 100 columns. */
  async function onTerminal(more: Readonly<Record<string, string>>): Promise<string> {
    const command = `stty cols 100 rows 30; exec '${process.execPath}' '${MAIN}' watch --times 3`;
    const { NO_COLOR: _, ...inherited } = process.env;
    const env = { ...inherited, TERM: 'xterm', CROSSFADE_ADMIN: admin.url, ...more };
    const { stdout } = await promisify(execFile)('script', ['-qec', command, '/dev/null'], { env });
    // ESC made visible.
    return stdout.replaceAll('\u001b', '^');
  }

  test('on a terminal it draws over what it drew, in colour unless NO_COLOR is set', async () => {
    const drawn = await onTerminal({});
    expect(drawn.match(/● /g)).toHaveLength(6);
    const up = /\^\[(\d+)A/g;
    const lines = drawn.slice(0, drawn.search(up)).split('\n').length - 1;
    expect([...drawn.matchAll(up)].map((match) => Number(match[1]))).toEqual([lines, lines]);
    expect(drawn).toContain('^[32m✔ 1/1 applied^[0m');
    const plain = await onTerminal({ NO_COLOR: '1' });
    expect(plain).toContain('✔ 1/1 applied');
    expect(plain).not.toMatch(/\^\[\d*m/);
  });
});
