/**
 * A head as it was last written for the other side, kept with the head that it was made of: as long as that one repeats itself, and what
 * else it depends on is the same, the text need not be made again.
 */
export class Rendering {
  #text = '';
  #added: unknown = null;
  #variant: unknown = null;

  /** '' when there is none. @param added what was added to the head, by identity @param variant whatever else it depends on, by identity */
  of(added: unknown, variant: unknown): string {
    return added === this.#added && variant === this.#variant ? this.#text : '';
  }

  keep(added: unknown, variant: unknown, text: string): void {
    this.#added = added;
    this.#variant = variant;
    this.#text = text;
  }

  /** Another head comes. */
  clear(): void {
    this.#text = '';
  }
}
