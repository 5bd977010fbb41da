/** Requests of one route, dealt to two sides that fail at given rates, into a replay. */

import { Replay, type ReplaySettings } from '../../src/domain/replay.ts';
import { PPM } from '../../src/domain/route.ts';
import type { Dice } from './dice.ts';

/** As the research page simulated: 1,000 requests a bucket, 20,000 old requests of history. */
export const REQUESTS_A_BUCKET = 1000;
const HISTORY = 20_000;
const BUCKET_MS = 1000;

export interface Rates {
  readonly weight: number;
  readonly old: number;
  readonly new: number;
}

export class Traffic {
  readonly replay: Replay;
  readonly #dice: Dice;
  readonly #flush = { weightPpm: 0, oldOk: 0, oldFault: 0, newOk: 0, newFault: 0 };
  /** Requests of the open bucket; the history's bucket is over. */
  #inBucket = REQUESTS_A_BUCKET;
  #tMs = 0;
  #hasFired = false;

  /** @param oldRate of the history */
  constructor(settings: Omit<ReplaySettings, 'bucketMs'>, dice: Dice, oldRate: number) {
    this.replay = new Replay({ ...settings, bucketMs: BUCKET_MS }, 0);
    this.#dice = dice;
    this.#flush.oldFault = dice.binomial(HISTORY, oldRate);
    this.#flush.oldOk = HISTORY - this.#flush.oldFault;
    this.#tell();
  }

  /** One response at a time, each followed by the verdict. @returns whether it fired, after at most so many requests */
  send(requests: number, { weight, old, new: fresh }: Rates): boolean {
    const flush = this.#flush;
    flush.weightPpm = weight * PPM;
    for (let sent = 0; sent < requests && !this.#hasFired; sent++) {
      if (this.#inBucket === REQUESTS_A_BUCKET) this.#nextBucket();
      this.#inBucket += 1;
      const isNew = this.#dice.uniform() < weight;
      const isFault = this.#dice.uniform() < (isNew ? fresh : old);
      if (isNew) flush[isFault ? 'newFault' : 'newOk'] = 1;
      else flush[isFault ? 'oldFault' : 'oldOk'] = 1;
      this.#tell();
    }
    return this.#hasFired;
  }

  /**
   * The same requests, but the verdict is asked at each fault of either side, at the end of each bucket and of this call only: evidence peaks
   * there, and where faults are rare it is a hundred times as fast.
   */
  sendQuickly(requests: number, rates: Rates): boolean {
    this.#flush.weightPpm = rates.weight * PPM;
    for (let left = requests; left > 0 && !this.#hasFired; ) {
      if (this.#inBucket === REQUESTS_A_BUCKET) this.#nextBucket();
      const part = Math.min(left, REQUESTS_A_BUCKET - this.#inBucket);
      this.#sendWithinBucket(part, rates);
      left -= part;
    }
    return this.#hasFired;
  }

  #sendWithinBucket(requests: number, { weight, old, new: fresh }: Rates): void {
    const flush = this.#flush;
    const faults = weight * fresh + (1 - weight) * old;
    const newOfFaults = (weight * fresh) / faults;
    const newOfOks = (weight * (1 - fresh)) / (1 - faults);
    for (let left = requests; left > 0 && !this.#hasFired; ) {
      const oks = Math.min(left, this.#dice.failuresBefore(faults));
      const newOks = this.#dice.binomial(oks, newOfOks);
      flush.newOk = newOks;
      flush.oldOk = oks - newOks;
      if (oks < left) flush[this.#dice.uniform() < newOfFaults ? 'newFault' : 'oldFault'] = 1;
      left -= oks + 1;
      this.#tell();
    }
    this.#inBucket += requests;
  }

  #nextBucket(): void {
    this.#inBucket = 0;
    this.#tMs += BUCKET_MS;
  }

  #tell(): void {
    const flush = this.#flush;
    this.#hasFired = this.replay.add(this.#tMs, flush);
    flush.oldOk = flush.oldFault = flush.newOk = flush.newFault = 0;
  }
}
