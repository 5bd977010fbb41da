/** The streams of a connection that are open, by their identifiers: a table with open addressing and linear probing, which grows and does not shrink. */
import type { Http2Stream } from './stream.ts';

/** A power of two. Twice as many slots as streams at least, so that searches end soon. */
const FIRST_SLOTS = 8;

/**
 * Why not a Map: V8 makes a new table for one that entries leave, once per so many, and has the old table refer to the new (for iterators that are under
 * way). When one of them has come into the old generation, all that follow it, and the streams in them, live until the next full collection.
 */
export class OpenStreams {
  size = 0;
  #slots = emptySlots(FIRST_SLOTS);

  get(id: number): Http2Stream | null {
    return this.#slots[this.#find(id)] ?? null;
  }

  /** Its identifier must not be here yet. */
  add(stream: Http2Stream): void {
    if ((this.size + 1) * 2 > this.#slots.length) this.#grow();
    this.#slots[this.#find(stream.id)] = stream;
    this.size++;
  }

  /** Nothing happens when it is not here. */
  delete(id: number): void {
    const slots = this.#slots;
    let free = this.#find(id);
    if (slots[free] === null) return;
    this.size--;
    // Whoever stands behind it because its own slot was taken moves up (Knuth, The Art of Computer Programming, volume 3, section 6.4, algorithm R).
    for (let at = this.#after(free); slots[at] !== null; at = this.#after(at)) {
      const mover = slots[at] as Http2Stream;
      const home = this.#home(mover.id);
      const staysPut = free <= at ? free < home && home <= at : free < home || home <= at;
      if (staysPut) continue;
      slots[free] = mover;
      free = at;
    }
    slots[free] = null;
  }

  clear(): void {
    this.#slots = emptySlots(FIRST_SLOTS);
    this.size = 0;
  }

  /** A copy, in the order of the identifiers. */
  list(): Http2Stream[] {
    const all = this.#slots.filter((stream): stream is Http2Stream => stream !== null);
    return all.sort((a, b) => a.id - b.id);
  }

  /** Where it is, or the free slot where it would go. */
  #find(id: number): number {
    const slots = this.#slots;
    let at = this.#home(id);
    for (let stream = slots[at]; stream !== null; stream = slots[at]) {
      if ((stream as Http2Stream).id === id) return at;
      at = this.#after(at);
    }
    return at;
  }

  /** Those that a client opens are odd, and mostly one after the other (RFC 9113 section 5.1.1). */
  #home(id: number): number {
    return (id >>> 1) & (this.#slots.length - 1);
  }

  #after(at: number): number {
    return (at + 1) & (this.#slots.length - 1);
  }

  #grow(): void {
    const streams = this.list();
    this.#slots = emptySlots(this.#slots.length * 2);
    for (const stream of streams) this.#slots[this.#find(stream.id)] = stream;
  }
}

function emptySlots(count: number): (Http2Stream | null)[] {
  return Array.from({ length: count }, () => null);
}
