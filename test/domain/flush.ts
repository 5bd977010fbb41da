/** What tests of the evidence begin with: settings of a short test of faults alone, and counts in the order of a backtest's columns. */
import type { EraCounts } from '../../src/domain/e-process.ts';
import type { TestSettings } from '../../src/domain/evidence.ts';

export const FAULTS_ONLY: TestSettings = {
  alpha: 0.001,
  rho: 1,
  delta: 0.001,
  horizonBuckets: 1000,
  streams: 'fault',
  ceiling: null,
};

export const flush = (
  weightPpm: number,
  oldOk: number,
  oldFault: number,
  newOk: number,
  newFault: number,
): EraCounts => ({
  weightPpm,
  oldOk,
  oldFault,
  newOk,
  newFault,
});
