/** What is told of many values of which few change. */
import { expect, test } from 'vitest';
import { Told } from '../../src/admin/told.ts';

interface Value {
  readonly name: string;
  readonly side: { readonly requests: number; readonly ailing: readonly { readonly reason: string }[] };
  readonly ramp: { readonly step: number } | null;
}

const value = (name: string, requests = 0, reasons: readonly string[] = [], step?: number): Value => ({
  name,
  side: { requests, ailing: reasons.map((reason) => ({ reason })) },
  ramp: step === undefined ? null : { step },
});
const told = () => new Told<Value>(({ name }, place) => `${place} ${name}`, { side: ['requests'] });

test('of values that differ only in what is left apart nothing is told', () => {
  const values = told();
  expect(values.take([value('a'), value('b')])).toEqual(['0 a', '1 b']);
  expect(values.take([value('a', 9), value('b', 9)])).toEqual([]);
  expect(values.all()).toEqual(['0 a', '1 b']);
});

test.each([
  ['another name', value('c')],
  ['one more in a list', value('b', 0, ['refused'])],
  ['something where there was nothing', value('b', 0, [], 1)],
])('%s is told, with its place', (_, other) => {
  const values = told();
  values.take([value('a'), value('b')]);
  expect(values.take([value('a'), other])).toEqual([`1 ${other.name}`]);
});

test.each([
  ['deep in a list', value('a', 0, ['hung'], 2)],
  ['a member less in a list', value('a', 0, [], 2)],
  ['a number', value('a', 0, ['refused'], 3)],
  ['nothing where there was something', value('a', 0, ['refused'])],
])('what changes within is told: %s', (_, other) => {
  const values = told();
  values.take([value('a', 0, ['refused'], 2)]);
  expect(values.take([other])).toEqual(['0 a']);
  expect(values.take([other])).toEqual([]);
});

test('what is no more is forgotten, and all is told again after that', () => {
  const values = told();
  values.take([value('a'), value('b')]);
  expect(values.take([value('a')])).toEqual([]);
  expect(values.count).toBe(1);
  expect(values.take([value('a'), value('b')])).toEqual(['1 b']);
  values.forget();
  expect(values.take([value('a'), value('b')])).toEqual(['0 a', '1 b']);
});
