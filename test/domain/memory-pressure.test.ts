import { expect, test } from 'vitest';
import { type MemoryPressure, pressureOf } from '../../src/domain/memory-pressure.ts';

const LIMIT = 1_000;

/** The states that these resident bytes lead through, all of them in use. */
function through(...resident: number[]): MemoryPressure[] {
  let pressure: MemoryPressure = 'none';
  return resident.map((bytes) => {
    pressure = pressureOf(pressure, { residentBytes: bytes, usedBytes: bytes }, LIMIT);
    return pressure;
  });
}

test('it begins at nine tenths, is critical at the limit, and ends well below where it began', () => {
  expect(through(800, 899, 900, 999, 1_000, 2_000)).toEqual(['none', 'none', 'high', 'high', 'critical', 'critical']);
  expect(through(1_000, 950, 900, 899, 850, 800, 799)).toEqual([
    'critical',
    'critical',
    'critical',
    'high',
    'high',
    'high',
    'none',
  ]);
  expect(through(900, 899, 900, 899)).toEqual(['high', 'high', 'high', 'high']);
});

test('what the allocator has kept though nothing uses it is no reason to turn anybody away', () => {
  expect(pressureOf('critical', { residentBytes: 1_200, usedBytes: 499 }, LIMIT)).toBe('none');
  expect(pressureOf('none', { residentBytes: 1_200, usedBytes: 500 }, LIMIT)).toBe('critical');
});
