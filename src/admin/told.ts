/**
 * What listeners were told last, by place in the order of the configuration, and what differs from that now: of five hundred routes most are
 * as they were a second ago.
 */

export class Told<T> {
  readonly #isSame: (one: T, other: T) => boolean;
  #values: readonly T[] = [];

  constructor(isSame: (one: T, other: T) => boolean) {
    this.#isSame = isSame;
  }

  get count(): number {
    return this.#values.length;
  }

  /** @param values in place of those before, never changed afterwards @returns those that differ, with their places */
  take(values: readonly T[]): [place: number, value: T][] {
    const before = this.#values;
    this.#values = values;
    const changed: [place: number, value: T][] = [];
    for (let place = 0; place < values.length; place++) {
      const value = values[place] as T;
      if (place >= before.length || !this.#isSame(before[place] as T, value)) changed.push([place, value]);
    }
    return changed;
  }

  all(): [place: number, value: T][] {
    return this.#values.map((value, place) => [place, value]);
  }

  forget(): void {
    this.#values = [];
  }
}
