/** A fast seeded source of chance (sfc32, Doty-Humphrey, PractRand): the same seed gives the same run on every machine. */
export class Dice {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number, stream = 0) {
    this.#a = seed | 0;
    this.#b = stream | 0;
    this.#c = 0x2545f491;
    for (let i = 0; i < 20; i++) this.#word();
  }

  #word(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** Uniform, strictly between 0 and 1. */
  uniform(): number {
    return (this.#word() + 0.5) / 0x1_0000_0000;
  }

  /** How many trials fail before the first that succeeds. */
  failuresBefore(probability: number): number {
    return probability > 0 ? Math.floor(Math.log(this.uniform()) / Math.log1p(-probability)) : Number.POSITIVE_INFINITY;
  }

  /** Successes among `trials`; exact. */
  binomial(trials: number, probability: number): number {
    if (probability > 0.5) return trials - this.binomial(trials, 1 - probability);
    if (trials * probability >= 10) return this.#rejection(trials, probability);
    let successes = 0;
    for (let left = trials - this.failuresBefore(probability) - 1; left >= 0; successes++) {
      left -= this.failuresBefore(probability) + 1;
    }
    return successes;
  }

  /** Hörmann, The generation of binomial random variates (1993), algorithm BTRS. */
  #rejection(n: number, p: number): number {
    const deviation = Math.sqrt(n * p * (1 - p));
    const b = 1.15 + 2.53 * deviation;
    const a = -0.0873 + 0.0248 * b + 0.01 * p;
    const alpha = (2.83 + 5.1 / b) * deviation;
    const m = Math.floor((n + 1) * p);
    const odds = p / (1 - p);
    for (;;) {
      const u = this.uniform() - 0.5;
      const v = this.uniform();
      const us = 0.5 - Math.abs(u);
      const k = Math.floor(((2 * a) / us + b) * u + n * p + 0.5);
      if (us >= 0.07 && v <= 0.92 - 4.2 / b) return k;
      if (k < 0 || k > n) continue;
      const upper =
        (m + 0.5) * Math.log((m + 1) / (odds * (n - m + 1))) +
        (n + 1) * Math.log((n - m + 1) / (n - k + 1)) +
        (k + 0.5) * Math.log((odds * (n - k + 1)) / (k + 1)) +
        stirlingRest(m) +
        stirlingRest(n - m) -
        stirlingRest(k) -
        stirlingRest(n - k);
      if (Math.log((v * alpha) / (a / (us * us) + b)) <= upper) return k;
    }
  }
}

const RESTS = [
  0.0810614667953272, 0.0413406959554092, 0.0276779256849983, 0.020790672103765, 0.0166446911898211, 0.0138761288230707,
  0.0118967099458917, 0.010411265261972, 0.0092554621827127, 0.0083305634333631,
];

/** What Stirling's formula for ln k! leaves. */
function stirlingRest(k: number): number {
  if (k < RESTS.length) return RESTS[k] as number;
  const square = (k + 1) * (k + 1);
  return (1 / 12 - (1 / 360 - 1 / 1260 / square) / square) / (k + 1);
}
