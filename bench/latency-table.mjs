// @ts-check
import { markdownTable, thousands } from './markdown.mjs';
import { median, milliseconds } from './quantities.mjs';

/**
 * @typedef {import('./types.ts').VariantResult} Variant
 * @typedef {import('./types.ts').LatencyResult} Run
 */

/**
 * @param {(run: Run) => number | null} pick microseconds
 * @returns {(variant: Variant) => string}
 */
const ms = (pick) => (variant) => milliseconds(median(variant.latency.map((run) => pick(run) ?? Number.NaN)));

/**
 * Median of the differences within a round.
 * @param {Variant | undefined} other
 * @returns {(variant: Variant) => string}
 */
function p99Less(other) {
  return ({ latency }) => {
    const differences = latency.map(
      ({ latencyUs }, i) => (latencyUs.p99 ?? Number.NaN) - (other?.latency[i]?.latencyUs.p99 ?? Number.NaN),
    );
    return milliseconds(median(differences));
  };
}

/**
 * How long each target of a cell makes its clients wait; '' when that was not measured.
 * @param {import('./types.ts').CellResult} cell
 */
export function latencyTable({ variants, highestRate }) {
  const measured = variants.filter(({ latency }) => latency.length > 0);
  if (highestRate === null || measured.length === 0) return '';
  const table = markdownTable(
    [
      { title: 'target', of: ({ label }) => label },
      { title: 'failed', of: ({ latency }) => latency.reduce((sum, run) => sum + run.failed, 0) },
      { title: 'requests/s', of: ({ latency }) => thousands(latency[0]?.rate ?? Number.NaN) },
      { title: 'p50 ms', of: ms(({ latencyUs }) => latencyUs.p50) },
      { title: 'p99 ms', of: ms(({ latencyUs }) => latencyUs.p99) },
      { title: 'p99.9 ms', of: ms(({ latencyUs }) => latencyUs.p999) },
      { title: 'p99 less HAProxy’s, ms', of: p99Less(variants.find(({ label }) => label === 'haproxy')) },
      { title: 'generator late, p99 ms', of: ms(({ lagUs }) => lagUs.p99) },
    ],
    measured,
  );
  const rate = `60 percent of the rate above, at most ${thousands(highestRate)} (what generator and origin hold with ease)`;
  return `Latency from the intended send time, open loop, at ${rate}:\n\n${table}`;
}
