import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readPins, writePins } from '../../src/store/pins-file.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'crossfade-pins-'));
  file = join(folder, 'deep/last.json.rollbacks');
});
afterEach(() => rmSync(folder, { recursive: true }));

const PIN = { routes: ['a', 'b'], actor: 'ann', reason: 'too slow \u2603', at: 5 };

test('what was written is read, and without a file there is nothing', async () => {
  expect(await readPins(file)).toEqual([]);
  await writePins(file, [PIN, { ...PIN, routes: ['c'] }]);
  expect(await readPins(file)).toEqual([PIN, { ...PIN, routes: ['c'] }]);
  await writePins(file, []);
  expect(await readPins(file)).toEqual([]);
  expect(readdirSync(join(folder, 'deep'))).toEqual([]);
});

test.each([
  '',
  '[',
  '{}',
  '[1]',
  '[null]',
  '[{"routes":"a","actor":"","reason":"","at":1}]',
  JSON.stringify([PIN]).slice(0, -3),
])('%j is refused', async (text) => {
  await writePins(file, [PIN]);
  writeFileSync(file, text);
  await expect(readPins(file)).rejects.toThrow();
});
