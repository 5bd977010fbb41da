/** The table of a head's fields grows with the heads that come, up to its limit and no further. */
import { expect, test } from 'vitest';
import { Http1Fields } from '../../src/http1/fields.ts';
import { HOST_FIELD } from '../../src/http1/known.ts';
import { fieldLines } from '../../src/http1/serialize.ts';

const LIMIT = 100;

function linesOf(count: number): string {
  const others = Array.from({ length: Math.max(0, count - 1) }, (_, i) => `x-${i}: value ${i}\r\n`);
  return count === 0 ? '' : [...others, 'Host: shop.example\r\n'].join('');
}

function scan(fields: Http1Fields, lines: string): ReturnType<Http1Fields['scan']> {
  const bytes = Buffer.from(`${lines}\r\n`, 'latin1');
  fields.text = bytes.toString('latin1');
  return fields.scan(bytes, 0, bytes.length, 0);
}

test('heads of any number of fields up to the limit are read whole, one after the other', () => {
  const fields = new Http1Fields(LIMIT);
  for (const count of [0, 1, 15, 16, 17, 3, 31, 32, 33, 64, 65, 2, LIMIT, 0, LIMIT - 1]) {
    const lines = linesOf(count);
    expect(scan(fields, lines)).toBeNull();
    expect(fields.count).toBe(count);
    expect(fieldLines(fields, 0, null)).toBe(lines);
    for (let i = 0; i < count - 1; i++) expect([fields.name(i), fields.value(i)]).toEqual([`x-${i}`, `value ${i}`]);
    expect(fields.has(HOST_FIELD)).toBe(count > 0);
    if (count > 0) expect(fields.known(HOST_FIELD)).toBe('shop.example');
  }
});

test.each([1, 5, 16, 17, LIMIT])('a limit of %i holds, whatever came before', (limit) => {
  const fields = new Http1Fields(limit);
  expect(scan(fields, linesOf(limit + 1))).toBe('tooMany');
  expect(scan(fields, linesOf(limit))).toBeNull();
  expect(scan(fields, linesOf(limit + 1))).toBe('tooMany');
  expect(scan(fields, linesOf(1))).toBeNull();
  expect(fields.value(0)).toBe('shop.example');
});
