/** Whether the new side looks worse than the old one, on the numbers of the last seconds. The judge decides by evidence; this only draws the eye. */
import type { StatsRow } from '../control/control.ts';

/** The judge's tolerance of latency: a quarter longer, and in any case 25 ms. */
const SLOW_FACTOR = 1.25;
const SLOW_SLACK_MS = 25;
/** And of faults: a tenth of a percent. */
const FAULT_SLACK = 0.001;
/** Fewer than these prove nothing. */
const FEW_FAULTS = 3;
const FEW_REQUESTS = 20;
/** And a hundredth of fewer than these is one slow answer. */
const FEW_FOR_P99 = 300;

export interface Comparison {
  readonly errors: boolean;
  readonly p50: boolean;
  readonly p99: boolean;
}

export function isNewWorse(row: StatsRow): Comparison {
  const [oldRequests, oldFaults, oldP50, oldP99, , newRequests, newFaults, newP50, newP99] = row;
  const oldRate = oldRequests === 0 ? 0 : oldFaults / oldRequests;
  const newRate = newRequests === 0 ? 0 : newFaults / newRequests;
  const fewest = Math.min(oldRequests, newRequests);
  return {
    errors: newFaults >= FEW_FAULTS && newRate > 2 * oldRate + FAULT_SLACK,
    p50: fewest >= FEW_REQUESTS && isSlower(oldP50, newP50),
    p99: fewest >= FEW_FOR_P99 && isSlower(oldP99, newP99),
  };
}

function isSlower(old: number | null, fresh: number | null): boolean {
  return old !== null && fresh !== null && fresh > Math.max(SLOW_FACTOR * old, old + SLOW_SLACK_MS);
}
