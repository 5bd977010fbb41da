import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

/** By its first line that names the class, and its column there. */
function placeOf(name: string, lines: readonly string[]): { readonly line: number; readonly column: number } {
  const line = lines.findIndex((text) => new RegExp(`\\bclass ${name}\\b|\\b${name} = class\\b`).test(text));
  return { line, column: lines[line]?.search(/\bclass\b/) ?? -1 };
}

test.each([
  ['dist/main.js', 'StateKeeper', 'src/control/state-keeper.ts'],
  ['dist/proxy/worker.js', 'Exchange', 'src/proxy/exchange.ts'],
])('a stack trace in %s can be told by the lines that were written: %s in %s', (bundle, name, source) => {
  const path = join(ROOT, bundle);
  const code = readFileSync(path, 'utf8');
  expect(code.trimEnd()).toMatch(new RegExp(`\n//# sourceMappingURL=${basename(bundle)}\\.map$`));
  const map = new SourceMap(JSON.parse(readFileSync(`${path}.map`, 'utf8')));
  const { line, column } = placeOf(name, code.split('\n'));
  const found = map.findEntry(line, column);
  if (!('originalSource' in found)) throw new Error(`nothing is known of line ${line} of ${bundle}`);
  expect(join(path, '..', found.originalSource)).toBe(join(ROOT, source));
  expect(found.originalLine).toBe(placeOf(name, readFileSync(join(ROOT, source), 'utf8').split('\n')).line);
});
