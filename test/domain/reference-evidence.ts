/** The research page's formulas, section 2(a), written down as they stand there: slowly, and without any care for speed. */

export interface ReferenceRow {
  readonly bucket: number;
  readonly weight: number;
  readonly oldOk: number;
  readonly oldFault: number;
  readonly newOk: number;
  readonly newFault: number;
}

const GAPS = [0.0005, 0.002, 0.008, 0.03, 0.12, 0.45, 0.9, 0.99];

/** Natural logarithm of the evidence M after all rows, the test beginning with the first; `history` is the old side's. Rows come in order of their buckets. */
export function referenceEvidence(
  rows: readonly ReferenceRow[],
  rho: number,
  delta: number,
  horizonBuckets: number,
  history: { requests: number; faults: number },
): number {
  let logStakes = GAPS.map(() => Math.log(0.5));
  let { requests, faults } = history;
  const first = rows[0]?.bucket ?? 0;
  const last = rows.at(-1)?.bucket ?? 0;
  for (let bucket = first; ; bucket++) {
    const u = Math.min(Math.max((faults + 0.5) / (requests + 500), 1e-5), 0.6);
    const inBucket = rows.filter((row) => row.bucket === bucket);
    const logWorths = logStakes.map((stake, k) => stake + gain(inBucket, rho, delta, u, GAPS[k] as number));
    if (bucket === last) return logSum(logWorths) - Math.log(GAPS.length);
    logStakes = logWorths.map((worth) => logSum([worth, -Math.log(2 * horizonBuckets)]));
    requests = requests * 0.95 + inBucket.reduce((sum, row) => sum + row.oldOk + row.oldFault, 0);
    faults = faults * 0.95 + inBucket.reduce((sum, row) => sum + row.oldFault, 0);
  }
}

function logSum(logs: readonly number[]): number {
  const most = Math.max(...logs);
  return most + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - most), 0));
}

function gain(rows: readonly ReferenceRow[], rho: number, delta: number, u: number, gap: number): number {
  const v = Math.min(0.995, rho * u + delta + gap);
  if (v <= rho * u + delta) return 0;
  return rows.reduce((sum, { weight: w, oldOk, oldFault, newOk, newFault }) => {
    let [low, high] = [u, (v - delta) / rho];
    for (let i = 0; i < 200; i++) {
      const u0 = (low + high) / 2;
      const v0 = rho * u0 + delta;
      const value = (w * rho * (v0 - v)) / (v0 * (1 - v0)) + ((1 - w) * (u0 - u)) / (u0 * (1 - u0));
      if (value < 0) low = u0;
      else high = u0;
    }
    const v0 = rho * low + delta;
    const ofNew = newFault * Math.log(v / v0) + newOk * Math.log((1 - v) / (1 - v0));
    return sum + ofNew + oldFault * Math.log(u / low) + oldOk * Math.log((1 - u) / (1 - low));
  }, 0);
}
