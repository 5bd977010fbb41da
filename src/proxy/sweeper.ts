/** Who has deadlines, looked at by one beat. Those that have none for a while rest: ten thousand idle connections cost as little as none. */

/** Looked at every SWEEP_MS, so that no request needs a timer. Whoever must not be that much late asks for a look of its own (due-soon.ts). */
export interface Sweepable {
  /** @param nowMs the runtime's clock */
  sweep(nowMs: number): void;
}

/** May be left alone for a while. */
export interface Resting extends Sweepable {
  /** The sweeper's own: where it rests, or AWAKE. */
  restSlot: number;
}

export const SWEEP_MS = 100;
export const AWAKE = -1;

export class Sweeper {
  readonly #awake = new Set<Sweepable>();
  /** By the number of the beat that wakes them, counted from the clock's 0. */
  readonly #resting = new Map<number, Set<Resting>>();
  #slot = Number.NEGATIVE_INFINITY;

  watch(sweepable: Sweepable): void {
    this.#awake.add(sweepable);
  }

  unwatch(sweepable: Sweepable | Resting): void {
    this.#awake.delete(sweepable);
    if ('restSlot' in sweepable && sweepable.restSlot !== AWAKE) this.#leave(sweepable);
  }

  /** Not looked at before then, unless it is woken. @param untilMs infinite: only then */
  rest(resting: Resting, untilMs: number): void {
    const slot = Math.max(Math.ceil(untilMs / SWEEP_MS), this.#slot + 1);
    this.#awake.delete(resting);
    resting.restSlot = slot;
    const others = this.#resting.get(slot);
    if (others === undefined) this.#resting.set(slot, new Set([resting]));
    else others.add(resting);
  }

  wake(resting: Resting): void {
    this.#leave(resting);
    this.#awake.add(resting);
  }

  #leave(resting: Resting): void {
    const { restSlot } = resting;
    resting.restSlot = AWAKE;
    const others = this.#resting.get(restSlot);
    others?.delete(resting);
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
    for (const resting of due) {
      resting.restSlot = AWAKE;
      this.#awake.add(resting);
    }
  }

  sweep(nowMs: number): void {
    const slot = Math.floor(nowMs / SWEEP_MS);
    // A clock that jumped is no reason to count all beats that it left out.
    if (slot - this.#slot > this.#resting.size) {
      for (const due of this.#resting.keys()) if (due <= slot) this.#wakeSlot(due);
    } else {
      for (let due = this.#slot + 1; due <= slot; due++) this.#wakeSlot(due);
    }
    this.#slot = slot;
    for (const sweepable of this.#awake) sweepable.sweep(nowMs);
  }
}
