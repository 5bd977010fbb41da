/** What is told of many values of which few change. */
import { expect, test } from 'vitest';
import { Told } from '../../src/admin/told.ts';

interface Value {
  readonly name: string;
  readonly requests: number;
}

const value = (name: string, requests = 0): Value => ({ name, requests });
const told = () => new Told<Value>((one, other) => one.name === other.name);

test('of values that are the same nothing is told, and all are known as they are now', () => {
  const values = told();
  expect(values.take([value('a'), value('b')])).toEqual([
    [0, value('a')],
    [1, value('b')],
  ]);
  expect(values.take([value('a', 9), value('b', 9)])).toEqual([]);
  expect(values.all()).toEqual([
    [0, value('a', 9)],
    [1, value('b', 9)],
  ]);
});

test('what is another than before is told once, with its place', () => {
  const values = told();
  values.take([value('a'), value('b')]);
  expect(values.take([value('a'), value('c')])).toEqual([[1, value('c')]]);
  expect(values.take([value('a'), value('c')])).toEqual([]);
});

test('what is no more is forgotten, and all is told again after that', () => {
  const values = told();
  values.take([value('a'), value('b')]);
  expect(values.take([value('a')])).toEqual([]);
  expect(values.count).toBe(1);
  expect(values.take([value('a'), value('b')])).toEqual([[1, value('b')]]);
  values.forget();
  expect(values.take([value('a'), value('b')]).map(([place]) => place)).toEqual([0, 1]);
});
