/** How soon a new side that fails more often is taken back, against the information limit and the research page's figures. */
import { Dice } from './dice.ts';
import { Traffic } from './traffic.ts';

const ALPHA = 0.001;
const OLD_RATE = 0.001;
const SETTINGS = { alpha: ALPHA, rho: 1, delta: 0, horizonBuckets: 1000 };
/** No cell needs nearly as many. */
const MOST_REQUESTS = 3_000_000;

export interface Cell {
  readonly weight: number;
  readonly newRate: number;
  /** Mean requests to rollback on the research page. */
  readonly research: number;
}

const WEIGHTS = [0.01, 0.1, 0.5, 0.9, 0.99];

const row = (newRate: number, ...means: number[]): Cell[] =>
  means.map((research, i) => ({ weight: WEIGHTS[i] as number, newRate, research }));

/** A fault from the first request on. */
export const CELLS: readonly Cell[] = [
  ...row(0.01, 71_191, 8_570, 4_215, 14_072, 129_504),
  ...row(0.05, 7_548, 1_072, 578, 2_000, 18_939),
  ...row(0.5, 485, 77, 43, 146, 1_387),
  ...row(1, 204, 33, 14, 32, 222),
];

const late = (newRate: number, atTenPercent: number, atHalf: number): Cell[] => [
  { weight: 0.1, newRate, research: atTenPercent },
  { weight: 0.5, newRate, research: atHalf },
];

export const CLEAN_REQUESTS = 500_000;

/** A fault after so many clean requests. */
export const LATE_CELLS: readonly Cell[] = [
  ...late(0.01, 13_553, 6_802),
  ...late(0.05, 1_739, 944),
  ...late(0.5, 135, 76),
  ...late(1, 56, 24),
];

export interface Speed {
  readonly mean: number;
  /** Of the mean. */
  readonly standardError: number;
  readonly p95: number;
  /** Failed requests of the new side before the rollback. */
  readonly newFaults: number;
  /** Runs that were taken back while all was well; not in the figures. */
  readonly tooSoon: number;
}

/** @param clean requests at the old side's rate before the fault */
export function speedOf({ weight, newRate }: Cell, runs: number, clean: number, seed: number): Speed {
  const requests: number[] = [];
  let newFaults = 0;
  let tooSoon = 0;
  for (let run = 0; run < runs; run++) {
    const traffic = new Traffic(SETTINGS, new Dice(seed, run), OLD_RATE);
    if (traffic.sendQuickly(clean, { weight, old: OLD_RATE, new: OLD_RATE })) {
      tooSoon += 1;
      continue;
    }
    const before = traffic.replay.result().newFaults;
    if (!traffic.send(MOST_REQUESTS, { weight, old: OLD_RATE, new: newRate })) throw new Error('it never fired');
    const result = traffic.replay.result();
    requests.push(result.requests - clean);
    newFaults += result.newFaults - before;
  }
  requests.sort((a, b) => a - b);
  const mean = requests.reduce((sum, value) => sum + value, 0) / requests.length;
  const variance = requests.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (requests.length - 1);
  const standardError = Math.sqrt(variance / requests.length);
  const p95 = requests[Math.floor(requests.length * 0.95)] as number;
  return { mean, standardError, p95, newFaults: newFaults / requests.length, tooSoon };
}

/** Fewest requests that any test of this alpha needs in the mean, with delta 0: ln(1/alpha) over the divergence from the line. */
export function informationLimit({ weight, newRate }: Cell): number {
  const same = weight * newRate + (1 - weight) * OLD_RATE;
  return -Math.log(ALPHA) / (weight * divergence(newRate, same) + (1 - weight) * divergence(OLD_RATE, same));
}

/** Kullback-Leibler, of two coins. */
function divergence(p: number, q: number): number {
  return divergenceOf(p, q) + divergenceOf(1 - p, 1 - q);
}

function divergenceOf(p: number, q: number): number {
  return p === 0 ? 0 : p * Math.log(p / q);
}

/** Times the limit that the mean may be. */
export function mostOfLimit({ weight, newRate }: Cell): number {
  return weight === 0.99 && newRate === 1 ? 2 : 1.8;
}
