/**
 * What listeners were told last, by place in the order of the configuration, and what differs from that now. Values are compared and only
 * those that differ are put into words: of five hundred routes most are as they were a second ago.
 */

/** Members that do not make a value look changed, by the member that they are of. */
export type Apart = Readonly<Record<string, readonly string[]>>;

export class Told<T extends object> {
  readonly #words: (value: T, place: number) => string;
  readonly #apart: Apart;
  #values: readonly T[] = [];

  constructor(words: (value: T, place: number) => string, apart: Apart = {}) {
    this.#words = words;
    this.#apart = apart;
  }

  get count(): number {
    return this.#values.length;
  }

  /** @param values in place of those before, never changed afterwards @returns those that differ, in words */
  take(values: readonly T[]): string[] {
    const before = this.#values;
    this.#values = values;
    return values.flatMap((value, place) => {
      const known = before[place];
      return known !== undefined && this.#isSame(known, value) ? [] : [this.#words(value, place)];
    });
  }

  all(): string[] {
    return this.#values.map(this.#words);
  }

  forget(): void {
    this.#values = [];
  }

  #isSame(one: T, other: T): boolean {
    if (one === other) return true;
    for (const key of Object.keys(other)) {
      if (!isSame(one[key as keyof T], other[key as keyof T], this.#apart[key])) return false;
    }
    return true;
  }
}

function isSame(one: unknown, other: unknown, apart: readonly string[] | undefined): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  const keys = Object.keys(other);
  if (keys.length !== Object.keys(one).length) return false;
  for (const key of keys) {
    if (apart?.includes(key)) continue;
    if (!isSame(one[key as keyof typeof one], other[key as keyof typeof other], undefined)) return false;
  }
  return true;
}
