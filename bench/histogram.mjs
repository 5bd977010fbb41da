// @ts-check
/** Cells to each power of two. A value above 256 shares its cell with values at most 1/128 away from it. */
const CELLS = 128;
/** 2^32 - 1 microseconds are 71 minutes; anything longer counts as that. */
const LARGEST = 0xffffffff;
const SIZE = 24 * CELLS + 2 * CELLS;

/** @param {number} value integer, 0 to LARGEST */
const octaveOf = (value) => Math.max(0, 24 - Math.clz32(value));

/**
 * Log-linear histogram of latencies in whole microseconds. Values below 256 are kept exactly; a quantile of larger ones is the
 * middle of its cell, so off by at most 1/256 (0.4 percent) of itself. Memory is fixed: 26 KiB.
 */
export class Histogram {
  #cells = new Float64Array(SIZE);
  count = 0;
  sum = 0;
  min = Infinity;
  max = 0;

  /** @param {number} microseconds not negative; rounded to a whole number */
  record(microseconds) {
    const value = Math.min(LARGEST, Math.max(0, Math.round(microseconds)));
    const octave = octaveOf(value);
    const cell = octave * CELLS + Math.floor(value / 2 ** octave);
    this.#cells[cell] = (this.#cells[cell] ?? 0) + 1;
    this.count += 1;
    this.sum += value;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
  }

  /** @param {Histogram} other */
  add(other) {
    for (let i = 0; i < SIZE; i += 1) this.#cells[i] = (this.#cells[i] ?? 0) + (other.#cells[i] ?? 0);
    this.count += other.count;
    this.sum += other.sum;
    this.min = Math.min(this.min, other.min);
    this.max = Math.max(this.max, other.max);
  }

  /**
   * The value that at least this share of all values does not exceed (nearest rank); NaN when nothing was recorded.
   * @param {number} share above 0, at most 1
   */
  quantile(share) {
    if (this.count === 0) return Number.NaN;
    const rank = Math.max(1, Math.ceil(share * this.count));
    let seen = 0;
    for (let i = 0; i < SIZE; i += 1) {
      seen += this.#cells[i] ?? 0;
      if (seen >= rank) return Math.min(this.max, Math.max(this.min, middleOf(i)));
    }
    return this.max;
  }

  mean() {
    return this.sum / this.count;
  }
}

/** @param {number} cell */
function middleOf(cell) {
  const octave = Math.max(0, Math.floor(cell / CELLS) - 1);
  const width = 2 ** octave;
  return (cell - octave * CELLS) * width + (width - 1) / 2;
}
