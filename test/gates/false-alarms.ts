/** How often a new side that fails just as often as the old one is taken back. */
import { Dice } from './dice.ts';
import { Traffic } from './traffic.ts';

/** Rates change this often. */
const STRETCH = 100;
const RAMP = [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9];

/** Both sides fail at `rate`, which is on the line that a healthy side may not cross when rho is 1 and delta 0. */
interface Moment {
  readonly weight: number;
  readonly rate: number;
}

/** What a run does at a share of its length, in [0, 1). */
type Course = (progress: number) => Moment;

/** The four kinds of the gate; each run of a kind is one of its variants. */
export const KINDS: Readonly<Record<string, (dice: Dice, run: number) => Course>> = {
  constant: (_, run) => {
    const [weight, rate] = [
      [0.1, 0.001],
      [0.01, 0.0001],
      [0.5, 0.05],
    ][run % 3] as [number, number];
    return () => ({ weight, rate });
  },
  bursts: (dice, run) => {
    const weight = [0.1, 0.5, 0.9][run % 3] as number;
    const rate = burstsOf(dice);
    return () => ({ weight, rate: rate() });
  },
  drift: (dice, run) => {
    const weight = [0.1, 0.5][(run >> 1) % 2] as number;
    const phase = dice.uniform();
    return run % 2 === 0
      ? (progress) => ({ weight, rate: 0.001 * (1 + 20 * progress) })
      : (progress) => ({ weight, rate: 0.002 * (1 + 0.9 * Math.sin(2 * Math.PI * (5 * progress + phase))) });
  },
  ramp: (dice, run) => {
    const rate = run % 2 === 0 ? () => 0.001 : burstsOf(dice);
    return (progress) => ({ weight: RAMP[Math.floor(progress * RAMP.length)] as number, rate: rate() });
  },
};

/** 0.1 percent, and at times, together on both sides, up to 50 percent for up to 5,000 requests. */
function burstsOf(dice: Dice): () => number {
  let left = 0;
  let height = 0;
  return () => {
    if (left > 0) left -= 1;
    else if (dice.uniform() < 0.002) {
      left = Math.ceil(50 * dice.uniform());
      height = 0.5 * dice.uniform();
    }
    return left > 0 ? height : 0.001;
  };
}

/** @returns how many of the runs were taken back */
export function falseAlarms(kind: string, runs: number, requests: number, alpha: number, seed: number): number {
  const courseOf = KINDS[kind] as (typeof KINDS)[string];
  let hits = 0;
  for (let run = 0; run < runs; run++) {
    const dice = new Dice(seed, run);
    const course = courseOf(dice, run);
    const traffic = new Traffic({ alpha, rho: 1, delta: 0, horizonBuckets: 1000 }, dice, course(0).rate);
    for (let sent = 0; sent < requests; sent += STRETCH) {
      const { weight, rate } = course(sent / requests);
      if (traffic.sendQuickly(STRETCH, { weight, old: rate, new: rate })) {
        hits += 1;
        break;
      }
    }
  }
  return hits;
}

/** The share that `hits` of `runs` leave possible: above it, so few would be seen in 5 of 100 cases (Clopper-Pearson). */
export function upperBound(hits: number, runs: number): number {
  let low = hits / runs;
  let high = 1;
  while (high - low > 1e-9) {
    const share = (low + high) / 2;
    if (chanceOfAtMost(hits, runs, share) > 0.05) low = share;
    else high = share;
  }
  return high;
}

function chanceOfAtMost(hits: number, runs: number, share: number): number {
  let term = Math.exp(runs * Math.log1p(-share));
  let sum = term;
  for (let k = 1; k <= hits; k++) {
    term *= ((runs - k + 1) / k) * (share / (1 - share));
    sum += term;
  }
  return sum;
}
