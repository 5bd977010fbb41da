import { expect, test, vi } from 'vitest';
import { OwnResult } from '../../src/domain/bucket-result.ts';

test('a result is put into words when they are asked for, once', () => {
  const toJSON = vi.fn(() => ({ format: 3 }));
  const result = new OwnResult({ toJSON });
  expect(toJSON).not.toHaveBeenCalled();
  expect([result.toString(), result.toString()]).toEqual(['{"format":3}', '{"format":3}']);
  expect(toJSON).toHaveBeenCalledTimes(1);
});
