// @ts-check
import { markdownTable, thousands } from './markdown.mjs';
import { median, spread } from './quantities.mjs';

/** From this many bytes a response on, bytes for each CPU second are of interest. */
const LONG_RESPONSE = 100_000;

/**
 * @typedef {import('./types.ts').VariantResult} Variant
 * @typedef {import('./types.ts').Round} Round
 */

/** @param {Round} round */
const cpuUs = (round) => round.userUs + round.systemUs;

/**
 * Shows a median over the rounds; a dash when there is no process whose CPU it could be.
 * @param {(round: Round) => number} pick
 * @param {(value: number) => string} show
 * @returns {(variant: Variant) => string}
 */
function ofProcess(pick, show) {
  return ({ rounds }) => (median(rounds.map(cpuUs)) === 0 ? '–' : show(median(rounds.map(pick))));
}

/** @param {number} us */
const micros = (us) => us.toFixed(us < 100 ? 2 : 0);

/** @param {Variant} variant */
function cpu(variant) {
  const part = (/** @type {(round: Round) => number} */ pick) => micros(median(variant.rounds.map(pick)));
  return ofProcess(cpuUs, (us) => `**${micros(us)}** (${part((r) => r.userUs)} + ${part((r) => r.systemUs)})`)(variant);
}

/**
 * Median over the rounds of the quotient within a round: what moved the whole machine moved both.
 * @param {Variant | undefined} baseline
 * @returns {(variant: Variant) => string}
 */
function ratioTo(baseline) {
  return (variant) => {
    const quotients = variant.rounds.flatMap((round, i) => {
      const other = baseline?.rounds[i];
      return other === undefined || cpuUs(other) === 0 || cpuUs(round) === 0 ? [] : [cpuUs(round) / cpuUs(other)];
    });
    return quotients.length === 0 ? '–' : `${median(quotients).toFixed(2)}x`;
  };
}

/** @param {Variant} variant */
function spreadOf(variant) {
  const share = spread(variant.rounds.map(cpuUs));
  return ofProcess(
    () => share * 100,
    (percent) => `±${percent.toFixed(1)} %`,
  )(variant);
}

/** @param {Variant} variant */
function failed({ rounds, latency }) {
  return [...rounds, ...latency].reduce((sum, run) => sum + run.failed, 0);
}

/**
 * What each target of a cell costs.
 * @param {import('./types.ts').CellResult} cell
 */
export function costTable({ baselines, variants }) {
  const measured = variants.filter(({ rounds }) => rounds.length > 0);
  const bulk = measured.some(({ rounds }) => rounds.some((r) => r.bytesPerCpuSecond * cpuUs(r) > LONG_RESPONSE * 1e6));
  const bytes = ofProcess(
    (round) => round.bytesPerCpuSecond / 1e6,
    (megabytes) => megabytes.toFixed(0),
  );
  return markdownTable(
    [
      { title: 'target', of: ({ label }) => label },
      { title: 'version', of: ({ version }) => version || '–' },
      { title: 'failed', of: failed },
      { title: 'CPU us/request (user + system)', of: cpu },
      { title: 'spread', of: spreadOf },
      ...baselines.map((label) => ({
        title: `to ${label}`,
        of: ratioTo(variants.find((other) => other.label === label)),
      })),
      { title: 'requests/s', of: ({ rounds }) => thousands(median(rounds.map(({ rate }) => rate))) },
      {
        title: 'core busy',
        of: ofProcess(
          (round) => round.busy * 100,
          (percent) => `${percent.toFixed(0)} %`,
        ),
      },
      ...(bulk ? [{ title: 'MB per CPU second', of: bytes }] : []),
      { title: 'peak memory', of: ({ peakRss }) => (peakRss === 0 ? '–' : `${(peakRss / 2 ** 20).toFixed(0)} MiB`) },
    ],
    measured,
  );
}
