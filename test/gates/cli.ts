/**
 * `npm run backtest:gates`: the long form of the gates, beside the figures of the research page. Exit code 1 when one is not met.
 * `-- --runs 20000 --requests 1000000 --seed 1 --only alarms,speed,late`
 */
import { parseArgs } from 'node:util';
import { falseAlarms, KINDS, upperBound } from './false-alarms.ts';
import { CELLS, type Cell, CLEAN_REQUESTS, informationLimit, LATE_CELLS, mostOfLimit, speedOf } from './speed.ts';

const ALPHA = 0.001;

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '20000' },
    requests: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: 'alarms,speed,late' },
  },
});
const [runs, requests, seed] = [Number(values.runs), Number(values.requests), Number(values.seed)];

function alarmsGate(): boolean {
  console.log(`False alarms: alpha ${ALPHA}, delta 0, ${count(requests)} requests a run, new exactly as bad as old`);
  const names = Object.keys(KINDS);
  const each = Math.ceil(runs / names.length);
  let hits = 0;
  for (const name of names) {
    const ofKind = falseAlarms(name, each, requests, ALPHA, seed);
    hits += ofKind;
    console.log(`  ${name.padEnd(10)} ${ofKind} of ${count(each)}`);
  }
  const all = each * names.length;
  const bound = upperBound(hits, all);
  const share = ((hits / all) * 100).toFixed(3);
  const isMet = bound <= ALPHA;
  console.log(
    `  pooled     ${hits} of ${count(all)}: ${share} %, upper 95 % bound ${(bound * 100).toFixed(3)} %; ${said(isMet)}`,
  );
  console.log('  research   14 of 63,000: 0.022 %');
  return isMet;
}

function speedGate(): boolean {
  console.log('Speed: requests to rollback, fault at the start; old 0.1 %, alpha 0.001, delta 0');
  console.log('  new fails  weight     mean      p95  new faults  x limit  may be  research  ours/research');
  return all(CELLS, (cell) => {
    const { mean, p95, newFaults } = speedOf(cell, cell.newRate <= 0.01 ? 500 : 2000, 0, seed);
    const ofLimit = mean / informationLimit(cell);
    const isMet = ofLimit <= mostOfLimit(cell);
    const limit = `${ofLimit.toFixed(2).padStart(7)}  ${mostOfLimit(cell).toFixed(1).padStart(6)}`;
    console.log(
      `${place(cell, mean, p95)}  ${newFaults.toFixed(1).padStart(10)}  ${limit}  ${research(cell, mean)}  ${said(isMet)}`,
    );
    return isMet;
  });
}

function lateGate(): boolean {
  console.log(`Late: the same after ${count(CLEAN_REQUESTS)} clean requests; within 10 % of the research page`);
  console.log('  new fails  weight     mean      p95  +- s.e.  too soon  research  ours/research');
  return all(LATE_CELLS, (cell) => {
    const { mean, p95, standardError, tooSoon } = speedOf(cell, 2000, CLEAN_REQUESTS, seed);
    const isMet = Math.abs(mean / cell.research - 1) <= 0.1;
    const error = `${((standardError / mean) * 100).toFixed(1)} %`.padStart(7);
    console.log(
      `${place(cell, mean, p95)}  ${error}  ${String(tooSoon).padStart(8)}  ${research(cell, mean)}  ${said(isMet)}`,
    );
    return isMet;
  });
}

function all(cells: readonly Cell[], check: (cell: Cell) => boolean): boolean {
  return cells.map(check).every((isMet) => isMet);
}

function place({ newRate, weight }: Cell, mean: number, p95: number): string {
  const [rate, share] = [`${newRate * 100} %`, `${weight * 100} %`];
  return `  ${rate.padStart(9)}  ${share.padStart(6)}  ${count(mean).padStart(7)}  ${count(p95).padStart(7)}`;
}

function research(cell: Cell, mean: number): string {
  return `${count(cell.research).padStart(8)}  ${(mean / cell.research).toFixed(2).padStart(13)}`;
}

function count(value: number): string {
  return (value < 100 ? Math.round(value * 10) / 10 : Math.round(value)).toLocaleString('en-US');
}

function said(isMet: boolean): string {
  return isMet ? 'met' : 'NOT MET';
}

const gates = { alarms: alarmsGate, speed: speedGate, late: lateGate };
let isMet = true;
for (const [name, gate] of Object.entries(gates)) {
  if (values.only.split(',').includes(name)) isMet = gate() && isMet;
}
process.exitCode = isMet ? 0 : 1;
