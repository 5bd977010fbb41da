/**
 * What a worker tallies of one route for the judge. Responses are let go in the order in which their requests were drawn, whichever side
 * they went to, so that a side that answers sooner is not seen sooner: each waits until those before it are known. Nobody waits longer than
 * OVERDUE_MS. A request that is not over by then counts as well so far; what it proves in the end is counted beside it.
 * (Research page, section 2(a), precondition 4.)
 */
import { KeySample } from '../domain/key-sample.ts';
import { LATENCY_BINS, latencyBin } from '../domain/latency-sketch.ts';
import { OUTCOME_CANCELLED, OUTCOME_FAULT, OUTCOME_OK, type OutcomeIndex } from '../domain/outcome.ts';
import { NEW, OLD, type SideIndex } from '../domain/route.ts';
import { LATE_BIT, NO_KEY, sightingCode } from '../domain/sighting.ts';
import {
  AT_LATE_CLIENT_ERROR,
  AT_LATE_FAULT,
  AT_LATE_SLOW,
  AT_SLOW,
  AT_TIMED,
  TALLY_CELLS,
  TALLY_SIDE_CELLS,
} from '../domain/tally.ts';

/** Looked at by the sweep, which adds up to its own interval: nobody waits half a second. */
const OVERDUE_MS = 400;
/** Eras whose counts are kept apart; what was drawn in an older one is left out. */
const ERAS = 8;
const FIRST_DRAWS = 64;
/** Requests whose order is kept; beyond, the oldest is taken for overdue. */
const MOST_DRAWS = 65_536;
const SLOWS = 3;
const ALL_SLOW = (1 << SLOWS) - 1;
const PENDING = 1 << 7;
const SLOW_SHIFT = 2;
const TIMED = 1 << 5;
/** Connections that could not be made, one after the other, until somebody should look. */
const SUSPICIOUS = 3;

/** The windows of the two families that keys are counted in, each with what was seen in it. */
interface Windows {
  readonly seen: readonly [KeySample, KeySample];
  numbers: readonly number[];
}

interface Sighting {
  readonly era: number;
  /** Of the key, or NO_KEY. */
  readonly hash: number;
  readonly code: number;
}

/** What was tallied since it was asked before, as rows of the lengths in domain/tally.ts. */
export interface TallyRows {
  readonly tallies: number[];
  readonly latencies: number[];
  readonly sightings: number[];
}

export class RouteTally {
  /** A fault of new has been let go, or connections cannot be made: the supervisor should know now. */
  readonly #onUrgent: () => void;
  readonly #eras = new Float64Array(ERAS);
  readonly #cells = new Uint32Array(ERAS * TALLY_CELLS);
  readonly #dirty = new Uint8Array(ERAS);
  /** Counts the eras; the last one's place is its remainder. */
  #serial = -1;
  #era = -1;
  // By draw: a ring.
  #starts = new Float64Array(FIRST_DRAWS);
  #owners = new Int32Array(FIRST_DRAWS);
  #codes = new Uint8Array(FIRST_DRAWS);
  #hashes: Float64Array | null = null;
  #head = 0;
  #tail = 0;
  readonly #latencies = new Uint32Array(LATENCY_BINS);
  #hasLatencies = false;
  readonly #bounds = new Float64Array(2 * SLOWS);
  #isTimed = false;
  /** First draw since bounds are known: of those before nothing is said in the slow streams, so that none is half in them. */
  #timedFrom = 0;
  #failedConnects = 0;
  #isSuspect = false;
  readonly #windows: Windows | null;
  #sightings: Sighting[] = [];
  #hasNews = false;
  #isPressing = false;
  /** Draws that were counted when they were overdue, and whose keys were new. */
  readonly #overdueKeys = new Map<number, number>();

  constructor(isSticky: boolean, onUrgent: () => void) {
    this.#onUrgent = onUrgent;
    this.#windows = isSticky ? { seen: [new KeySample(), new KeySample()], numbers: [] } : null;
    if (isSticky) this.#hashes = new Float64Array(FIRST_DRAWS);
  }

  /** Milliseconds, by side, in the order of SLOW_KINDS; null: they are not known. */
  setBounds(bounds: { readonly old: readonly number[]; readonly new: readonly number[] } | null): void {
    if (bounds !== null && !this.#isTimed) this.#timedFrom = this.#tail;
    this.#isTimed = bounds !== null;
    if (bounds !== null) this.#bounds.set([...bounds.old, ...bounds.new]);
  }

  /** Numbers of the windows that are open now. */
  setWindows(numbers: readonly number[]): void {
    const windows = this.#windows;
    if (windows === null) return;
    for (const [i, seen] of windows.seen.entries()) if (numbers[i] !== windows.numbers[i]) seen.clear();
    windows.numbers = numbers;
  }

  /** A request is judged from now on. @returns its number @param hash of a sticky route's key, or NO_KEY */
  draw(era: number, nowMs: number, side: SideIndex, hash: number): number {
    if (era !== this.#era) this.#openEra(era);
    if (this.#tail - this.#head === this.#codes.length) this.#makeRoom(nowMs);
    const draw = this.#tail++;
    const at = draw & (this.#codes.length - 1);
    this.#starts[at] = nowMs;
    this.#owners[at] = this.#serial * 2 + side;
    this.#codes[at] = PENDING;
    if (this.#hashes !== null) this.#hashes[at] = hash;
    return draw;
  }

  /** Of the draws that are made now; to be given back with what they prove. */
  ownerOf(side: SideIndex): number {
    return this.#serial * 2 + side;
  }

  /** How many of the bounds a latency is above, as bits. @param latencyMs NaN: it has none */
  slowBits(side: number, latencyMs: number): number {
    if (!this.#isTimed) return 0;
    const at = side * SLOWS;
    let bits = 0;
    for (let i = 0; i < SLOWS; i++) if (latencyMs > (this.#bounds[at + i] as number)) bits |= 1 << i;
    return bits;
  }

  /** It is not over yet and above more bounds than before. @param bits those that are new */
  slowSoFar(draw: number, owner: number, bits: number): void {
    if (!this.#timed(draw)) return;
    if (draw >= this.#head) {
      const at = draw & (this.#codes.length - 1);
      this.#codes[at] = (this.#codes[at] as number) | (bits << SLOW_SHIFT);
    } else this.#late(draw, owner, OUTCOME_CANCELLED, bits);
  }

  /**
   * The first attempt is over.
   * @param told bounds that `slowSoFar` was told of
   * @param latencyMs NaN: there was no answer
   */
  decide(draw: number, owner: number, outcome: OutcomeIndex, told: number, latencyMs: number, nowMs: number): void {
    const side = owner & 1;
    // An old side that does not answer is not quick: who fails where the other is only slow must not make it look slow.
    const isUnanswered = side === OLD && outcome === OUTCOME_FAULT && Number.isNaN(latencyMs);
    const isTimed = this.#timed(draw);
    const slow = isTimed ? (isUnanswered ? ALL_SLOW : this.slowBits(side, latencyMs)) | told : 0;
    if (side === OLD && outcome !== OUTCOME_CANCELLED && latencyMs >= 0) this.#time(latencyMs);
    if (draw < this.#head) {
      this.#late(draw, owner, outcome, slow & ~told);
      this.#overdueKeys.delete(draw);
      return;
    }
    const at = draw & (this.#codes.length - 1);
    this.#codes[at] = outcome | (slow << SLOW_SHIFT) | (isTimed ? TIMED : 0);
    if (draw === this.#head) this.#letGo(nowMs);
  }

  #timed(draw: number): boolean {
    return this.#isTimed && draw >= this.#timedFrom;
  }

  /** A connection to the new side could not be made, or an answer of it came. */
  connected(side: SideIndex, isMade: boolean): void {
    if (side !== NEW) return;
    if (isMade) this.#failedConnects = 0;
    else if (++this.#failedConnects % SUSPICIOUS === 0) {
      this.#isSuspect = true;
      this.#onUrgent();
    }
  }

  /** Each SWEEP_MS. */
  sweep(nowMs: number): void {
    if (this.#head < this.#tail) this.#letGo(nowMs);
  }

  /** Whether anything was tallied since it was taken. */
  get hasNews(): boolean {
    return this.#hasNews || this.#isSuspect;
  }

  /** Whether a fault is among it, or what speaks against new: the rest says nothing by itself. */
  get isPressing(): boolean {
    return this.#isPressing || this.#isSuspect;
  }

  /** Adds the rows of what has been tallied since the last call. */
  takeInto(route: number, rows: TallyRows): void {
    this.#hasNews = false;
    this.#isPressing = false;
    for (let slot = 0; slot < ERAS; slot++) if (this.#dirty[slot] === 1) this.#takeEra(route, slot, rows.tallies);
    if (this.#hasLatencies) this.#takeLatencies(route, rows.latencies);
    for (const { era, hash, code } of this.#sightings) rows.sightings.push(route, era, hash, code);
    this.#sightings = [];
  }

  /** Whether somebody should look if the new side takes connections; asked once. */
  takeSuspicion(): boolean {
    const isSuspect = this.#isSuspect;
    this.#isSuspect = false;
    return isSuspect;
  }

  #takeEra(route: number, slot: number, rows: number[]): void {
    this.#dirty[slot] = 0;
    rows.push(route, this.#eras[slot] as number);
    const end = (slot + 1) * TALLY_CELLS;
    for (let cell = slot * TALLY_CELLS; cell < end; cell++) {
      rows.push(this.#cells[cell] as number);
      this.#cells[cell] = 0;
    }
  }

  #takeLatencies(route: number, latencies: number[]): void {
    this.#hasLatencies = false;
    for (let bin = 0; bin < LATENCY_BINS; bin++) {
      const count = this.#latencies[bin] as number;
      if (count === 0) continue;
      latencies.push(route, bin, count);
      this.#latencies[bin] = 0;
    }
  }

  #time(latencyMs: number): void {
    const bin = latencyBin(latencyMs);
    this.#latencies[bin] = (this.#latencies[bin] as number) + 1;
    this.#hasLatencies = this.#hasNews = true;
  }

  /** What was counted in the era whose place is taken is lost unless it has been sent: that takes eight changes of weight in a beat. */
  #openEra(era: number): void {
    this.#era = era;
    this.#serial += 1;
    const slot = this.#serial % ERAS;
    this.#eras[slot] = era;
    this.#dirty[slot] = 0;
    this.#cells.fill(0, slot * TALLY_CELLS, (slot + 1) * TALLY_CELLS);
  }

  #makeRoom(nowMs: number): void {
    const size = this.#codes.length;
    if (size >= MOST_DRAWS) {
      this.#starts[this.#head & (size - 1)] = Number.NEGATIVE_INFINITY;
      this.#letGo(nowMs);
      return;
    }
    const [starts, owners, codes, hashes] = [this.#starts, this.#owners, this.#codes, this.#hashes];
    this.#starts = new Float64Array(size * 2);
    this.#owners = new Int32Array(size * 2);
    this.#codes = new Uint8Array(size * 2);
    this.#hashes = hashes && new Float64Array(size * 2);
    for (let draw = this.#head; draw < this.#tail; draw++) {
      const from = draw & (size - 1);
      const to = draw & (size * 2 - 1);
      this.#starts[to] = starts[from] as number;
      this.#owners[to] = owners[from] as number;
      this.#codes[to] = codes[from] as number;
      if (this.#hashes !== null && hashes !== null) this.#hashes[to] = hashes[from] as number;
    }
  }

  /** All from the oldest on that are known or overdue. */
  #letGo(nowMs: number): void {
    const mask = this.#codes.length - 1;
    while (this.#head < this.#tail) {
      const at = this.#head & mask;
      const code = this.#codes[at] as number;
      const isOverdue = (code & PENDING) !== 0;
      if (isOverdue && nowMs - (this.#starts[at] as number) < OVERDUE_MS) return;
      const slow = (code >> SLOW_SHIFT) & 7;
      const outcome = isOverdue ? OUTCOME_OK : ((code & 3) as OutcomeIndex);
      const isTimed = isOverdue ? this.#timed(this.#head) : (code & TIMED) !== 0;
      const owner = this.#owners[at] as number;
      this.#count(owner, outcome, slow, isTimed);
      if (this.#hashes !== null) this.#sight(this.#head, owner, outcome, slow, isTimed, isOverdue);
      this.#head++;
    }
  }

  /** It was counted when it was overdue. @param slow bits that were not */
  #late(draw: number, owner: number, outcome: OutcomeIndex, slow: number): void {
    const proves = outcome === OUTCOME_OK ? OUTCOME_CANCELLED : outcome;
    if (proves === OUTCOME_CANCELLED && slow === 0) return;
    this.#count(owner, proves, slow, false, true);
    const hash = this.#overdueKeys.get(draw);
    const code = sightingCode((owner & 1) as SideIndex, proves, slow, false);
    if (hash !== undefined) this.#tell(owner, hash, code | LATE_BIT);
  }

  /** One that was cancelled counts only where it was slow before. */
  #count(owner: number, outcome: OutcomeIndex, slow: number, isTimed: boolean, isLate = false): void {
    const serial = owner >> 1;
    if (this.#serial - serial >= ERAS) return;
    if (outcome === OUTCOME_CANCELLED && slow === 0) return;
    const slot = serial % ERAS;
    const base = slot * TALLY_CELLS + (owner & 1) * TALLY_SIDE_CELLS;
    this.#dirty[slot] = 1;
    this.#hasNews = true;
    if (outcome !== OUTCOME_CANCELLED) this.#add(base + (isLate ? lateCell(outcome) : outcome));
    if (isTimed) this.#add(base + AT_TIMED);
    const firstSlow = base + (isLate ? AT_LATE_SLOW : AT_SLOW);
    for (let i = 0; slow >> i > 0; i++) if (((slow >> i) & 1) === 1) this.#add(firstSlow + i);
    const speaksAgainstNew = (owner & 1) === NEW && (slow > 0 || outcome !== OUTCOME_OK);
    if (outcome === OUTCOME_FAULT || speaksAgainstNew) this.#isPressing = true;
    // What fails on old can only speak for new, and that can wait for the beat.
    if (outcome === OUTCOME_FAULT && (owner & 1) === NEW) this.#onUrgent();
  }

  #add(cell: number): void {
    this.#cells[cell] = (this.#cells[cell] as number) + 1;
  }

  /** A key is told of once a window; one that was cancelled has not answered. */
  #sight(draw: number, owner: number, outcome: OutcomeIndex, slow: number, isTimed: boolean, isOverdue: boolean): void {
    if (outcome === OUTCOME_CANCELLED) return;
    const hash = (this.#hashes as Float64Array)[draw & (this.#codes.length - 1)] as number;
    if (hash !== NO_KEY && !this.#isNew(hash)) return;
    if (isOverdue) this.#overdueKeys.set(draw, hash);
    this.#tell(owner, hash, sightingCode((owner & 1) as SideIndex, outcome, slow, isTimed));
  }

  #tell(owner: number, hash: number, code: number): void {
    const serial = owner >> 1;
    if (this.#serial - serial >= ERAS) return;
    this.#sightings.push({ era: this.#eras[serial % ERAS] as number, hash, code });
    this.#hasNews = true;
  }

  /** In any of the families: who keeps the counts looks for itself in which. */
  #isNew(hash: number): boolean {
    const [short, long] = (this.#windows as Windows).seen;
    const isNew = short.add(hash);
    return long.add(hash) || isNew;
  }
}

function lateCell(outcome: OutcomeIndex): number {
  return outcome === OUTCOME_FAULT ? AT_LATE_FAULT : AT_LATE_CLIENT_ERROR;
}
