import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CountsReader, type CountsRow } from '../../src/cli/counts-csv.ts';
import { type ReferenceRow, referenceEvidence } from '../domain/reference-evidence.ts';
import { run } from './harness.ts';

const HEADER = 'run,t_ms,weight_ppm,old_ok,old_fault,new_ok,new_fault';
const HISTORY = '1,0,0,19980,20,0,0';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'crossfade-backtest-'));
});
afterAll(() => rm(folder, { recursive: true }));

const csv = (...rows: string[]) => `${[HEADER, ...rows].join('\n')}\n`;

async function file(content: string): Promise<string> {
  const path = join(folder, 'counts.csv');
  await writeFile(path, content, 'latin1');
  return path;
}

async function backtest(content: string, ...flags: string[]) {
  const path = await file(content);
  const { code, out, err } = await run(['backtest', path, ...flags]);
  const lines = out === '' ? [] : out.split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
  return { code, lines, err: err.replaceAll(path, 'counts.csv'), out };
}

/** Flushes of 10 requests, one of them new and failing, 100 ms apart. */
const failing = (of: number, flushes: number) =>
  Array.from({ length: flushes }, (_, i) => `${of},${1000 + 100 * i},100000,9,0,0,1`);
const clean = (of: number, flushes: number) =>
  Array.from({ length: flushes }, (_, i) => `${of},${1000 + 100 * i},100000,9,0,1,0`);

describe('what is printed', () => {
  test('one JSON line a run, its fields in this order, with the counts up to where it fired', async () => {
    const { code, out, err } = await backtest(csv(HISTORY, ...failing(1, 50)));
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(
      /^\{"run":1,"fired":true,"tMs":\d+,"requests":\d+,"newRequests":\d+,"newFaults":\d+,"log10Evidence":\d+(\.\d+)?,"reason":"new \d+ of \d+ failed, old 0 of \d+; evidence [\d,]+ against 1,000"\}$/,
    );
    const { tMs, requests, newRequests, newFaults } = JSON.parse(out) as Record<string, number>;
    expect(newFaults).toBeLessThan(10);
    expect({ tMs, requests, newRequests }).toEqual({
      tMs: 1000 + 100 * ((newFaults as number) - 1),
      requests: 10 * (newFaults as number),
      newRequests: newFaults,
    });
  });

  test('runs one after the other, each on its own; one that never fires is counted to its end', async () => {
    const { lines } = await backtest(csv(...failing(7, 50), ...clean(3, 200), ...failing(12, 50)));
    expect(lines.map(({ run: id, fired }) => [id, fired])).toEqual([
      [7, true],
      [3, false],
      [12, true],
    ]);
    const [first, second, third] = lines;
    expect({ ...third, run: 7 }).toEqual(first);
    expect(second).toMatchObject({ tMs: 20_900, requests: 2000, newRequests: 200, newFaults: 0 });
    expect(second?.['log10Evidence']).toBeLessThan(0);
  });

  test('the evidence is the research page’s', async () => {
    const rows: ReferenceRow[] = Array.from({ length: 40 }, (_, i) => ({
      bucket: 1 + Math.floor(i / 4),
      weight: i < 20 ? 0.05 : 0.25,
      oldOk: 90 + i,
      oldFault: i % 7 === 0 ? 1 : 0,
      newOk: 5 + i,
      newFault: i % 9 === 0 ? 1 : 0,
    }));
    const lines = rows.map(({ bucket, weight, oldOk, oldFault, newOk, newFault }) =>
      [1, bucket * 500, weight * 1_000_000, oldOk, oldFault, newOk, newFault].join(','),
    );
    const flags = ['--rho', '1.5', '--delta', '.002', '--bucket-ms', '500', '--horizon-buckets', '300'];
    const { lines: told } = await backtest(csv(HISTORY, ...lines), ...flags);
    const log = referenceEvidence(rows, 1.5, 0.002, 300, { requests: 20_000, faults: 20 });
    expect(told[0]?.['log10Evidence']).toBeCloseTo(log / Math.LN10, 3);
  });

  test('flags move the line', async () => {
    const counts = csv(HISTORY, ...failing(1, 50));
    const faults = async (...flags: string[]) => (await backtest(counts, ...flags)).lines[0]?.['newFaults'] as number;
    const usual = await faults();
    expect(await faults('--alpha', '.05')).toBeLessThan(usual);
    expect(await faults('--alpha', '1e-9')).toBeGreaterThan(usual);
    expect(await faults('--delta', '.3')).toBeGreaterThan(usual);
    expect(await faults('--rho', '100')).toBeGreaterThan(usual);
    // Tests of a tenth of a second: each flush would have to do it alone.
    expect(await faults('--bucket-ms', '100', '--horizon-buckets', '1')).toBe(50);
  });

  test('the same without history, with late rows and without an end of the last line', async () => {
    const rows = failing(1, 50);
    const swapped = [rows[1], rows[0], ...rows.slice(2)] as string[];
    const { lines } = await backtest(csv(...swapped).trimEnd());
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ run: 1, fired: true });
  });

  test('a header alone holds no run', async () => {
    expect(await backtest(`${HEADER}\n`)).toMatchObject({ code: 0, lines: [], err: '' });
  });

  test('what spreadsheets write is read: a byte order mark and carriage returns', async () => {
    const plain = await backtest(csv(HISTORY, ...clean(1, 3)));
    const { out } = await backtest(`\xef\xbb\xbf${csv(HISTORY, ...clean(1, 3)).replaceAll('\n', '\r\n')}`);
    expect(out).toBe(plain.out);
  });

  test('- reads stdin', async () => {
    const cli = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
    const child = spawn(process.execPath, [cli, 'backtest', '-']);
    const exit = new Promise((resolve) => child.once('close', resolve));
    const content = csv(HISTORY, ...failing(1, 50));
    child.stdin.end(content);
    const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out.trimEnd()).toBe((await backtest(content)).out);
  });
});

describe('bad input ends with 64 and says where', () => {
  test.each([
    ['no header', `${HISTORY}\n`, `counts.csv:1: the first line must name the columns: ${HEADER}`],
    ['nothing at all', '', `counts.csv:1: the first line must name the columns: ${HEADER}`],
    [
      'columns in another order',
      `t_ms,run,weight_ppm,old_ok,old_fault,new_ok,new_fault\n${HISTORY}\n`,
      'counts.csv:1: the first line must name the columns',
    ],
    [
      'a fraction',
      csv(HISTORY, '1,1000,100000,9,0,0,1.5'),
      'counts.csv:3: new_fault: must be a whole number in plain digits, found "."',
    ],
    [
      'a word',
      csv('1,1000,ten,9,0,0,1'),
      'counts.csv:2: weight_ppm: must be a whole number in plain digits, found "t"',
    ],
    [
      'a blank',
      csv('1, 1000,100000,9,0,0,1'),
      'counts.csv:2: t_ms: must be a whole number in plain digits, found the byte 0x20',
    ],
    ['a quote', csv('"1",1000,100000,9,0,0,1'), 'counts.csv:2: run: must be a whole number in plain digits, found """'],
    [
      'less than none',
      csv('1,1000,100000,-9,0,0,1'),
      'counts.csv:2: old_ok: must be a whole number in plain digits, found "-"',
    ],
    ['a sign within', csv('1,10-00,100000,9,0,0,1'), 'counts.csv:2: t_ms: must be a whole number'],
    ['an empty field', csv('1,1000,100000,9,,0,1'), 'counts.csv:2: old_fault: is empty: write 0 for none'],
    ['a column too few', csv('1,1000,100000,9,0,0'), 'counts.csv:2: new_fault: is missing: each line has 7 columns'],
    ['a column too many', csv('1,1000,100000,9,0,0,1,4'), `counts.csv:2: more than the 7 columns ${HEADER}`],
    ['an empty line', csv(HISTORY, '', '1,1000,100000,9,0,0,1'), 'counts.csv:3: the line is empty: remove it'],
    [
      'a line cut off',
      csv('1,1000,100000,9').trimEnd(),
      'counts.csv:2: old_fault: is missing: each line has 7 columns',
    ],
    [
      'a return within a line',
      csv('1,1000,100\r000,9,0,0,1'),
      'counts.csv:2: weight_ppm: must be a whole number in plain digits, found the byte 0x0d',
    ],
    [
      'a weight in percent of too much',
      csv('1,1000,1000001,9,0,0,1'),
      'counts.csv:2: weight_ppm: must be at most 1000000 (got 1000001)',
    ],
    ['new requests at weight 0', csv('1,1000,0,9,0,0,1'), 'counts.csv:2: new_fault: weight 0 sends nothing to new'],
    [
      'old requests at weight 100',
      csv('1,1000,1000000,9,0,0,1'),
      'counts.csv:2: old_ok: weight 1000000 sends nothing to old',
    ],
    [
      'a number past exactness',
      csv('1,1000,100000,9007199254740992,0,0,1'),
      'counts.csv:2: old_ok: is above 9007199254740991',
    ],
  ])('%s', async (_, content, message) => {
    const { code, out, err } = await backtest(content);
    expect({ code, out }).toEqual({ code: 64, out: '' });
    expect(err).toContain(`crossfade: ${message}`);
    expect(err).toContain('(no run was judged)');
  });

  test('runs before it are told whole, the one that it is in not at all, and it says so', async () => {
    const { code, lines, err } = await backtest(
      csv(...failing(1, 50), ...failing(2, 50), '2,9000,x,1,1,1,1', ...clean(3, 9)),
    );
    expect(code).toBe(64);
    expect(lines.map(({ run: id }) => id)).toEqual([1]);
    expect(err).toBe(
      'crossfade: counts.csv:102: weight_ppm: must be a whole number in plain digits, found "x" (1 run judged before it)',
    );
  });

  test('a run that comes back', async () => {
    const { code, lines, err } = await backtest(csv(...clean(1, 2), ...clean(2, 2), ...clean(1, 2)));
    expect(code).toBe(64);
    expect(lines).toHaveLength(2);
    expect(err).toContain('counts.csv:6: run: 1 comes back: sort the rows by run, then t_ms');
  });

  test('a file that is not there', async () => {
    const { code, out, err } = await run(['backtest', join(folder, 'none.csv')]);
    expect({ code, out }).toEqual({ code: 64, out: '' });
    expect(err).toMatch(/none\.csv: cannot be read: ENOENT/);
  });

  test.each([
    ['--alpha', '0'],
    ['--alpha', '1'],
    ['--alpha', 'x'],
    ['--rho', '0.5'],
    ['--delta', '1'],
    ['--delta', '-1'],
    ['--bucket-ms', '0'],
    ['--horizon-buckets', '1.5'],
  ])('%s %s', async (flag, value) => {
    const { code, out, err } = await backtest(csv(HISTORY), `${flag}=${value}`);
    expect({ code, out }).toEqual({ code: 64, out: '' });
    expect(err).toContain(flag);
  });
});

test('rows are read alike however the file is cut into pieces', () => {
  const content = Buffer.from(
    csv('1,-250,0,19980,20,0,0', '1,1000,100000,9,0,0,1', '12,1100,1000000,0,0,7,8').trimEnd(),
  );
  const readIn = (size: number) => {
    const rows: CountsRow[] = [];
    const reader = new CountsReader('counts.csv', (row) => rows.push({ ...row }));
    for (let at = 0; at < content.length; at += size) reader.push(content.subarray(at, at + size));
    reader.end();
    return rows;
  };
  const whole = readIn(content.length);
  expect(whole).toEqual([
    { run: 1, tMs: -250, weightPpm: 0, oldOk: 19_980, oldFault: 20, newOk: 0, newFault: 0 },
    { run: 1, tMs: 1000, weightPpm: 100_000, oldOk: 9, oldFault: 0, newOk: 0, newFault: 1 },
    { run: 12, tMs: 1100, weightPpm: 1_000_000, oldOk: 0, oldFault: 0, newOk: 7, newFault: 8 },
  ]);
  for (let size = 1; size < content.length; size++) expect(readIn(size)).toEqual(whole);
});
