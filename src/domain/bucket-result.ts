/** What the closed buckets left, as the counters keep it. */
export interface BucketResult {
  /** Says all of it. */
  toString(): string;
}

/** By whoever made it: known as it is, and put into words only where it leaves the process. */
export class OwnResult<T> implements BucketResult {
  readonly value: T;
  #text: string | undefined;

  /** @param value never changed afterwards; the same when it has been to JSON and back */
  constructor(value: T) {
    this.value = value;
  }

  toString(): string {
    this.#text ??= JSON.stringify(this.value);
    return this.#text;
  }
}
