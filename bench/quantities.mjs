// @ts-check
const UNITS = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
]);

/**
 * Milliseconds of `250ms`, `5s` or `2m`; a bare number is seconds.
 * @param {string} text
 */
export function duration(text) {
  const [, number, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(text) ?? [];
  if (number === undefined) throw new Error(`no duration: ${text} (say 250ms, 5s or 2m)`);
  return Number(number) * (UNITS.get(unit) ?? 1000);
}

/**
 * Microseconds as milliseconds, for people.
 * @param {number | null} microseconds
 */
export function milliseconds(microseconds) {
  if (microseconds === null || Number.isNaN(microseconds)) return '–';
  return (microseconds / 1000).toFixed(microseconds < 10_000 ? 2 : 1);
}

/** @param {number[]} values not empty */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/**
 * Half the distance between the smallest and the largest value, as a share of the median.
 * @param {number[]} values not empty
 */
export function spread(values) {
  return (Math.max(...values) - Math.min(...values)) / 2 / median(values);
}
