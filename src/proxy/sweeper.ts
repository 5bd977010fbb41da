/** Who has deadlines, looked at by one beat. Those that have none for a while rest: ten thousand idle connections cost as little as none. */
import { NOWHERE, Roster } from './roster.ts';

/** Looked at every SWEEP_MS, so that no request needs a timer. Whoever must not be that much late asks for a look of its own (due-soon.ts). */
export interface Sweepable {
  /** @param nowMs the runtime's clock */
  sweep(nowMs: number): void;
}

/** Looked at until it is taken off. */
export interface Watched extends Sweepable {
  /** The sweeper's own, NOWHERE at first. */
  sweepPlace: number;
}

/** May be left alone for a while. */
export interface Resting extends Watched {
  /** The sweeper's own: where it rests, or AWAKE. */
  restSlot: number;
}

type Looked<W extends Watched> = Roster<'sweepPlace', W>;

export const SWEEP_MS = 100;
export const AWAKE = -1;
/** Looked at without a pause. A thousand requests that wait take a millisecond and more, for which nothing else would go on. */
const SLICE = 64;

export class Sweeper {
  readonly #clock: () => number;
  readonly #awake: Looked<Watched> = new Roster('sweepPlace');
  /** By the number of the beat that wakes them, counted from the clock's 0. */
  readonly #resting = new Map<number, Looked<Resting>>();
  #slot = Number.NEGATIVE_INFINITY;
  /** Of those awake, how many the sweep under way has still to come by. */
  #left = 0;

  /** @param clock milliseconds that only ever rise */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  watch(watched: Watched): void {
    this.#awake.add(watched);
  }

  unwatch(watched: Watched | Resting): void {
    if ('restSlot' in watched && watched.restSlot !== AWAKE) this.#leave(watched);
    else this.#awake.remove(watched);
  }

  /** Not looked at before then, unless it is woken. @param untilMs infinite: only then */
  rest(resting: Resting, untilMs: number): void {
    const slot = Math.max(Math.ceil(untilMs / SWEEP_MS), this.#slot + 1);
    this.unwatch(resting);
    resting.restSlot = slot;
    let others = this.#resting.get(slot);
    if (others === undefined) {
      others = new Roster('sweepPlace');
      this.#resting.set(slot, others);
    }
    others.add(resting);
  }

  wake(resting: Resting): void {
    this.#leave(resting);
    this.#awake.add(resting);
  }

  #leave(resting: Resting): void {
    const { restSlot } = resting;
    resting.restSlot = AWAKE;
    const others = this.#resting.get(restSlot);
    others?.remove(resting);
    if (others?.size === 0) this.#resting.delete(restSlot);
  }

  /** What they rest by has changed. */
  wakeAll(): void {
    for (const slot of this.#resting.keys()) this.#wakeSlot(slot);
  }

  #wakeSlot(slot: number): void {
    const due = this.#resting.get(slot);
    if (due === undefined) return;
    this.#resting.delete(slot);
    due.forEach((resting) => {
      resting.restSlot = AWAKE;
      resting.sweepPlace = NOWHERE;
      this.#awake.add(resting);
    });
  }

  /** Looks at all that are awake, slice by slice, with a turn of the event loop between two. */
  sweep(): void {
    const nowMs = this.#clock();
    const slot = Math.floor(nowMs / SWEEP_MS);
    // A clock that jumped is no reason to count all beats that it left out.
    if (slot - this.#slot > this.#resting.size) {
      for (const due of this.#resting.keys()) if (due <= slot) this.#wakeSlot(due);
    } else {
      for (let due = this.#slot + 1; due <= slot; due++) this.#wakeSlot(due);
    }
    this.#slot = slot;
    const isUnderWay = this.#left > 0;
    // Turns take so long that the sweep before is not over. Begun anew without its rest, sweeps might never come to those that have been here longest.
    if (isUnderWay) this.#look(this.#left);
    this.#left = this.#awake.size;
    if (!isUnderWay) this.#goOn();
  }

  readonly #goOn = (): void => {
    this.#look(SLICE);
    if (this.#left > 0) setImmediate(this.#goOn);
  };

  /** @param most at so many */
  #look(most: number): void {
    const nowMs = this.#clock();
    this.#left = this.#awake.visit(this.#left, most, (watched) => watched.sweep(nowMs));
  }
}
