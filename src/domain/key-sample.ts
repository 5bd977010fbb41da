/**
 * Which keys of a sticky route have been seen in a window, in bounded memory: when there are too many, only those that a second hash picks
 * are kept, half as many each time (distinct sampling: Gibbons, VLDB 2001). Which they are depends on nothing that a key would be answered.
 */

const FIRST_SLOTS = 1_024;
/** Keys that are kept at most, in a table twice as large. */
const MOST_KEYS = 32_768;

export class KeySample {
  /** Open addressing; a slot holds hash + 1, 0 is free. */
  #slots = new Float64Array(FIRST_SLOTS);
  #size = 0;
  /** A key is picked when so many leading bits of its second hash are 0. */
  #bits = 0;

  /** True: it is among the picked, and has not been seen before. @param hash unsigned, 32 bits */
  add(hash: number): boolean {
    if (!this.#isPicked(hash)) return false;
    if (!insert(this.#slots, hash)) return false;
    this.#size += 1;
    if (this.#size * 2 > this.#slots.length) this.#grow();
    return true;
  }

  /** A new window. Where few were picked more are, from now on. */
  clear(): void {
    if (this.#bits > 0 && this.#size < MOST_KEYS / 4) this.#bits -= 1;
    this.#slots.fill(0);
    this.#size = 0;
  }

  #isPicked(hash: number): boolean {
    return this.#bits === 0 || second(hash) >>> (32 - this.#bits) === 0;
  }

  #grow(): void {
    const isFull = this.#size >= MOST_KEYS;
    if (isFull) this.#bits += 1;
    const before = this.#slots;
    this.#slots = new Float64Array(isFull ? before.length : before.length * 2);
    this.#size = 0;
    for (const slot of before) {
      if (slot === 0 || !this.#isPicked(slot - 1)) continue;
      insert(this.#slots, slot - 1);
      this.#size += 1;
    }
  }
}

function insert(slots: Float64Array, hash: number): boolean {
  const mask = slots.length - 1;
  let at = second(hash) & mask;
  for (let slot = slots[at]; slot !== 0; slot = slots[at]) {
    if (slot === hash + 1) return false;
    at = (at + 1) & mask;
  }
  slots[at] = hash + 1;
  return true;
}

/** MurmurHash3's finaliser: unrelated to the leading bits of the first, by which keys have their side. */
function second(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
