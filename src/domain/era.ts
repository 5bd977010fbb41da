/** A span of one weight in one test of a route: counts are tagged with the era that they were drawn in. */
import { PPM } from './route.ts';

export interface Era {
  /** Of the test (state.ts); 0 when the route was never above 0. */
  readonly testSince: number;
  readonly weightPpm: number;
}

/** Fits a number that is exact until the year 2255; a later test has a higher one. */
export function eraOf(testSince: number, weightPpm: number): number {
  return testSince * (PPM + 1) + weightPpm;
}

export function readEra(era: number): Era {
  const weightPpm = era % (PPM + 1);
  return { testSince: (era - weightPpm) / (PPM + 1), weightPpm };
}
